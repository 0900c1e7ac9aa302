"""Clips are drawn with the vectors of their captions, and never altered against their words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core import InputError
from worldline.data.shards import Shards
from worldline.data.text import TextEncoder
from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.train import ObjectiveTask, step_generator
from worldline.train.draw import draw_clips
from worldline.train.objectives import NextFrame, Reading
from worldline.world import World

N, T, SIDE, COLORS = 5, 6, 16, ("red", "blue", "green")
CAPTIONS = [f"A {COLORS[i % 3]} ball." for i in range(N)]


def encode(self: TextEncoder, sentences: Sequence[str]) -> Float[Tensor, "n 768"]:
    """Which of three colours is named."""
    named = [[float(color in s) for color in COLORS] for s in sentences]
    return torch.nn.functional.pad(torch.tensor(named), (0, TextEncoder.size - 3))


@pytest.fixture(autouse=True)
def _simple_words(monkeypatch):
    monkeypatch.setattr(TextEncoder, "encode", encode)


def shards() -> Shards:
    """Every pixel says which clip it is of."""
    frames = np.zeros((N, T, SIDE, SIDE, 3), np.uint8)
    frames[:] = np.arange(N)[:, None, None, None, None]
    slots = np.zeros((N, T, 1), np.float32)
    return Shards(
        frames=frames,
        moving=frames[..., 0] > 2,
        center_px=np.zeros((N, T, 1, 2), np.float32),
        size_px=np.zeros((N, T, 1, 2), np.float32),
        depth_m=slots,
        color_rgb=np.zeros((N, 1, 3), np.float32),
        visible=slots > 0,
        actions=np.zeros((*slots.shape[:2], 0), np.float32),
        has_actions=np.zeros(len(slots), bool),
        records=tuple({"caption": caption} for caption in CAPTIONS),
    )


def world(text_size: int) -> World:
    shape = {"channels": 4, "rows": 2}
    config = World.Config(
        tokenizer=ContinuousTokenizer.Config(
            size_px=SIDE, channels=4, fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
        ),
        dynamics=FlowDynamics.Config(
            **shape,
            stem_width=8,
            width=16,
            depth=3,
            heads=1,
            controls=ControlEncoder.Config(text_size=text_size),
            start_share=0.5,
        ),
        readout=LatentReadout.Config(**shape, width=8, depth=1),
        trajectory=None,
    )
    return config.build()


def task(config: ObjectiveTask.Config, text_size: int = 768) -> ObjectiveTask:
    return config.build(world(text_size), shards(), seed=0, batch=4, length=3)


TOLD = ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),), augmented=False)


def test_each_clip_comes_with_its_own_caption():
    told = task(TOLD)
    for step in range(3):
        batch = told.batch(step, step_generator(0, step))
        number = batch.frames[:, 0, 0, 0, 0].long()
        assert batch.controls.text is not None
        assert batch.controls.text[:, :3].argmax(dim=1).tolist() == (number % 3).tolist()
    losses = told.loss(told.model, batch, step_generator(0, 0))
    losses["total"].backward()
    dynamics = told.model["parts"]["dynamics"]  # type: ignore[index]
    assert dynamics.network.leave.weight.grad.abs().max() > 0


def test_words_and_altered_clips_do_not_go_together():
    with pytest.raises(InputError, match="augmented=False"):
        task(ObjectiveTask.Config(("dynamics",), (NextFrame.Config(),)))
    with pytest.raises(InputError, match="augmented=False"):
        draw_clips(
            shards(), seed=0, step=0, batch=2, length=2, generator=step_generator(0, 0),
            text=torch.zeros(N, 3),
        )  # fmt: skip


def test_what_takes_no_words_is_altered_as_ever():
    readout = ObjectiveTask.Config(("readout",), (Reading.Config(),))
    made = task(readout)
    assert made.batch(0, step_generator(0, 0)).controls.text is None


def test_a_world_of_other_words_is_refused():
    with pytest.raises(InputError, match=r"text_size is 12, but .* gives 768 numbers"):
        task(TOLD, text_size=12)
