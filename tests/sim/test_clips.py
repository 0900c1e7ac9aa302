from __future__ import annotations

import json

import numpy as np
import pytest

from worldline.core import Clip, InputError, Origin, Scene
from worldline.sim import FAMILIES, Split, make_clip, make_clips

MIXED = ["drop", "disc_collision", "occlude"]


def same(a: Clip, b: Clip) -> bool:
    arrays = [
        (a.frames, b.frames),
        (a.depth_m, b.depth_m),
        (a.segmentation, b.segmentation),
        (a.background, b.background),
    ]
    assert a.scene is not None
    assert b.scene is not None
    return (
        all(np.array_equal(x, y) if x is not None else y is None for x, y in arrays)
        and a.scene.to_json() == b.scene.to_json()
        and a.caption == b.caption
        and a.provenance == b.provenance
    )


def test_equal_seeds_give_equal_bytes_whatever_the_number_of_workers():
    alone = list(make_clips(MIXED, num_clips=5, seed=4))
    shared = list(make_clips(MIXED, num_clips=5, seed=4, num_workers=2))
    assert [clip.provenance.source for clip in alone] == [*MIXED, *MIXED[:2]]
    assert all(same(a, b) for a, b in zip(alone, shared, strict=True))
    assert same(alone[3], make_clip("drop", 3, seed=4))


def test_other_seeds_and_splits_give_other_clips():
    base = make_clip("drop", 0, seed=0, events=False)
    assert not np.array_equal(base.frames, make_clip("drop", 0, seed=1, events=False).frames)
    held_out = make_clip("drop", 0, seed=0, split=Split.HELD_OUT, events=False)
    assert not np.array_equal(base.frames, held_out.frames)


def test_a_clip_carries_its_truth_and_where_it_comes_from():
    clip = make_clip("throw", 7, seed=2, split=Split.INTERPOLATION, size_px=48)
    scene = clip.scene
    assert scene is not None
    assert clip.frames.shape == (32, 48, 48, 3)
    assert clip.depth_m is not None
    assert clip.depth_m.shape == (32, 48, 48)
    assert clip.background is not None
    assert clip.background.shape == (1, 48, 48, 3)
    assert clip.provenance.origin is Origin.SIMULATED
    assert clip.provenance.source == "throw"
    assert clip.provenance.seed == 2
    assert dict(clip.provenance.details)["split"] == "interpolation"
    assert scene.provenance == clip.provenance
    assert scene.caption == clip.caption
    assert np.diff(clip.time_s) == pytest.approx(clip.time_s[1])
    assert min(abs(clip.time_s[1] - step) for step in (1 / 30, 1 / 20, 1 / 15)) < 1e-12
    assert any(event.type == "fall" for event in scene.events)
    again = Scene.from_json(json.loads(json.dumps(scene.to_json())))
    np.testing.assert_allclose(again.position_m, scene.position_m, atol=1e-6)


def test_visible_depth_and_segmentation_tell_the_same_story():
    clip = make_clip("collide", 1, seed=0, events=False)
    scene = clip.scene
    assert scene is not None
    assert scene.depth_m is not None
    assert clip.depth_m is not None
    assert clip.segmentation is not None
    for row in range(scene.num_objects):
        for t in range(0, 32, 8):
            mask = clip.segmentation[t] == scene.ids[row]
            if mask.sum() < 12:
                continue
            assert scene.visible[row, t]
            near = clip.depth_m[t][mask]
            assert near.min() < scene.depth_m[row, t] < near.min() + 1.5


@pytest.mark.parametrize(
    ("families", "options"),
    [
        ([], {}),
        (["dropp"], {}),
        (["drop"], {"num_clips": -1}),
        (["drop"], {"seed": -1}),
        (["drop"], {"size_px": 2}),
        (["drop"], {"num_workers": 0}),
    ],
)
def test_bad_requests_are_refused_at_once(families, options):
    with pytest.raises(InputError, match=r"make_clips needs|unknown scene family"):
        make_clips(families, **({"num_clips": 1, "seed": 0} | options))


def test_no_clips_are_no_clips():
    assert list(make_clips(list(FAMILIES), num_clips=0, seed=0)) == []
