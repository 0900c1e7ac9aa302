"""From log odds to guesses, and what is said of an event that a definition found."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from worldline.core.scene import STATIC, Event
from worldline.physics import ONTOLOGY
from worldline.retrieval.colors import COLORS
from worldline.retrieval.spotting.network import SpotterNetworkConfig
from worldline.retrieval.spotting.spots import AGAIN, Spot, Spots, load_spotter, spot, spotter_name

TYPES = ("fall", "push", "collide")


def build(
    *, track=(), step=(), window=(-9.0,) * 3, again=(-9.0,) * 3, num=2, steps=20, strangeness=0.5
) -> Spots:
    """Odds of -9 but for (row, column, first, last, value) in tracks, the same without row in
    steps."""
    odds = np.full((num, steps, 2 * len(TYPES)), -9.0)
    for row, column, first, last, value in track:
        odds[row, first : last + 1, column] = value
    of_steps = np.full((steps, len(TYPES)), -9.0)
    for column, first, last, value in step:
        of_steps[first : last + 1, column] = value
    one = Spot(
        grid_s=np.arange(steps) * 0.08,
        tracks=np.arange(num) + 7,
        seen=np.ones((num, steps), bool),
        track=odds,
        step=of_steps,
        window=np.array(window),
        again=np.array(again),
        color=("red", "")[:num],
        strangeness=strangeness,
    )
    return Spots(TYPES, (one,))


def told(spots):
    return [(e.type, round(e.start_s, 2), round(e.end_s, 2), dict(e.roles)) for e in spots.events()]


def test_each_stretch_of_a_track_is_one_guess():
    spots = build(track=[(0, 0, 2, 5, 1.0), (0, 0, 12, 14, -1.0)])
    assert told(spots) == [("fall", 0.16, 0.4, {"object": 7}), ("fall", 0.96, 1.12, {"object": 7})]
    assert all(event.confidence == 0 for event in spots.events())


def test_what_is_unlikely_is_not_guessed():
    assert told(build(track=[(0, 0, 2, 5, -4.0)])) == []


def test_the_second_role_is_whoever_is_likeliest_there():
    (push,) = told(build(track=[(1, 1, 3, 6, 2.0), (0, 1 + 3, 3, 6, 1.0)]))
    assert push == ("push", 0.24, 0.48, {"agent": 8, "object": 7})


def test_a_meeting_is_told_once():
    meeting = told(build(track=[(0, 2, 3, 6, 2.0), (1, 2, 4, 6, 1.0)]))
    assert meeting == [("collide", 0.24, 0.48, {"a": 7, "b": 8})]


def test_what_the_picture_tells_without_any_track_is_nobodys():
    spots = build(step=[(0, 4, 8, 1.0)], window=(1.0, -9.0, -9.0))
    assert told(spots) == [("fall", 0.32, 0.64, {})]


def test_nobodys_guess_gives_way_to_that_of_a_track():
    spots = build(track=[(0, 0, 4, 8, 1.0)], step=[(0, 4, 8, 1.0)], window=(1.0, -9.0, -9.0))
    assert told(spots) == [("fall", 0.32, 0.64, {"object": 7})]


def test_one_more_is_guessed_where_only_one_is_told():
    falls = [(0, 0, 2, 5, 1.0)]
    picture = [(0, 2, 5, 1.0), (0, 9, 12, 1.0)]
    spots = build(track=falls, step=picture, again=(1.5, -9.0, -9.0))
    *_, more = spots.events()
    assert (more.type, more.roles, more.quantities) == ("fall", {}, {AGAIN: 1.0})
    assert (more.start_s, more.end_s) == (pytest.approx(0.16), pytest.approx(0.96))
    assert spots.about(more) == (1.5, 1.5, 1.5)
    two = build(track=[*falls, (1, 0, 2, 5, 1.0)], step=picture, again=(1.5, -9.0, -9.0))
    assert not any(AGAIN in event.quantities for event in two.events())


def test_colours_are_told_of_videos_that_are_not_strange():
    assert build().color_of(7) == "red"
    assert build().color_of(8) == build().color_of(99) == ""
    assert build(strangeness=1.2).color_of(7) == ""


def test_odds_about_an_event_are_those_of_its_tracks_and_time():
    spots = build(
        track=[(0, 0, 2, 5, 1.0), (1, 0, 2, 5, 3.0)], step=[(0, 2, 5, 0.5)], window=(2.0, 0, 0)
    )
    assert spots.about(Event("fall", 0.2, 0.4, {"object": 7})) == (1.0, 0.5, 2.0)
    assert spots.about(Event("fall", 0.2, 0.4, {"object": 8, "support": STATIC}))[0] == 3.0
    assert spots.about(Event("fall", 1.2, 1.4, {"object": 7})) == (-9.0, -9.0, 2.0)
    stranger = spots.about(Event("fall", 0.2, 0.4, {"object": 99}))
    assert np.isnan(stranger[0])
    assert stranger[1:] == (0.5, 2.0)
    assert np.isnan(spots.about(Event("topple", 0.2, 0.4, {"object": 7}))).all()
    assert np.isnan(Spots(TYPES, ()).about(Event("fall", 0, 1, {"object": 7}))).all()


def test_windows_are_asked_together_and_apart_alike(drawn):
    scene, kept = drawn(25 * 14, speed_px_s=5.0)
    torch.manual_seed(0)
    network = SpotterNetworkConfig(types=TYPES, colors=COLORS, width=32, depth=2).build().eval()
    spots = spot(scene, kept, network=network)
    assert spots.types == TYPES
    assert next(len(w.grid_s) for w in spots.windows) == 64
    again = spot(scene, kept, network=network)
    np.testing.assert_array_equal(spots.windows[1].track, again.windows[1].track)


def test_the_bundled_spotter_knows_the_ontology():
    assert set(load_spotter().config.types) == set(ONTOLOGY)
    assert spotter_name().startswith("spotting/")


def test_a_folder_without_weights_is_named(tmp_path):
    from worldline.core.errors import ArtifactError

    with pytest.raises(ArtifactError, match=str(tmp_path)):
        load_spotter(tmp_path)
