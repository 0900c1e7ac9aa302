"""What a distilled world lost and gained: quality and speed, beside its teacher."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from worldline.audit.baselines import CopyLast, Predictor
from worldline.audit.finish import WorldPredictor
from worldline.audit.prediction import Metric, PredictionTable, evaluate_predictors
from worldline.core.clip import Clip
from worldline.core.latents import Controls
from worldline.core.wording import counted
from worldline.sim import Split, make_clips
from worldline.world import World
from worldline.world.steps import at_steps

__all__ = ["Comparison", "Speed", "compare_student", "measure_speed"]

_METRICS = (Metric.PSNR, Metric.RECALL, Metric.ERROR)
_FORECAST = 8
"""Frames of a timed forecast."""


@dataclass(frozen=True)
class Speed:
    """Median wall times of one world on one clip.

    Attributes:
        step_s: of one frame's latents.
        frame_s: of one frame of a whole forecast: encoding, latents, decoding, rendering.
        num_steps_timed, num_forecasts_timed: how many each median is over.
    """

    step_s: float
    frame_s: float
    num_steps_timed: int
    num_forecasts_timed: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """A student beside its teacher.

    Attributes:
        teacher, same_steps, student: names of the rows: the teacher at its steps, the teacher at
            the student's steps, and the student.
        table: held-out quality; has a row `copy-last` too.
        speed: by row.
        threads: of the processor, while it was timed.
    """

    teacher: str
    same_steps: str
    student: str
    table: PredictionTable
    speed: Mapping[str, Speed]
    threads: int

    @property
    def rows(self) -> tuple[str, ...]:
        """Names in the order of the table."""
        return (self.teacher, self.same_steps, self.student, "copy-last")

    def to_json(self) -> dict[str, Any]:
        """Every number, with the interval of each difference to the teacher."""
        speed = {name: vars(speed) for name, speed in self.speed.items()}
        return {
            "teacher": self.teacher,
            "same_steps": self.same_steps,
            "student": self.student,
            "quality": self.table.to_json(),
            "speed": speed,
            "threads": self.threads,
            "times_faster": self.times_faster,
        }

    @property
    def times_faster(self) -> dict[str, float]:
        """How often the student's time goes into the teacher's."""
        slow, fast = self.speed[self.teacher], self.speed[self.student]
        return {"step": slow.step_s / fast.step_s, "frame": slow.frame_s / fast.frame_s}

    def cells(self, name: str) -> list[str]:
        """Quality of a row: per metric, values at all horizons."""
        return [
            " / ".join(f"{self.table.value(name, metric, h):.2f}" for h in self.table.horizons)
            for metric in _METRICS
        ]

    def lost(self, metric: Metric, horizon: int) -> tuple[float, float, float]:
        """Student minus teacher, with its 95 % interval."""
        return self.table.difference(self.student, self.teacher, metric, horizon)

    def head(self) -> list[str]:
        """Names of the columns of `cells`."""
        ahead = " / ".join(f"+{h}" for h in self.table.horizons)
        return [f"PSNR, dB, {ahead}", "object recall", "position error, px"]

    def to_markdown(self) -> str:
        """A section of a card."""
        lines = [
            "## Distillation",
            "",
            f"Networks alone on {len(self.table.clip_families)} held-out clips: the latents' "
            "futures, decoded, with the detail of the last frame, and no trajectories. A missed "
            "object counts its whole search radius.",
            "",
            "| " + " | ".join(["", *self.head()]) + " |",
            "|---|---|---|---|",
            *("| " + " | ".join([name, *self.cells(name)]) + " |" for name in self.rows),
            "",
            f"{self.student} minus {self.teacher}, with 95 % intervals over clips:",
            "",
            *(f"- {metric.replace('_', ' ')}: {self._losses(metric)}" for metric in _METRICS),
            "",
            "Median seconds per frame, side by side in one process, one clip at a time, "
            f"{self.threads} processor thread{'s' if self.threads > 1 else ''}:",
            "",
            "| | latents | whole forecast |",
            "|---|---|---|",
            *(
                f"| {name} | {s.step_s:.5f} (n={s.num_steps_timed}) | {s.frame_s:.5f} "
                f"(n={s.num_forecasts_timed}) |"
                for name, s in self.speed.items()
            ),
            "",
            f"Against its teacher the student is {self.times_faster['step']:.2f} times as fast in "
            f"latents and {self.times_faster['frame']:.2f} times in whole forecasts.",
        ]
        return "\n".join(lines) + "\n"

    def _losses(self, metric: Metric) -> str:
        parts = []
        for h in self.table.horizons:
            value, low, high = self.lost(metric, h)
            parts.append(f"+{h} {value:+.2f} [{low:+.2f}, {high:+.2f}]")
        return ", ".join(parts)


def compare_student(
    teacher: World,
    student: World,
    *,
    teacher_steps: int,
    families: Sequence[str],
    num_clips: int,
    seed: int,
    repeats: int = 20,
) -> Comparison:
    """Quality on held-out clips, then speed.

    All worlds are taken without calibration, so that the networks are compared and not what is
    drawn around them.

    Args:
        teacher, student: flow worlds.
        teacher_steps: steps per frame of the teacher.
        families, num_clips, seed: of the held-out clips.
        repeats: frames to time.

    Raises:
        InputError: a world is no flow world.
    """
    steps = student.dynamics.config.num_steps
    names = f"teacher, {counted(teacher_steps, 'step')}", f"teacher, {counted(steps, 'step')}"
    own = f"student, {counted(steps, 'step')}"
    worlds = {
        names[0]: at_steps(teacher, teacher_steps),
        names[1]: at_steps(teacher, steps),
        own: at_steps(student, steps),
    }
    predictors: dict[str, Predictor] = {name: WorldPredictor(w) for name, w in worlds.items()}
    clips = list(
        make_clips(
            families,
            num_clips=num_clips,
            seed=seed,
            split=Split.HELD_OUT,
            size_px=student.size_px,
        )
    )
    table = evaluate_predictors(
        {**predictors, "copy-last": CopyLast()},
        clips,
        context=student.context,
        seed=seed,
        baselines=(names[0], "copy-last"),
    )
    speed = measure_speed(worlds, clips[0], repeats=repeats, seed=seed)
    return Comparison(names[0], names[1], own, table, speed, torch.get_num_threads())


@torch.no_grad()
def measure_speed(
    worlds: Mapping[str, World], clip: Clip, *, repeats: int, seed: int
) -> dict[str, Speed]:
    """Time worlds in turn, so that whatever else the machine does falls on all of them.

    Args:
        worlds: by name.
        clip: whose first frames are the context.
        repeats: frames to time; a fourth as many forecasts.
        seed: of the noise.
    """
    steps: dict[str, Callable[[], object]] = {}
    forecasts: dict[str, Callable[[], object]] = {}
    for name, world in worlds.items():
        seen = clip.frames[: world.context]
        carry = world.dynamics.init(
            world.encode_frames(seen), Controls(), torch.Generator().manual_seed(seed)
        )
        steps[name] = lambda world=world, carry=carry: world.dynamics.step(carry, Controls())
        forecasts[name] = lambda world=world, seen=seen: world.continue_frames(
            seen, horizon=_FORECAST, samples=1, seed=seed
        )
    num_forecasts = max(1, repeats // 4)
    per_step, per_forecast = _time(steps, repeats), _time(forecasts, num_forecasts)
    return {
        name: Speed(per_step[name], per_forecast[name] / _FORECAST, repeats, num_forecasts)
        for name in worlds
    }


def _time(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each, done in turn; a first round warms up and is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats + 1):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}
