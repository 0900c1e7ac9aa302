from __future__ import annotations

import numpy as np
import pytest

from worldline.audit.suites.align_scenes import NUM_FRAMES, SCENES, Filmed, film_scene
from worldline.core import Outcome
from worldline.sim import FAMILIES


@pytest.fixture(scope="module")
def filmed() -> dict[str, Filmed]:
    return {name: film_scene(name, 0, seed=3, size_px=32, num_cameras=2) for name in SCENES}


@pytest.mark.parametrize("name", [name for name in SCENES if name != "stable stack"])
def test_the_truth_satisfies_its_familys_law(name: str, filmed: dict[str, Filmed]) -> None:
    clip = filmed[name].clips[0]
    verdicts = FAMILIES[SCENES[name].family].self_check(clip)
    assert verdicts
    assert all(verdict.outcome is not Outcome.FAIL for verdict in verdicts)
    assert any(verdict.outcome is Outcome.PASS for verdict in verdicts)


def test_a_stable_stack_stands_and_an_unstable_one_falls(filmed: dict[str, Filmed]) -> None:
    def moved_m(name: str) -> float:
        scene = filmed[name].clips[0].scene
        assert scene is not None
        assert scene.position_m is not None
        return float(np.linalg.norm(scene.position_m[:, -1] - scene.position_m[:, 0], axis=1).max())

    assert moved_m("stable stack") < 0.02
    assert moved_m("unstable stack") > 0.1


@pytest.mark.parametrize("name", SCENES)
def test_cameras_see_the_same_physics_from_other_sides(
    name: str, filmed: dict[str, Filmed]
) -> None:
    first, second = filmed[name].clips
    assert first.num_frames == second.num_frames == NUM_FRAMES == 42
    assert first.scene is not None
    assert second.scene is not None
    np.testing.assert_array_equal(first.scene.position_m, second.scene.position_m)
    assert first.camera is not None
    assert second.camera is not None
    assert not np.allclose(first.camera.world_from_camera, second.camera.world_from_camera)
    assert (first.frames != second.frames).any()
    for clip in (first, second):
        assert clip.segmentation is not None
        assert (clip.segmentation[9:] >= 0).any()


def test_stagings_differ_and_repeat() -> None:
    one, two, again = (
        film_scene("U-slope", number, seed=0, size_px=16, num_cameras=1).clips[0].frames
        for number in (0, 1, 0)
    )
    assert (one == again).all()
    assert (one != two).any()
