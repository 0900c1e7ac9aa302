import numpy as np
from tests.audit.test_following import film, line

from worldline.audit.continuity import SIGNALS, measure_continuity
from worldline.audit.following import follow


def signals(frames):
    course = follow(frames[:8], frames[8:])
    return dict(zip(SIGNALS, measure_continuity(course).T, strict=True))


def test_a_sound_video_raises_nothing():
    found = signals(film(line(22)))
    assert found["presence"].max() < 0.1
    assert found["jump"].max() < 0.5
    assert found["bounce"].max() == 0
    assert found["stranger"].max() == 0


def test_a_body_that_vanishes_is_missed_at_once():
    frames = film(line(22))
    frames[15:] = 120
    found = signals(frames)["presence"]
    assert found[:7].max() < 0.1
    assert found[7] > 0.8


def test_another_colour_is_no_longer_the_body():
    frames = film(line(22))
    frames[15:] = film(line(22), color=(40, 220, 60))[15:]
    found = signals(frames)["presence"]
    assert found[:7].max() < 0.1
    assert found[7:].max() > 0.4


def test_a_leap_is_measured_in_pixels():
    places = line(22)
    places[15:] = [(x, y + 9) for x, y in places[15:]]
    found = signals(film(places))["jump"]
    assert found[:7].max() < 0.5
    assert abs(found[7] - 9) < 0.5


def test_growth_speaks_in_its_frame():
    factor = np.r_[np.ones(14), np.full(8, 1.05)]
    found = signals(film(line(22), factor=factor))["size"]
    assert found.argmax() in (6, 7)
    assert found.max() > 2 * np.delete(found, [5, 6, 7]).max()


def fall(num, pull=0.2):
    return [(20 + 1.0 * t, 8 - 0.5 * t + 0.5 * pull * t**2) for t in range(num)]


def test_less_gravity_floats():
    places = fall(20)
    slower = list(places)
    for t in range(8, 20):
        tau = t - 7
        slower[t] = (places[t][0], places[t][1] - 0.2 * 0.5 * 0.2 * tau**2)
    usual, odd = signals(film(places)), signals(film(slower))
    assert odd["float"][-1] > 2
    assert usual["float"].max() < odd["float"].max() / 2


def test_a_bounce_that_gains_speed():
    def bounce(gain):
        down = [(15 + 1.0 * t, 10 + 2.0 * t) for t in range(13)]
        x, y = down[-1]
        return down + [(x + 1.0 * t, y - 2.0 * gain * t) for t in range(1, 8)]

    assert signals(film(bounce(1.2)))["bounce"].max() > signals(film(bounce(0.6)))["bounce"].max()
    assert signals(film(bounce(1.2)))["bounce"].max() > 1.0
