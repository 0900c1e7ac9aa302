import json

import numpy as np

from worldline.core.monitor import Alarm, Monitor


def test_absent_numbers_become_null():
    monitor = Monitor(
        limit_px=4.0,
        risk=np.array([0.1, 0.25]),
        signals={"spread": np.array([np.nan, 1.0])},
        alarms=(Alarm("spread", 1, 0.05, 0.004, "they part"),),
        radius_px=np.array([[np.nan, np.inf], [1.0, 2.0]]),
    )
    record = json.loads(json.dumps(monitor.to_json()))
    assert record["risk"] == [0.1, 0.25]
    assert record["signals"]["spread"] == [None, 1.0]
    assert record["radius_px"] == [[None, None], [1.0, 2.0]]
    assert record["alarms"][0]["frame"] == 1
    assert monitor.calibrated


def test_a_monitor_without_risk_is_not_calibrated():
    monitor = Monitor(limit_px=4.0, risk=None, signals={})
    assert not monitor.calibrated
    assert monitor.to_json()["risk"] is None
