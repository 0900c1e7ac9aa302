"""Departures of a tracked clip from a reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.audit.test_gate import hide, keep, make_scene

from worldline.audit.agreement import Sight, measure_departures, tell_sight
from worldline.core import InputError, Scene


def excess(scene: Scene, reference: Scene) -> list[float]:
    found = measure_departures(scene, reference)
    return [round(found[f"reference_{k}"].excess, 4) for k in ("permanence", "position", "count")]


def test_a_scene_does_not_depart_from_itself() -> None:
    assert excess(make_scene(), make_scene()) == [0, 0, 0]
    found = measure_departures(make_scene(), make_scene())
    assert all(own.moment_s is None for law, own in found.items() if law != "reference_position")


@pytest.mark.parametrize("other", [{"width_px": 800}, {"ids": (7, 3)}, {"start_s": 0.73}])
def test_size_ids_and_span_do_not_matter(other: dict) -> None:
    assert excess(make_scene(**other), make_scene()) == pytest.approx([0, 0, 0], abs=1e-6)


def test_what_is_missing_is_counted_in_frames_and_named() -> None:
    gone = measure_departures(hide(make_scene(), 1, 12, 20), make_scene(ids=(5, 6)))
    missing, count = gone["reference_permanence"], gone["reference_count"]
    assert (missing.excess, missing.objects) == (8, (6,))
    assert missing.moment_s == pytest.approx(1.2)
    assert (count.excess, count.moment_s) == (8, pytest.approx(1.2))
    assert "fewer" in count.text
    assert "8 frames in a row" in missing.text


def test_any_track_that_is_near_will_do() -> None:
    both = make_scene()
    head, tail = hide(both, 1, 15, 31), keep(hide(both, 1, 0, 15), [1])
    parts = ("present", "visible", "center_px", "size_px", "center_px_std")
    joined = {k: np.concatenate([getattr(head, k), getattr(tail, k)]) for k in parts}
    scene = replace(head, ids=np.array([0, 1, 2]), labels=("ball",) * 3, **joined)
    assert excess(scene, both) == [0, 0, 0]


def test_a_body_elsewhere_is_measured_against_what_is_granted() -> None:
    reference = make_scene()
    for std_px, granted_px in ((0.0, 2.2), (1.0, 4.2)):  # a pixel, a tenth of 12, two of std
        scene = make_scene(std_px=std_px)
        center_px = scene.center_px.copy()
        center_px[0, 10:, 1] += 10.0
        found = measure_departures(replace(scene, center_px=center_px), reference)
        departure = found["reference_position"]
        assert departure.excess == pytest.approx(10 / granted_px)
        assert departure.objects == (0,)
        assert departure.moment_s is not None
        assert departure.moment_s >= 1.0
    center_px[0, 13:, 1] -= 10.0  # for three frames alone
    found = measure_departures(replace(scene, center_px=center_px), reference)
    assert found["reference_position"].excess == 0


def test_what_rests_or_touches_is_not_asked_for() -> None:
    still = make_scene(still=True)
    gone = measure_departures(keep(still, []), still)
    assert gone == {}
    reference = make_scene()
    together = reference.center_px.copy()
    together[1] = together[0] + np.array([13.0, 0.0])  # boxes of 12 px, one apart
    found = measure_departures(keep(reference, [0]), replace(reference, center_px=together))
    assert "reference_permanence" not in found
    assert found["reference_count"].excess == 31


def test_tracks_are_counted_beside_bodies_that_move() -> None:
    both = make_scene()
    assert tell_sight(both, both) is Sight.ALIKE
    assert tell_sight(keep(both, [0]), both) is Sight.FEWER
    assert tell_sight(both, keep(both, [1])) is Sight.MORE
    assert tell_sight(keep(both, []), both) is Sight.NOTHING
    assert tell_sight(keep(both, [0]), make_scene(still=True)) is Sight.MORE


def test_other_times_are_refused() -> None:
    with pytest.raises(InputError, match="do not overlap in time"):
        measure_departures(make_scene(), make_scene(start_s=10.0))
