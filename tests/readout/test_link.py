import numpy as np

from worldline.core import Provenance
from worldline.readout.latent import Detection
from worldline.readout.link import link_detections, uncrop

TIMES = np.arange(10) * 0.05
RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)


def seen(x, y, color=RED, depth=3.0, size=8.0) -> Detection:
    return Detection(x, y, 0.5, size, size, depth, color, 0.9)


def link(frames):
    return link_detections(frames, TIMES, size_px=64, provenance=Provenance())


def test_crossing_objects_keep_their_identity_by_colour():
    frames = [[seen(8 + 5 * t, 30), seen(53 - 5 * t, 32, BLUE)] for t in range(10)]
    scene = link([sorted(f, key=lambda d: d.x_px) for f in frames])
    assert scene.num_objects == 2
    red = int(np.argmax(scene.color_rgb[:, 0]))
    np.testing.assert_allclose(scene.center_px[red, :, 0], 8 + 5 * np.arange(10))
    np.testing.assert_allclose(scene.center_px_std[red], 0.5)


def test_a_gap_is_bridged_as_present_but_not_visible():
    frames = [[] if t in (4, 5) else [seen(10 + 3 * t, 30)] for t in range(10)]
    scene = link(frames)
    assert scene.num_objects == 1
    assert scene.present.all()
    assert scene.visible[0].tolist() == [t not in (4, 5) for t in range(10)]
    assert np.isnan(scene.center_px[0, 4]).all()


def test_specks_and_nothing_give_no_objects():
    assert link([[] for _ in range(10)]).num_objects == 0
    assert link([[seen(30, 30)] if t == 3 else [] for t in range(10)]).num_objects == 0


def test_touching_boxes_are_contacts_that_depth_makes_less_likely():
    def meet(depth):
        frames = [[seen(10 + 3 * t, 30), seen(44, 30, BLUE, depth)] for t in range(10)]
        return link(frames).contacts

    (near,), (far,) = meet(3.0), meet(4.5)
    assert near.start_s == TIMES[9]  # gap of 44 - 37 - 8 < 0.8 px
    assert near.confidence > 0.85
    assert far.confidence < 0.01


def test_uncrop_returns_to_the_clip():
    scene = link([[seen(32, 16)] for _ in range(10)])
    back = uncrop(scene, (100, 0, 640, 640), (840, 640))
    np.testing.assert_allclose(back.center_px[0, 0], [420, 160])
    np.testing.assert_allclose(back.size_px[0, 0], [80, 80])
    assert (back.width_px, back.height_px) == (840, 640)
