"""The card of a world: data, cost, metrics, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from worldline.audit.prediction import PredictionTable

if TYPE_CHECKING:
    from worldline.world import World

__all__ = ["cost_lines", "families_on", "write_card"]

_SHARES_OF = "in equal shares of: "


_WITH_PATHS = (
    "A forecast of the world carries the pixels that move along forecast trajectories "
    "(`trajectories alone`) and corrects the result by what the latent dynamics say (`network "
    "alone`), where the correction is large enough (limits chosen on other held-out clips). "
)
_WITH_BODIES = (
    "Bodies of one colour on plain ground, whose paths are known well enough, are carried as a "
    "whole by learned mechanics instead. "
)
_WITHOUT_PATHS = (
    "A forecast of the world is the last frame, corrected by what the latent dynamics say. "
)


def write_card(
    world: World, table: PredictionTable, facts: Mapping[str, Any], families: Sequence[str]
) -> str:
    """Markdown of what a user should know before believing the world.

    Args:
        world: calibrated.
        table: held-out evaluation.
        facts: of the training run: "command", "recipe", "seed", "machine", "ledgers", "reused"
            (parts taken over from another world), "clips" (the set of clips that each stage learned
            from) and "data" (number of clips in each set).
        families: simulator families of the data.
    """
    parts = [
        f"# {world.name}",
        "",
        f"{world.num_parameters / 1e6:.2f} million parameters, {world.size_px}x{world.size_px} "
        f"pixels, frame spacing {world.config.step_min_s:.3f} to {world.config.step_max_s:.3f} s, "
        f"{world.context} context frames. Its output is generated, never a recording.",
        "",
        "## Data",
        "",
        f"Simulated clips of 32 frames {_SHARES_OF}{', '.join(families)}. "
        "Colours, shapes, counts, camera, light and background are random "
        f"per clip. {_shares(facts['clips'], facts['data'])} No real video was used.",
        "",
        f"Made by `{facts['command']}` (recipe {facts['recipe']}, seed {facts['seed']}, "
        f"{facts['machine']}).",
        *_reused(facts["reused"]),
        "",
        "## Cost",
        "",
        *cost_lines(facts["ledgers"]),
        "",
        "## Metrics",
        "",
        "Held-out clips: the ranges of training, other seeds. +n is n frames after the last "
        "context frame. Only the first sample is judged. Object recall and position error are "
        "measured in the predicted pixels by an extractor that knows no model. `recall` counts "
        "what is within about its own width of the truth, `recall iou50` what overlaps the true "
        "silhouette with an intersection over union of at least 1/2, `recall hota` averages that "
        "over thresholds from .05 to .95; a missed object counts its whole search radius in the "
        "penalised error. `copy-last` repeats the last frame, `flow-warp` moves every pixel on "
        "along its optical flow, `truth` are the true frames through the same instruments. "
        f"{_WITHOUT_PATHS if world.trajectory is None else _WITH_PATHS}"
        f"{'' if world.bodies is None else _WITH_BODIES}"
        "`untrained` is the world before training.",
        "",
        table.to_markdown(),
        "",
        "## Limits",
        "",
        "- Trained on simulated scenes of simple bodies only. On real footage its forecasts are "
        "not to be relied on; its trust score says so.",
        "- It has no notion of cuts, moving cameras, people or animals.",
        "- Fine texture that moves is lost; texture that stays is copied from the last frame.",
        "- Forecasts beyond 24 frames were not trained for.",
    ]
    return "\n".join(parts) + "\n"


def families_on(card: str) -> tuple[str, ...]:
    """Simulator families that a card of `write_card` says its world was trained on; maybe none."""
    _, _, rest = card.partition(_SHARES_OF)
    names, end, _ = rest.partition(". ")
    return tuple(names.split(", ")) if end else ()


def _shares(clips: Mapping[str, str], data: Mapping[str, int]) -> str:
    """Who learned from how many clips, as "Clips per stage: 9 for tokenizer and dynamics."."""
    users: dict[str, list[str]] = {}
    for stage, name in clips.items():
        users.setdefault(name, []).append(stage)
    parts = [f"{data[name]} for {' and '.join(stages)}" for name, stages in users.items()]
    return f"Clips per stage: {', '.join(parts)}."


def _reused(parts: Sequence[str]) -> list[str]:
    if not parts:
        return []
    return [f"Taken over from an earlier run of the same stages: {', '.join(parts)}."]


def cost_lines(ledgers: Mapping[str, Mapping[str, float]]) -> list[str]:
    """A table of what each stage cost."""
    lines = [
        "| stage | steps | frames seen | PFLOP | wall time | GFLOP/s |",
        "|---|---|---|---|---|---|",
    ]
    for name, ledger in ledgers.items():
        rate = ledger["flop"] / max(ledger["wall_s"], 1e-9) / 1e9
        lines.append(
            f"| {name} | {ledger['steps']} | {ledger['frames_seen']} | {ledger['flop'] / 1e15:.3f} "
            f"| {ledger['wall_s'] / 60:.1f} min | {rate:.0f} |"
        )
    return lines
