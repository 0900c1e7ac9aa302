import json
from typing import Any

import numpy as np
import pytest

from worldline.core.errors import ArtifactError
from worldline.world import World
from worldline.world.calibration import check_calibration
from worldline.world.familiarity import Familiarity
from worldline.world.trust import Trust

TRUST = Trust(mean=np.zeros(3), precision=np.eye(3)).to_json()
KNOWN = Familiarity(np.zeros(72), np.eye(3, 72), np.ones(3), 0.1, slope=2.0).to_json()
SOUND = {
    "num_clips": 78,
    "trajectory_share": [0.1, 1.0],
    "trajectory_gap_px": [2.0, 1000.0],
    "correction_threshold": [0.3, 4.0],
    "uncertainty_scale": [7.3, 0],
    "uncertainty_floor": [0.01],
    "surprise_mean": 0.09,
    "surprise_quantiles": [0.0, 0.5, 0.5, 3.0],
    "trust": TRUST,
    "state": {"mean": [0.5], "std": [2]},
    "familiarity": KNOWN,
}


def test_sound_and_absent_entries_pass():
    check_calibration(SOUND, ("gyro",), "w")
    check_calibration({}, (), "w")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trajectory_share", None),
        ("trajectory_share", -1),
        ("trajectory_share", "x"),
        ("trajectory_share", []),
        ("trajectory_share", {}),
        ("trajectory_share", [0.5, 1.5]),
        ("trajectory_share", [True]),
        ("trajectory_gap_px", [-1.0]),
        ("correction_threshold", [[0.1]]),
        ("uncertainty_scale", [float("nan")]),
        ("uncertainty_floor", ["a"]),
        ("surprise_mean", 0.0),
        ("surprise_mean", [1.0]),
        ("surprise_quantiles", [1.0]),
        ("surprise_quantiles", [2.0, 1.0]),
        ("trust", None),
        ("trust", {"mean": [0, 0, 0]}),
        ("trust", {**TRUST, "precision": None}),
        ("trust", {**TRUST, "precision": []}),
        ("trust", {**TRUST, "precision": [[1, 0, 0], [0, 1]]}),
        ("trust", {**TRUST, "mean": [0.0, 0.0]}),
        ("trust", {**TRUST, "slope": "steep"}),
        ("state", {"mean": [0.0, 1.0], "std": [1.0, 1.0]}),
        ("state", [1.0]),
        ("familiarity", None),
        ("familiarity", {**KNOWN, "mean": [0.0] * 71}),
        ("familiarity", {**KNOWN, "directions": [[0.0] * 72]}),
        ("familiarity", {**KNOWN, "variances": [1.0, 0.0, 1.0]}),
        ("familiarity", {**KNOWN, "usual": 0.0}),
        ("familiarity", {**KNOWN, "slope": None}),
        ("familiarity", {**KNOWN, "heeded": "all"}),
        ("monitor", None),
        ("monitor", {"signals": ["spread"]}),
    ],
)
def test_damaged_entries_are_named(name: str, value: Any):
    with pytest.raises(ArtifactError, match=rf"^w: {name}.* in calibration.json is damaged"):
        check_calibration({**SOUND, name: value}, ("gyro",), "w")


def test_a_world_with_a_damaged_calibration_is_refused(nano, tmp_path):
    nano.finished({"trust": TRUST}, "").save(tmp_path)
    World.from_pretrained(tmp_path)
    (tmp_path / "calibration.json").write_text(json.dumps({"trajectory_share": None}))
    with pytest.raises(ArtifactError, match=r"trajectory_share in calibration.json is damaged"):
        World.from_pretrained(tmp_path)
