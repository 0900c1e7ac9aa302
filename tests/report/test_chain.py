from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from worldline.core import InputError, Provenance, Scene
from worldline.report.chain import ChainOptions, run_chain
from worldline.report.facts import Footage
from worldline.report.stopwatch import Stopwatch
from worldline.report.viewing import Viewing

from .conftest import make_forecast_facts


def test_a_video_too_short_to_forecast_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the page is made all the same."""
    from worldline.report import chain

    scene = Scene.empty(np.arange(5) * 0.1, 32, 24, Provenance())
    footage = Footage(
        name="short.mp4",
        codec="h264",
        width_px=32,
        height_px=24,
        fps=10.0,
        duration_s=0.5,
        num_frames=5,
        looked_at_s=(0.0, 0.5),
    )
    viewing = Viewing(tmp_path / "short.mp4", footage, scene, (), ())
    home = make_forecast_facts(familiar=True)
    # The simulated clip's forecast is not what is tested here.
    monkeypatch.setattr(chain, "continue_clip", lambda *_, **__: home)
    found, missing = chain._forecast_all(
        SimpleNamespace(context=8, step_s=0.1),
        [viewing],
        ChainOptions((viewing.path,), tmp_path, 20.0, 1, 0),
        Stopwatch(),
    )
    assert found == (home,)
    (sentence,) = missing
    assert sentence.startswith("No forecast of short.mp4: it has no shot of 2.40 s")


def test_without_any_usable_video_nothing_is_made(tmp_path: Path) -> None:
    options = ChainOptions((tmp_path / "missing.mp4",), tmp_path, 20.0, 1, 0)
    world = SimpleNamespace(name="any")
    with pytest.raises(InputError, match=r"missing\.mp4"):
        run_chain(options, lambda: world, watch=Stopwatch())
    assert list(tmp_path.iterdir()) == []
