"""Clips from words alone: complete, seeded, marked, and refused where a world cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core import InputError, Origin
from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.world import World, imagination


class Counts:
    """Counts three letters."""

    name = "counts"
    size = 3

    def encode(self, sentences: Sequence[str]) -> Float[Tensor, "n 3"]:
        return torch.tensor([[float(s.count(c)) for c in "rgb"] for s in sentences])


WORDS = Counts()


def build(**changes) -> World:
    flow = FlowDynamics.Config(
        stem_width=16,
        width=32,
        depth=3,
        heads=2,
        controls=ControlEncoder.Config(text_size=3),
        shortcut_doublings=2,
        start_share=0.5,
    )
    config = replace(
        World.Config(name="dreamer", trajectory=None), dynamics=replace(flow, **changes)
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for parameter in world.dynamics.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    return world


@pytest.fixture(scope="module")
def dreamer() -> World:
    return build()


def test_what_is_imagined_is_complete_and_says_what_it_is(dreamer):
    imagined = dreamer.imagine("a red ball", horizon=3, samples=2, seed=4, encoder=WORDS)
    assert imagined.frames.shape == (2, 3, 64, 64, 3)
    assert imagined.frames.dtype == np.uint8
    np.testing.assert_allclose(imagined.time_s, dreamer.step_s * np.arange(3))
    assert (imagined.frames[0] != imagined.frames[1]).any()
    assert imagined.caption == "a red ball"
    marks = [imagined.provenance, *(scene.provenance for scene in imagined.scenes)]
    assert len(marks) == 3
    for mark in marks:
        assert (mark.origin, mark.source, mark.seed) == (Origin.GENERATED, "text", 4)
        assert mark.producer == "worldline world dreamer"
        assert dict(mark.details) == {"caption": "a red ball"}
    assert all(scene.num_frames == 3 for scene in imagined.scenes)
    assert all(scene.caption == "a red ball" for scene in imagined.scenes)
    assert {verdict.law for verdict in imagined.audit} >= {"inertia", "permanence"}
    assert imagined.trust == 0.0
    assert "not calibrated for text" in imagined.trust_reason
    record = json.loads(json.dumps(imagined.to_json(), allow_nan=False, default=str))
    assert (record["samples"], record["horizon"], record["size"]) == (2, 3, [64, 64])


def test_seed_words_guidance_and_steps_each_count(dreamer):
    def frames(text: str = "a red ball", **options) -> np.ndarray:
        options = {"horizon": 2, "samples": 1, "encoder": WORDS, **options}
        return dreamer.imagine(text, **options).frames

    base = frames()
    np.testing.assert_array_equal(base, frames())
    np.testing.assert_array_equal(base, frames(num_steps=4))
    np.testing.assert_array_equal(base[:, :1], frames(horizon=1))
    others = ({"seed": 1}, {"guidance": 5.0}, {"num_steps": 1}, {"text": "a bright green bug"})
    for other in others:
        assert (base != frames(**other)).any(), other


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"text": "  "}, "the text is empty"),
        ({"horizon": 0}, "horizon is 0"),
        ({"samples": 0}, "samples is 0"),
        ({"guidance": float("nan")}, "guidance is nan"),
        ({"guidance": -1.0}, "guidance is -1"),
        ({"num_steps": 3}, "num_steps is 3, must divide 4"),
        ({"num_steps": 0}, "num_steps is 0"),
    ],
)
def test_impossible_requests_are_named(dreamer, options, reason):
    options = {"text": "a red ball", "encoder": WORDS, **options}
    with pytest.raises(InputError, match=reason):
        dreamer.imagine(**options)


def test_worlds_that_cannot_imagine_say_why(nano, dreamer):
    with pytest.raises(InputError, match="world nano has not learned to start from nothing"):
        nano.imagine("a red ball", encoder=WORDS)
    deaf = build(controls=ControlEncoder.Config(action_size=2))
    with pytest.raises(InputError, match="world dreamer takes 0 numbers of text"):
        deaf.imagine("a red ball", encoder=WORDS)
    with pytest.raises(InputError, match=r"takes 3 numbers of text, but .*MiniLM.* gives 768"):
        dreamer.imagine("a red ball")


def test_a_session_begins_with_a_sentence(dreamer, monkeypatch):
    monkeypatch.setattr(imagination, "TextEncoder", lambda: WORDS)
    session = dreamer.open("a red ball", context=3, seed=4)
    wanted = dreamer.imagine("a red ball", horizon=3, samples=1, seed=4, encoder=WORDS)
    seen = [moment.frame for moment in session.snapshot().recent]
    np.testing.assert_array_equal(seen, wanted.frames[0])
    assert session.step().shape == (64, 64, 3)
    assert session.state().provenance.source == "text"
    with pytest.raises(InputError, match="the text is empty"):
        dreamer.open(" ")
