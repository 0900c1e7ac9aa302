import numpy as np
import pytest
from tests.audit.test_following import film, line

from worldline.audit.continuity import SIGNALS
from worldline.audit.video_watch import VideoWatch, watch_video
from worldline.core import InputError

NUM = len(SIGNALS)


def sound_watch():
    rng = np.random.default_rng(0)
    return VideoWatch.fit([rng.uniform(0, 3.0, (6, NUM)) for _ in range(99)])


def test_p_values_are_of_the_running_maximum():
    known = VideoWatch(np.tile(np.arange(1.0, 100.0), (NUM, 1)))
    signals = np.zeros((3, NUM))
    signals[1, 0] = 98.5
    p = known.p_values(signals)
    assert p[0, 0] == 1.0
    assert p[1, 0] == p[2, 0] == pytest.approx(2 / 100)
    assert (p[:, 1:] == 1).all()


def test_beyond_what_is_known_p_values_go_on_falling_and_others_stay():
    known = VideoWatch(np.tile(np.arange(1.0, 100.0), (NUM, 1)))
    signals = np.zeros((3, NUM))
    signals[:, 0] = 99.0, 120.0, 200.0
    p = known.p_values(signals)[:, 0]
    assert p[0] == pytest.approx(2 / 100)
    assert 1 / 100 > p[1] > 10 * p[2] > 0


def test_json_round_trip():
    known = sound_watch()
    again = VideoWatch.from_json(known.to_json())
    assert again.largest == pytest.approx(known.largest, rel=1e-4)


def test_a_video_is_watched_frame_by_frame():
    frames = film(line(22))
    frames[15:] = 120
    report = watch_video({"monitor_video": sound_watch().to_json()}, frames[:8], frames[8:])
    assert report.p_value[6] > 0.2
    assert report.p_value[7] < NUM / 100
    assert "presence" in {alarm.signal for alarm in report.alarms if alarm.frame == 7}


def test_without_calibration_it_says_so():
    frames = film(line(10))
    with pytest.raises(InputError, match="not been calibrated"):
        watch_video({}, frames[:8], frames[8:])
