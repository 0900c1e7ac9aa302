from __future__ import annotations

from pathlib import Path

from worldline.report.simulation import SimulationBeside
from worldline.sim import FIRST_FAMILIES, Split, make_clips


def test_the_clips_are_those_of_one_process(tmp_path: Path) -> None:
    with SimulationBeside(tmp_path, num_clips=2, seed=3) as simulation:
        written = simulation.result()
    clips = list(make_clips(FIRST_FAMILIES, num_clips=2, seed=3, split=Split.HELD_OUT))
    assert [path.stem for path in written] == [
        f"{clip.provenance.source}-3-{index:04d}" for index, clip in enumerate(clips)
    ]
    assert all(path.is_file() for path in written)
    for clip, scene in zip(clips, written.values(), strict=True):
        assert clip.scene is not None
        assert scene.to_json() == clip.scene.to_json()


def test_leaving_early_stops_it(tmp_path: Path) -> None:
    """An error elsewhere is not held up by hundreds of clips."""
    with SimulationBeside(tmp_path, num_clips=400, seed=3):
        pass
    assert len(list(tmp_path.glob("*.mp4"))) < 20
