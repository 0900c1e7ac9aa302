"""After training on recorded episodes: calibrate, see how actions are followed, write the card."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from worldline.audit.card import cost_lines
from worldline.audit.checks import environment_of
from worldline.audit.finish import calibrate_on
from worldline.audit.held_out import divided_clips
from worldline.audit.inverse import fit_inverse
from worldline.audit.straying import fit_familiarity
from worldline.audit.suites.control import Settings, run_control
from worldline.audit.suites.result import SuiteResult
from worldline.audit.suites.running import OnProgress, ignore_progress, part
from worldline.audit.suites.telling import tell_cell
from worldline.audit.thresholds import choose_thresholds
from worldline.core.clip import Clip
from worldline.data.actions import ActionSpec
from worldline.data.recorded import Recording
from worldline.world import World
from worldline.world.controller import infer_actions, latent_spec
from worldline.world.feed import of_training

__all__ = ["finish_driven", "play_scheme"]

_MOST_INVERSE = 200
"""Training clips that the inverse model is fitted to, at most."""


def finish_driven(
    world: World,
    recording: Recording,
    *,
    num_clips: int,
    seed: int,
    facts: Mapping[str, Any],
    on_progress: OnProgress = ignore_progress,
) -> tuple[World, SuiteResult, list[Clip]]:
    """Calibrate, evaluate and describe a world that learned from recorded episodes.

    Args:
        world: trained.
        recording: that it learned from; its held-out episodes are taken, one half to calibrate and
            the other to evaluate.
        num_clips: clips to evaluate on, at most.
        seed: of the training run.
        facts: as for `finish_world`.
        on_progress: told the share that is done.

    Returns:
        the finished world, how it follows actions, and the clips that it was judged by, which
        sessions may begin with.

    Raises:
        InputError: the held-out episodes give fewer than four clips of the length that is needed.
    """
    spec = recording.spec if world.inverse is None else latent_spec(world)
    clips, half = divided_clips(world, recording, seed)
    world = choose_thresholds(
        world, clips[:half], seed=seed, on_progress=part(on_progress, 0.0, 0.4)
    )
    calibration = calibrate_on(
        world, clips[:half], seed=seed + 1, on_progress=part(on_progress, 0.4, 0.6)
    )
    calibration |= of_training(world.calibration) | {"ledgers": facts["ledgers"]}
    if spec is not None:
        calibration |= {
            "actions": spec.to_json(),
            "play": {"scheme": play_scheme(spec), "environment": environment_of(clips[0])},
        }
    learned = list(islice(recording.clips(world.size_px, held_out=False), _MOST_INVERSE))
    if world.inverse is not None:
        learned = [infer_actions(world, clip) for clip in learned]
    world = world.finished(calibration, "")
    known = fit_familiarity(world, learned, clips[:half], seed=seed + 1)
    on_progress(0.65)
    calibration |= {"familiarity": known.to_json()}
    world = world.finished(calibration, "")
    inverse = None
    if spec is not None:
        inverse = fit_inverse(
            learned,
            is_discrete=spec.is_discrete,
            seed=seed,
            on_progress=part(on_progress, 0.65, 0.7),
        )
    judged = clips[half : half + num_clips]
    result = run_control(
        world,
        judged,
        Settings(seed=seed + 2),
        inverse=inverse,
        on_progress=part(on_progress, 0.7, 1.0),
    )
    return world.finished(calibration, _card(world, recording, spec, result, facts)), result, judged


def play_scheme(spec: ActionSpec) -> str:
    """How a person gives such actions: `keys` for choices, `stick` for numbers around 0, and
    `pointer` for others, whose first two numbers are taken for a place in the picture."""
    if spec.is_discrete:
        return "keys"
    limits = zip(spec.low[:2], spec.high[:2], strict=True)
    return "stick" if spec.width < 2 or all(a < 0 < b for a, b in limits) else "pointer"


def _card(
    world: World,
    recording: Recording,
    spec: ActionSpec | None,
    result: SuiteResult,
    facts: Mapping[str, Any],
) -> str:
    names = "none" if spec is None else ", ".join(spec.names)
    parts = [
        f"# {world.name}",
        "",
        f"{world.num_parameters / 1e6:.2f} million parameters, {world.size_px}x{world.size_px} "
        f"pixels, {recording.fps:g} frames/s, {world.context} context frames. Driven by actions: "
        f"{names}. Its output is generated, never a recording.",
        "",
        "## Data",
        "",
        f"{recording.num_episodes - recording.num_held_out} recorded episodes; "
        f"{recording.num_held_out} more were held out ({facts['source']}).",
        "",
        *_told_of_actions(facts),
        f"Made by `{facts['command']}` (recipe {facts['recipe']}, seed {facts['seed']}, "
        f"{facts['machine']}).",
        "",
        "## Cost",
        "",
        *cost_lines(facts["ledgers"]),
        "",
        "## Metrics",
        "",
        f"{result.num_scenarios} clips of held-out episodes, rolled out frame by frame; mean and "
        "95 % interval.",
        "",
        *_tables(result),
        "## Limits",
        "",
        "- It knows one environment and nothing else; on other video its trust is low.",
        "- Where the recorded actions never led, it guesses. Rare events are learned least.",
        "- Errors add up: what is far beyond 24 frames was not measured here.",
    ]
    return "\n".join(parts) + "\n"


def _told_of_actions(facts: Mapping[str, Any]) -> list[str]:
    """Where actions come from, if not from recordings of what was done."""
    controller = facts.get("controller")
    if controller is None:
        return []
    return [
        f"It learned from video without actions; {controller['num_episodes']} episodes whose "
        f"actions are known ({controller['num_steps']} of them) say which latent action each "
        f"stands for, and explain {controller['explained']:.2f} of the variance of those.",
        "",
    ]


def _tables(result: SuiteResult) -> list[str]:
    lines = []
    for table in result.tables:
        unit = f", {table.unit}" if table.unit else ""
        lines += [f"{table.title}{unit}. {table.note}", ""]
        lines.append("| | " + " | ".join(table.columns) + " |")
        lines.append("|---" * (len(table.columns) + 1) + "|")
        for row in table.rows:
            told = [tell_cell(row.cells.get(column)) for column in table.columns]
            lines.append(f"| {row.name} | " + " | ".join(told) + " |")
        lines.append("")
    return lines
