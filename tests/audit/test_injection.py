import numpy as np
import pytest

from worldline.audit.injection import Hallucination, carry_lawfully, find_target, inject
from worldline.core import InputError
from worldline.dynamics.lift import Lifter
from worldline.sim import Split, make_clip

LAST = 7


@pytest.fixture(scope="module")
def made():
    for index in range(8):
        clip = make_clip("disc_parabola", index, seed=3, split=Split.HELD_OUT, events=False)
        kinds = (Hallucination.GROW, Hallucination.LESS_GRAVITY)
        rng = np.random.default_rng(0)
        found = [find_target(clip, k, last=LAST, horizon=16, generator=rng) for k in kinds]
        if all(found):
            lifted = Lifter().lift(clip.frames[: LAST + 1])
            video = carry_lawfully(clip, lifted, LAST, 16, found[0].index)
            return clip, video, dict(zip(kinds, found, strict=True))
    raise AssertionError("no clip of eight has a target")


def test_lawful_paths_are_the_true_ones(made):
    clip, video, targets = made
    index = targets[Hallucination.GROW].index
    true = clip.scene.center_px[index, LAST + 1 : LAST + 17] - clip.scene.center_px[index, LAST]
    assert np.abs(video.path_px - true).max() < 0.05


def centre(video):
    place = np.stack([video.lifted.x, video.lifted.y], axis=-1)[video.body]
    return place.mean(axis=0) / video.lifted.upscale - 0.5


def draw(video, kind, target, seed=0):
    return inject(video, kind, target, np.random.default_rng(seed)).draw(target.num_frames)


def test_before_the_onset_nothing_differs(made):
    _, video, targets = made
    target = targets[Hallucination.GROW]
    plain = video.draw(target.num_frames)
    for kind in (
        Hallucination.VANISH,
        Hallucination.TELEPORT,
        Hallucination.RECOLOUR,
        Hallucination.GROW,
    ):
        false = draw(video, kind, target)
        assert np.array_equal(false[: target.onset], plain[: target.onset])
        assert not np.array_equal(false[target.onset], plain[target.onset])


def test_what_vanishes_leaves_the_background(made):
    _, video, targets = made
    target = targets[Hallucination.GROW]
    false = draw(video, Hallucination.VANISH, target)
    x, y = np.rint(video.path_px[target.num_frames - 1] + centre(video)).astype(int)
    assert np.array_equal(false[-1, y, x], video.lifted.plate[y, x])
    plain = video.draw(target.num_frames)
    assert not np.array_equal(plain[-1, y, x], video.lifted.plate[y, x])


def test_less_gravity_falls_a_fifth_less(made):
    _, video, targets = made
    target = targets[Hallucination.LESS_GRAVITY]
    false = inject(video, Hallucination.LESS_GRAVITY, target, np.random.default_rng(0))
    away = false.path_px - video.path_px
    tau = np.arange(1, 17)
    assert away[:, 1] == pytest.approx(-0.1 * target.pull_px[1] * tau**2)
    assert away[:, 0] == pytest.approx(np.zeros(16), abs=1e-9)


def test_a_leap_stays_in_the_picture(made):
    _, video, targets = made
    target = targets[Hallucination.GROW]
    false = inject(video, Hallucination.TELEPORT, target, np.random.default_rng(1))
    leap = np.linalg.norm((false.path_px - video.path_px)[target.onset])
    assert 8 <= leap <= 16


def test_a_clip_without_truth_is_refused(made):
    clip, _, _ = made
    with pytest.raises(InputError, match="no room"):
        find_target(
            clip, Hallucination.VANISH, last=31, horizon=16, generator=np.random.default_rng(0)
        )
