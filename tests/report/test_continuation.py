from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from worldline.core import Clip, Forecast, InputError, Provenance
from worldline.report.continuation import Case, continue_clip, window_length_s
from worldline.report.stopwatch import Stopwatch
from worldline.world.view import View, look

from .conftest import make_forecast, paint


@dataclass(frozen=True)
class Clairvoyant:
    """A world that knows how the clip goes on, but sees it a little darker."""

    whole: Clip
    name: str = "clairvoyant"
    context: int = 4
    step_s: float = 0.1

    def look(self, clip: Clip) -> View:
        return look(clip, size_px=32, step_range_s=(1 / 30, 0.1))

    def predict(
        self, clip: Clip, *, context: int, horizon: int, samples: int, seed: int
    ) -> Forecast:
        assert clip.num_frames == context == self.context
        first = int(np.searchsorted(self.whole.time_s, clip.time_s[-1] + 1e-6))
        step_s = clip.time_s[1] - clip.time_s[0]
        after_s = clip.time_s[-1] + step_s * np.arange(1, horizon + 1)
        pick = [int(np.argmin(np.abs(self.whole.time_s - t))) for t in after_s]
        assert pick[0] >= first
        frames = np.repeat(self.whole.frames[pick][None] - 1, samples, axis=0)
        return replace(
            make_forecast(samples, horizon),
            frames=frames,
            time_s=after_s,
            context_frames=clip.frames,
        )


def make_case(num_frames: int, step_s: float) -> Case:
    frames = np.concatenate([paint(8)] * (num_frames // 8 + 1))[:num_frames]
    time_s = 3.0 + step_s * np.arange(num_frames)
    clip = Clip(frames=frames, time_s=time_s, provenance=Provenance(source="a.mp4"))
    return Case(clip, "Next", "a.mp4", "Here.", familiar=False)


def test_a_forecast_is_shown_beside_the_truth() -> None:
    case = make_case(20, 0.1)
    facts = continue_clip(Clairvoyant(case.clip), case, seed=0, watch=Stopwatch())
    assert [panel.name for panel in facts.panels] == [
        "What happened",
        "Future 1",
        "Future 2",
        "Future 3",
        "Copying the last frame",
        "Constant velocity",
    ]
    assert all(panel.film.num_frames == 4 + 16 for panel in facts.panels)
    assert facts.start_s == pytest.approx(3.3)
    assert facts.context_s == pytest.approx(0.4)
    own, copied, _ = facts.errors
    # One grey level off everywhere: 20 log10(255).
    assert own.name == "clairvoyant"
    assert own.values == pytest.approx([48.13] * 16, abs=0.01)
    # The scene repeats every 8 frames, so that after 8 frames the last frame is there again.
    assert copied.values[7] == pytest.approx(58.9, abs=0.1)
    assert max(copied.values[:7]) < 30
    assert facts.strip_steps == (1, 4, 7, 10, 13, 16)
    assert facts.spread_scale == pytest.approx(0.02)


def test_fast_footage_is_thinned_but_never_below_what_is_needed() -> None:
    fast = make_case(60, 1 / 30)
    facts = continue_clip(Clairvoyant(fast.clip), fast, seed=0, watch=Stopwatch())
    assert facts.forecast.time_s[0] - facts.start_s == pytest.approx(0.1)
    short = make_case(24, 1 / 30)
    facts = continue_clip(Clairvoyant(short.clip), short, seed=0, watch=Stopwatch())
    assert len(facts.forecast.time_s) == 16
    assert facts.forecast.time_s[0] - facts.start_s == pytest.approx(1 / 30)
    assert window_length_s(Clairvoyant(fast.clip), 30.0) == pytest.approx(20 * 0.1)


def test_a_clip_without_a_continuation_is_refused() -> None:
    case = make_case(4, 0.1)
    with pytest.raises(InputError, match="are needed, 4 to be given and one to follow"):
        continue_clip(Clairvoyant(case.clip), case, seed=0, watch=Stopwatch())
