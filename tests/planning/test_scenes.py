"""Goals told in scenes: places in metres, contacts, and what search can ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.planning.worlds import tiny_world

from worldline.core.errors import InputError
from worldline.core.scene import Contact, Event, Scene
from worldline.planning import (
    Imagination,
    Objective,
    Over,
    PlaceReader,
    PredicateGoal,
    Rollout,
    SceneGoal,
    world_reader,
)


def scene(places: Sequence[Sequence[Sequence[float]]], labels: Sequence[str], **more) -> Scene:
    """Of N things in T moments."""
    position = np.array(places, dtype=float)
    num, time = position.shape[:2]
    nowhere = np.full((num, time, 2), np.nan)
    return Scene(
        time_s=0.1 * np.arange(time),
        width_px=1,
        height_px=1,
        ids=np.arange(num),
        labels=tuple(labels),
        present=np.ones((num, time), dtype=bool),
        visible=np.zeros((num, time), dtype=bool),
        center_px=nowhere,
        size_px=nowhere,
        center_px_std=nowhere,
        position_m=position,
        **more,
    )


def cost(goal: SceneGoal | PredicateGoal, latents: torch.Tensor) -> torch.Tensor:
    start = torch.zeros(len(latents), 2, *latents.shape[3:])
    return goal.cost(Rollout(torch.zeros(*latents.shape[:3], 1), latents, start))


def fixed(*scenes: Scene):
    """A reader that always says the same."""

    def read(latents: torch.Tensor) -> list[Scene]:
        assert len(latents) == len(scenes)
        return list(scenes)

    return read


LATENTS = torch.zeros(1, 2, 2, 1, 3)


def test_things_of_one_label_are_matched_so_that_it_is_least():
    goal = scene([[[0, 0, 0]], [[4, 0, 0]], [[0, 9, 0]]], ["ball", "ball", "box"])
    swapped = scene(
        [[[4, 0, 0], [4, 0, 0]], [[0, 3, 0], [0, 0, 0]], [[0, 9, 0]] * 2], ["ball", "ball", "box"]
    )
    lost = replace(swapped, labels=("ball", "cone", "box"))
    found = cost(SceneGoal(fixed(swapped, lost), [goal], Over.LAST), LATENTS)
    assert found.tolist() == [[0.0, pytest.approx(10 / 3)]]
    found = cost(SceneGoal(fixed(swapped, lost), [goal], Over.SUM), LATENTS)
    assert found[0, 0].item() == pytest.approx((1.0 + 0.0) / 2)


def test_contacts_that_should_be_are_missed():
    touch = Contact(a=0, b=1, start_s=0.0, end_s=1.0)
    places = [[[0, 0, 0], [0, 0, 0]], [[1, 0, 0], [1, 0, 0]]]
    goal = scene(places, ["ball", "box"], contacts=(touch,))
    apart, late = (
        scene(places, ["ball", "box"], contacts=contacts)
        for contacts in ((), (replace(touch, start_s=0.1),))
    )
    found = cost(SceneGoal(fixed(apart, late), [goal], contact_m=0.5), LATENTS)
    assert found.tolist() == [[0.5, 0.25]]


def test_places_are_read_off_latents_that_hold_them():
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(50, 3, generator=generator)
    place = (latents[:, :2] * torch.tensor([2.0, -1.0]) + 0.5).double().numpy()
    reader = PlaceReader.fit(latents, place, label="agent", step_s=0.5)
    assert reader.error_m < 1e-2
    goal = scene([[[2.5, 0.5, 0.0]]], ["agent"])
    plans = torch.zeros(1, 2, 1, 1, 3)
    plans[0, 1, 0, 0, 0] = 1.0
    objective = SceneGoal(reader, [goal])
    assert isinstance(objective, Objective)
    assert cost(objective, plans)[0].tolist() == pytest.approx([2.0, 0.0], abs=0.02)
    (one, _) = reader(plans[0])
    assert one.duration_s == 0.0
    with pytest.raises(InputError, match="2 or 3"):
        PlaceReader.fit(latents, place[:, :1])


def test_predicates_are_asked_of_every_plan():
    falls = scene([[[0, 0, 0]] * 2], ["ball"], events=(Event("fall", 0.0, 0.1, {"object": 0}),))
    rests = replace(falls, events=())
    goal = PredicateGoal(fixed(falls, rests), lambda s: 0.75 * len(s.events))
    assert cost(goal, LATENTS).tolist() == [[0.25, 1.0]]


def test_goals_that_say_nothing_are_refused():
    here = scene([[[0, 0, 0]] * 2], ["ball"])
    reader = fixed(here, here)
    nothing = replace(here, present=np.zeros((1, 2), dtype=bool))
    with pytest.raises(InputError, match="shows nothing"):
        cost(SceneGoal(reader, [nothing]), LATENTS)
    with pytest.raises(InputError, match="in metres"):
        cost(SceneGoal(reader, [replace(here, position_m=None)]), LATENTS)
    with pytest.raises(InputError, match="3 goals for 1"):
        cost(SceneGoal(reader, [here] * 3), LATENTS)


def test_a_world_reads_its_own_latents():
    imagination = Imagination(tiny_world("flow"))
    latents = torch.randn(2, 3, 16, 48, generator=torch.Generator().manual_seed(0))
    scenes = world_reader(imagination)(latents)
    assert [s.num_frames for s in scenes] == [3, 3]
