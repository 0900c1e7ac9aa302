import numpy as np
import pytest
from tests.audit.test_following import film, line

from worldline.audit.continuity import SIGNALS, measure_continuity
from worldline.audit.following import follow


def signals(frames):
    course = follow(frames[:8], frames[8:])
    return dict(zip(SIGNALS, measure_continuity(course).T, strict=True))


def test_a_sound_video_raises_nothing():
    found = signals(film(line(22)))
    assert found["presence"].max() < 1
    assert found["look"].max() < 1
    assert found["jump"].max() == 0
    assert found["bounce"].max() == 0
    assert found["stranger"].max() == 0


def test_a_body_that_vanishes_is_missed_at_once():
    frames = film(line(22))
    frames[15:] = 120
    found = signals(frames)
    for name in ("presence", "look"):
        assert found[name][:7].max() < 1
        assert found[name][7] > 10


def test_another_colour_is_no_longer_the_body():
    frames = film(line(22))
    frames[15:] = film(line(22), color=(40, 220, 60))[15:]
    found = signals(frames)["presence"]
    assert found[:7].max() < 1
    assert found[7] > 20


def test_a_leap_is_measured_in_pixels_beyond_its_pace():
    places = line(22)
    pace = np.hypot(*(np.array(places[1]) - places[0]))
    places[15:] = [(x, y + 9) for x, y in places[15:]]
    leap = np.hypot(*(np.array(places[15]) - places[14]))
    found = signals(film(places))["jump"]
    assert found[:7].max() == 0
    assert abs(found[7] - (leap - 1.25 * pace - 0.3)) < 0.5


def test_turning_round_is_no_leap():
    there = line(15)
    back = there[-2::-1][:7]
    assert signals(film(there + back))["jump"].max() == 0


def test_growth_is_told_two_frames_late():
    factor = np.r_[np.ones(14), np.full(8, 1.05)]
    found = signals(film(line(22), factor=factor))["size"]
    assert found.argmax() == 8
    assert found.max() > 2 * np.delete(found, 8).max()
    assert (found[:8] < 2).all()


def fall(num, pull=0.2):
    return [(20 + 1.0 * t, 8 - 0.5 * t + 0.5 * pull * t**2) for t in range(num)]


@pytest.mark.parametrize("share", [-0.2, 0.2])
def test_gravity_that_changes_is_told(share):
    places = fall(20)
    other = list(places)
    for t in range(8, 20):
        tau = t - 7
        other[t] = (places[t][0], places[t][1] + share * 0.5 * 0.2 * tau**2)
    usual, odd = signals(film(places))["fall"], signals(film(other))["fall"]
    assert odd[-1] > 1
    assert usual.max() < odd.max() / 2


def test_a_fall_that_begins_with_a_contact_is_followed_from_there():
    places = [(12 + t, 30 - 3.0 * abs(t - 2)) for t in range(3)]
    places += [(12 + t, 30 - 2.5 * (t - 2) + 0.1 * (t - 2) ** 2) for t in range(3, 20)]
    assert signals(film(places))["fall"].max() > 0  # it was tested
    assert signals(film(places))["fall"].max() < 1


def test_a_bounce_that_gains_speed():
    def bounce(gain):
        down = [(15 + 1.0 * t, 10 + 2.0 * t) for t in range(13)]
        x, y = down[-1]
        return down + [(x + 1.0 * t, y - 2.0 * gain * t) for t in range(1, 8)]

    for gain in (0.6, 1.2):
        assert abs(signals(film(bounce(gain)))["bounce"].max() - gain) < 0.05
