"""Twins: alike up to the moment; the possible one obeys its law, the impossible one breaks it."""

import numpy as np
import pytest

from worldline.audit.suites.twins import PROPERTIES, make_twin, make_twins
from worldline.core import Outcome
from worldline.core.errors import InputError
from worldline.physics import check_laws

SIZE_PX = 32
BREAKS = {
    # property and number of the pair: laws of which one has to fail
    ("permanence", 1): {"permanence"},
    ("continuity", 0): {"continuity"},
    ("continuity", 1): {"continuity"},
    ("gravity", 0): {"gravity_form", "gravity_parameter", "inertia"},
    ("gravity", 1): {"gravity_form", "gravity_parameter", "inertia"},
    ("gravity", 3): {"gravity_form", "gravity_parameter", "inertia"},
}


def failed(clip) -> set[str]:
    return {v.law for v in check_laws(clip.scene) if v.outcome is Outcome.FAIL}


def moving(clip, part) -> np.ndarray:
    return clip.scene.velocity_mps[:, part]


@pytest.mark.parametrize("of", PROPERTIES)
def test_twins_are_the_same_up_to_the_moment_and_then_differ(of):
    twin = make_twin(of, 1, seed=3, size_px=SIZE_PX)
    a, b, m = twin.possible, twin.impossible, twin.moment
    assert a.frames.shape == b.frames.shape == (32, SIZE_PX, SIZE_PX, 3)
    assert (a.frames[:m] == b.frames[:m]).all()
    assert (a.frames[m:] != b.frames[m:]).any()
    assert 5 <= m < 30
    again = make_twin(of, 1, seed=3, size_px=SIZE_PX)
    assert (again.impossible.frames == b.frames).all()


@pytest.mark.parametrize(("of", "index"), BREAKS)
def test_the_possible_one_obeys_and_the_impossible_one_breaks_a_law(of, index):
    twin = make_twin(of, index, seed=3, size_px=SIZE_PX)
    assert not failed(twin.possible)
    assert failed(twin.impossible) & BREAKS[of, index]


@pytest.mark.parametrize("of", ["support", "inertia", "collision", "energy", "causality"])
def test_possible_twins_obey_all_laws(of):
    assert not failed(make_twin(of, 0, seed=5, size_px=SIZE_PX).possible)


def test_matched_pairs_take_turns_which_half_belongs_to_which_clip():
    """Behind a screen nothing betrays the cut: what follows it is a clip that may be as well."""
    one, other = (make_twin("permanence", i, seed=1, size_px=SIZE_PX) for i in (0, 2))
    assert one.variant == other.variant == "behind a screen"
    assert one.possible.scene.present.all()
    assert not other.possible.scene.present.any()
    for twin in (one, other):
        m = twin.moment
        assert (twin.possible.frames[m] == twin.impossible.frames[m]).mean() > 0.97


def test_a_colour_changes_and_nothing_else():
    twin = make_twin("colour", 1, seed=0, size_px=SIZE_PX)
    assert (twin.possible.segmentation == twin.impossible.segmentation).all()
    assert (twin.possible.frames[twin.moment] != twin.impossible.frames[twin.moment]).any()


def test_a_bounce_gains_speed():
    twin = make_twin("energy", 0, seed=0, size_px=SIZE_PX)
    rising = [
        moving(c, slice(twin.moment, None))[..., 2].max() for c in (twin.possible, twin.impossible)
    ]
    falling = moving(twin.possible, slice(0, twin.moment))[..., 2].min()
    assert rising[0] < -falling < rising[1]


def test_what_is_hit_stays_and_what_is_not_hit_moves():
    both, other = (make_twin("collision", i, seed=0, size_px=SIZE_PX) for i in (0, 1))
    assert np.abs(moving(both.possible, -1)[1]).max() > 0.3
    assert np.abs(moving(both.impossible, -1)).max() == 0
    assert np.abs(moving(other.impossible, -1)[2]).max() > 0.3
    assert np.abs(moving(other.possible, -1)[2]).max() < 0.05


def test_bodies_share_a_place():
    """The law knows the inside of balls and boxes alone, so the way between centres tells."""
    twin = make_twin("solidity", 1, seed=0, size_px=SIZE_PX)
    nearest = [
        np.linalg.norm(np.diff(c.scene.position_m, axis=0), axis=-1).min()
        for c in (twin.possible, twin.impossible)
    ]
    widths = twin.possible.scene.extent_m[:, 0]
    assert nearest[0] > 0.4 * widths.sum()
    assert nearest[1] < 0.25 * widths.sum()


def test_parts_and_numbers_give_other_twins():
    test = make_twin("inertia", 0, seed=0, size_px=SIZE_PX)
    development = make_twin("inertia", 0, seed=0, part="development", size_px=SIZE_PX)
    assert (test.possible.frames != development.possible.frames).any()
    told = []
    found = make_twins(["energy"], 2, seed=0, size_px=SIZE_PX, on_progress=told.append)
    assert (found["energy"][0].possible.frames != found["energy"][1].possible.frames).any()
    assert told == [0.5, 1.0]


def test_unknown_properties_are_refused():
    with pytest.raises(InputError, match="properties are permanence"):
        make_twin("charm", 0, seed=0)
