"""States as teachers: what is recorded becomes linear in latents, and is scaled by its spread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core import Clip, Origin, Provenance
from worldline.core.errors import InputError
from worldline.core.readings import Readings
from worldline.data.shards import write_shards
from worldline.data.windows import mark_changes
from worldline.train.objectives import StateTelling
from worldline.train.tasks import ObjectiveTask


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("told")

    def clips():
        rng = np.random.default_rng(0)
        for _ in range(6):
            light = rng.integers(20, 230, 6)
            frames = np.broadcast_to(light[:, None, None, None], (6, 16, 16, 3)).astype(np.uint8)
            values = np.stack([10.0 * light + 3, np.full(6, 7.0)], axis=1).astype(np.float32)
            state = Readings(("seen_light", "other"), values, np.ones(values.shape, bool))
            clip = Clip(
                frames=frames,
                time_s=0.1 * np.arange(6),
                provenance=Provenance(origin=Origin.SIMULATED),
                state=state,
                actions=np.zeros((6, 2), np.float32),
            )
            yield mark_changes(clip)

    return write_shards(folder, clips(), num_clips=6, recipe={"for": "a test"})


def task(shards, *names: str, plainly: bool = False) -> ObjectiveTask:
    told = StateTelling.Config(names=names, plainly=plainly)
    config = ObjectiveTask.Config(("tokenizer",), (told,), augmented=False)
    return config.build(tiny_world("vector"), shards, seed=0, batch=6, length=6)


def test_states_come_with_batches_in_standard_deviations(shards):
    batch = task(shards, "seen_light").batch(0, torch.Generator().manual_seed(0))
    assert list(batch.told) == ["seen_light"]
    values, known = batch.told["seen_light"]
    assert known.all()
    assert abs(float(values.mean())) < 1e-4
    assert float(values.square().mean()) == pytest.approx(1.0, abs=1e-3)


def test_it_teaches_what_is_told(shards):
    made = task(shards, "seen_light")
    optimiser = torch.optim.Adam(made.model.parameters(), lr=1e-2)
    losses = []
    for step in range(40):
        generator = torch.Generator().manual_seed(step)
        loss = made.loss(made.model, made.batch(step, generator), generator)["total"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_plainly_latents_are_what_is_told(shards):
    """In standard deviations and with no map between, so there is nothing else to learn."""
    names = ("seen_light", "other") * 3  # as many as the tiny world's latents have
    made = task(shards, *names, plainly=True)
    generator = torch.Generator().manual_seed(0)
    batch = made.batch(0, generator)
    tokenizer = made.model["parts"]["tokenizer"]
    values = torch.stack([batch.told[name][0] for name in names], dim=-1)
    wanted = (tokenizer.encode(batch.frames).tokens[:, :, 0] - values).square().mean()
    found = made.loss(made.model, batch, generator)["total"].detach()
    assert float(found) == pytest.approx(float(wanted.detach()))
    assert not list(made.model["objectives"].parameters())
    with pytest.raises(InputError, match="of 6 numbers cannot be the 1 columns"):
        task(shards, "seen_light", plainly=True)


def test_what_is_missing_is_said(shards):
    made, generator = task(shards, "seen_dark"), torch.Generator().manual_seed(0)
    with pytest.raises(InputError, match="no state seen_dark"):
        made.loss(made.model, made.batch(0, generator), generator)
    with pytest.raises(InputError, match="no column"):
        task(shards)
