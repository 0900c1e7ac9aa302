from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tests.playing import block_clips, playable

from worldline.audit.checks import check_world, known_of, run_checks
from worldline.audit.scripts import SCRIPTS, Known, Script, find_color
from worldline.core.provenance import Origin, Provenance

BLOCK = ((250, 200, 40),)


def moves(film: np.ndarray, actions: np.ndarray, *, sign: int) -> float:
    start, end = find_color(film[0], BLOCK), find_color(film[-1], BLOCK)
    if start is None or end is None:
        return float("nan") if start is None else 0.0
    return float(sign * (end[0] - start[0]) > 0)


def asks(actions: np.ndarray, *, sign: int) -> bool:
    return bool((sign * actions[:, 0] > 0.3).all())


KNOWN = Known(
    tuple(
        Script(name, (sign, 0.0), 2, partial(asks, sign=sign), partial(moves, sign=sign))
        for name, sign in (("right", 1), ("left", -1))
    )
)


def test_the_truth_passes_where_nothing_blocks_and_standing_still_does_not():
    clips = block_clips(30, 9)
    films = np.stack([clip.frames for clip in clips])
    actions = np.stack([clip.actions[:-1] for clip in clips])
    still = np.repeat(films[:, :1], 9, axis=1)
    found = run_checks(KNOWN, {"truth": films, "still": still}, actions, {}, clips, seed=0)
    assert [each.script for each in found] == ["right", "left"]
    for each in found:
        assert len(each.recorded["truth"]) > 5
        assert each.recorded["truth"].mean() > 0.6
        assert not each.recorded["still"].any()


def test_openings_are_continued_under_the_action():
    world = playable()
    clips = block_clips(3, 6)
    (found, _) = run_checks(KNOWN, {}, np.zeros((0, 0, 2)), {"true actions": world}, clips, seed=0)
    assert found.held["true actions"].shape == (3,)
    assert np.isin(found.held["true actions"], (0, 1)).all()


def test_a_world_is_checked_beside_the_truth():
    found = check_world(KNOWN, playable(), block_clips(20, 9), seed=0, horizon=5)
    for each in found:
        assert set(each.recorded) == {"truth", "true actions"}
        assert each.recorded["truth"].mean() > each.recorded["true actions"].mean()
        assert len(each.held["true actions"]) == 20


def test_an_environment_is_known_by_its_id():
    world, clips = playable(), block_clips(1, 6)
    assert known_of(world, clips) is None
    made = Provenance(Origin.SIMULATED, "worldline.sim.sandbox:worldline/Sandbox-v0")
    assert known_of(world, [replace(clips[0], provenance=made)]) is SCRIPTS["worldline/Sandbox-v0"]
    named = world.finished({**world.calibration, "play": {"environment": "VizdoomBasic-v1"}}, "")
    assert known_of(named, clips) is SCRIPTS["VizdoomBasic-v1"]


def disc(frame: np.ndarray, x: int, y: int, color: tuple[int, int, int]) -> None:
    frame[y - 2 : y + 3, x - 2 : x + 3] = color


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_script_can_pass_and_a_still_picture_fails(name):
    """Films that do what is asked, drawn by hand."""
    for script in SCRIPTS[name].scripts:
        film = np.full((script.steps + 1, 64, 64, 3), 40 if "Push" not in name else 255, np.uint8)
        given = np.repeat(np.array([script.action], np.float32), script.steps, axis=0)
        assert script.asks(given)
        still = film.copy()
        for t in range(script.steps + 1):
            step = 4 * t
            if "Sandbox" in name:
                x, y = 30 + round(step * given[0, 0]), 30 - round(step * given[0, 1])
                shut = given[0, 2] > 0 and t > 0
                disc(film[t], x, y, (230, 60, 70) if shut else (235, 235, 235))
                disc(still[t], 30, 30, (235, 235, 235))
            elif "Push" in name:
                goal = (given[0] + 1) * 32
                x, y = 32 + (goal - 32) * t / script.steps
                disc(film[t], round(x), round(y), (65, 105, 225))
                disc(still[t], 32, 32, (65, 105, 225))
                if "mark" in script.name:
                    film[t] = 255
                    disc(film[t], *goal.round().astype(int), (255, 0, 0))
            else:
                texture = np.random.default_rng(0).integers(0, 120, (64, 128, 3)).astype(np.uint8)
                way = {"MOVE_LEFT": -2, "MOVE_RIGHT": 2}.get(script.name.split(":")[0], 0)
                film[t] = texture[:, 30 + way * t : 94 + way * t]
                if "ATTACK" in script.name and t == 1:
                    disc(film[t], 32, 38, (255, 255, 230))
                still[t] = texture[:, 30:94]
        assert script.happened(film, given) == 1, script.name
        assert script.happened(still, given) == 0, script.name
