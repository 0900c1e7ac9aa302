"""The simulator's truth breaks no law and shows the events that its families are named after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.core import STATIC, Outcome, Scene
from worldline.physics import check_laws, detect_events
from worldline.sim import FAMILIES, make_clips

EXPECTED = {
    "drop": "fall",
    "throw": "throw",
    "bounce": "bounce",
    "collide": "collide",
    "roll": "roll rotate",
    "topple": "topple",
    "occlude": "occlude",
    "pendulum": "rise",
    "disc_parabola": "fall",
    "disc_collision": "collide",
    "ramp": "roll",
    "u_slope": "roll",
    "push": "push collide",
    "dominoes": "topple",
    "billiards": "collide",
    "driven_disc": "accelerate",
    "gyroscope": "rotate",
    "slide": "slide brake",
    "stack": "support",
    "tower": "collapse",
    "traffic": "follow",
    "contain": "contain",
    "pour": "pour flow",
    "cloth": "deform",
    "soft": "deform",
    "break": "break",
    "hand": "pick_up carry put_down",
}
"""Events that at least one of three clips (soft and hand: six) of a family must show."""


def scenes(family: str, num_clips: int, seed: int = 11) -> list[Scene]:
    found = [clip.scene for clip in make_clips([family], num_clips=num_clips, seed=seed)]
    return [scene for scene in found if scene is not None]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_truth_breaks_no_law_and_shows_its_event(family: str) -> None:
    seen: set[str] = set()
    for scene in scenes(family, 6 if family in ("soft", "hand") else 3):
        broken = [v for v in check_laws(scene) if v.outcome is Outcome.FAIL]
        assert broken == []
        seen |= {event.type for event in detect_events(scene)}
    if family in EXPECTED:
        assert set(EXPECTED[family].split()) <= seen


def test_drop_heights_are_the_true_ones() -> None:
    compared = 0
    for scene in scenes("drop", 4):
        assert scene.position_m is not None
        assert scene.velocity_mps is not None
        falls = [e for e in detect_events(scene) if e.type == "fall"]
        for row in range(scene.num_objects):
            touches = [c.start_s for c in scene.contacts if c.a == row and c.b == STATIC]
            own = [e for e in falls if e.roles["object"] == row]
            if not touches or not own:
                continue
            last = int(np.searchsorted(scene.time_s, min(touches))) - 1
            rest_s = min(touches) - scene.time_s[last]
            z, speed = scene.position_m[row, :, 2], scene.velocity_mps[row, last, 2]
            true_m = z[0] - (z[last] + speed * rest_s - 9.81 * rest_s**2 / 2)
            assert own[0].quantities["height_m"] == pytest.approx(true_m, abs=0.01)
            assert own[0].end_s == pytest.approx(min(touches), abs=0.005)
            compared += 1
    assert compared >= 4


def with_vanishing(scene: Scene) -> Scene:
    present = scene.present.copy()
    present[0, scene.num_frames // 3 :] = False
    return replace(scene, present=present, visible=scene.visible & present)


def with_weak_gravity(scene: Scene) -> Scene:
    assert scene.gravity_mps2 is not None
    return replace(scene, gravity_mps2=scene.gravity_mps2 / 0.6)


def with_hanging(scene: Scene) -> Scene:
    assert scene.position_m is not None
    position = scene.position_m.copy()
    first = min((c.start_s for c in scene.contacts if c.a == 0), default=scene.time_s[-1])
    middle = int(np.searchsorted(scene.time_s, 0.6 * first))
    position[0, middle:] = position[0, middle]
    return replace(
        scene, position_m=position, contacts=tuple(c for c in scene.contacts if 0 not in (c.a, c.b))
    )


def with_teleport(scene: Scene) -> Scene:
    assert scene.position_m is not None
    position = scene.position_m.copy()
    position[0, scene.num_frames // 2 :, 0] += 2.0
    return replace(scene, position_m=position)


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (with_vanishing, "permanence"),
        (with_weak_gravity, "gravity_parameter"),
        (with_hanging, "gravity_form"),
        (with_teleport, "continuity"),
    ],
)
def test_a_changed_truth_breaks_its_law(change, law) -> None:
    broken = 0
    for scene in scenes("bounce", 3):
        verdicts = {v.law: v for v in check_laws(change(scene))}
        broken += verdicts[law].outcome is Outcome.FAIL
    assert broken >= 2
