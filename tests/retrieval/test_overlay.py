"""Hits drawn on their videos: where, with which words, and for how long."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from worldline.core.errors import MediaError
from worldline.core.provenance import Provenance
from worldline.core.scene import STATIC, Event
from worldline.data import probe, read_clip, write_video
from worldline.readout.overlay import line_color
from worldline.retrieval import overlay
from worldline.retrieval.caption import Caption, tell_event
from worldline.retrieval.overlay import open_overlay
from worldline.sim import make_clip


def record(track: int = 0, start_s: float = 0.1, end_s: float = 0.6, **more):
    support = {"track": STATIC, "label": "static", "color": None}
    return {
        "number": 3,
        "type": "fall",
        "start_s": start_s,
        "end_s": end_s,
        "roles": {
            "object": {"track": track, "label": "ball", "color": "red"},
            "support": support,
        },
        "quantities": {"acceleration_mps2": 9.81, "height_m": 1.5, "height_m_std": 0.1},
        "comparisons": [],
        **more,
    }


@pytest.fixture(scope="module")
def drop(tmp_path_factory):
    """A simulated clip with its truth beside it."""
    clip = make_clip("drop", 0, seed=7)
    path = tmp_path_factory.mktemp("clips") / "drop.mp4"
    write_video(path, clip.frames, time_s=clip.time_s, provenance=clip.provenance)
    path.with_name("drop.scene.json").write_text(json.dumps(clip.scene.to_json()))
    return path


def test_an_event_in_a_line():
    assert tell_event(record()) == (
        "fall 0.10 to 0.60 s, red ball 0, height 1.5 m ± 0.1, acceleration 9.81 m/s^2"
    )
    asked = {"quantity": "height_m", "op": ">", "threshold": 0.5, "value": 1.5, "std": 0.1}
    other = {"track": 2, "label": "box", "color": None}
    roles = {"a": {"track": 0, "label": "ball", "color": "red"}, "b": other}
    told = tell_event(record(type="near_miss", roles=roles, comparisons=[asked]))
    assert told.startswith("near miss 0.10 to 0.60 s, red ball 0 and box 2, ")
    assert "height 1.5 m ± 0.1 (asked: more than 0.5 m)" in told


def test_a_caption_marks_events_and_the_moment():
    caption = Caption.fit([record()], (0.0, 1.0), 384)
    assert caption.band.shape[1] == 384
    assert caption.band.shape[0] % 2 == 0
    start, middle = caption.at(0.0), caption.at(0.5)
    assert (start != middle).any()
    columns = np.flatnonzero((middle != caption.band).any(axis=(0, 2)))
    assert columns.mean() == pytest.approx(192, abs=2)
    many = Caption.fit([record()] * 9, (0.0, 1.0), 384)
    assert many.band.shape[0] < 250


def test_a_clip_covers_the_hit_and_draws_who_takes_part(drop, tmp_path):
    shown = open_overlay(drop, 0.1, 0.3, [record(0)])
    assert shown.clip_s == (0.0, 0.8)
    assert shown.tracks == (0,)
    shown.write_clip(tmp_path / "hit.mp4")
    info = probe(tmp_path / "hit.mp4")
    assert info.duration_s == pytest.approx(0.8, abs=0.07)
    assert ("drawn", "a search hit") in info.provenance.details
    image = np.asarray(Image.open(BytesIO(shown.draw_still(0.2)))).astype(int)
    plain = read_clip(drop).frames.shape[2]
    assert image.shape[1] == plain * -(-384 // plain)
    near = np.abs(image - np.array(line_color(0))).sum(axis=2) < 60
    rows, columns = np.nonzero(near)
    t = int(np.argmin(np.abs(shown.scene.time_s - 0.2)))
    zoom = image.shape[1] / shown.scene.width_px
    x, y = shown.scene.center_px[shown.scene.index(0), t] * zoom
    band = image.shape[0] - image.shape[1] * shown.scene.height_px // shown.scene.width_px
    half = shown.scene.size_px[shown.scene.index(0), t].max() * zoom / 2 + 40
    assert near.sum() > 50
    assert np.abs(columns - x).max() < half + 40
    assert np.median(np.abs(rows - band - y)) < half
    other = np.abs(image - np.array(line_color(1))).sum(axis=2) < 30
    assert other.sum() < 20  # objects that play no part are not drawn


def test_without_events_everything_that_moves_is_drawn(drop):
    shown = open_overlay(drop, 0.1, 0.3)
    assert shown.tracks == ()
    assert shown.scene.visible.any(axis=1).all()
    assert shown.draw_still()[:2] == b"\xff\xd8"
    assert open_overlay(drop, 0.1, 0.3, (), [1, 99]).tracks == (1,)


def test_a_long_hit_is_shown_from_its_start(drop):
    shown = open_overlay(drop, 0.0, 500.0)
    assert shown.clip_s == (0.0, overlay.MAX_CLIP_S)


def test_in_a_long_video_parts_go_to_who_plays_them_there(tmp_path, monkeypatch):
    y, x = np.mgrid[:96, :128] + 0.5
    rng = np.random.default_rng(0)
    wall = rng.integers(60, 80, size=(96, 128, 3))
    frames = np.empty((60, 96, 128, 3), dtype=np.uint8)
    for t in range(60):
        inside = np.hypot(x - (5.0 + 3.0 * t), y - 48.0)[..., None] < 9
        frames[t] = np.where(inside, np.array([230, 200, 40]), wall)
    path = tmp_path / "ball.mp4"
    write_video(path, frames, fps=25, provenance=Provenance(source="test"))
    monkeypatch.setattr(overlay, "_WHOLE_S", 1.0)
    shown = open_overlay(path, 0.2, 0.8, [record(77, 0.0, 2.0, type="exit")])
    (event,) = shown.events
    own = [e.roles["object"] for e in shown.scene.events if e.type == "exit"]
    assert [event["roles"]["object"]["track"]] == own
    assert shown.tracks == tuple(own)
    lost = open_overlay(path, 0.2, 0.8, [record(77, type="topple")])
    assert lost.events[0]["roles"] == {}


def test_recasting_takes_the_event_that_overlaps_most(drop):
    scene = open_overlay(drop, 0.1, 0.3).scene.with_events(
        (Event("fall", 0.0, 0.2, {"object": 0}), Event("fall", 0.2, 0.6, {"object": 1}))
    )
    assert overlay._recast(record(5), scene)["roles"]["object"]["track"] == 1


def test_what_cannot_be_shown_is_told(drop, tmp_path):
    with pytest.raises(MediaError, match="shows nothing at 90 s"):
        open_overlay(drop, 90.0, 91.0)
    with pytest.raises(MediaError, match=r"none\.mp4"):
        open_overlay(tmp_path / "none.mp4", 0.0, 1.0)
