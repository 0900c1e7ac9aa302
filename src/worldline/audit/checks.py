"""Scripted checks of control: press left, and see whether the agent moves left.

What must happen is written down in `worldline.audit.scripts`. Each rule is asked twice: of held-out
recordings and of rollouts under the same actions, wherever these happen to ask for it, so that the
truth is a ceiling through the same instrument; and of openings from which the action is held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from worldline.audit.control import play_clip
from worldline.audit.scripts import SCRIPTS, Known, Script
from worldline.core.clip import Clip
from worldline.world import World

__all__ = [
    "CheckResult",
    "check_world",
    "environment_of",
    "hold_script",
    "known_of",
    "name_environment",
    "run_checks",
]


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What was found for one script.

    Attributes:
        script: its name.
        recorded: by name of a row, `[W]` of the W stretches of recorded actions that ask for it:
            1 where it happened, else 0.
        held: by name of a row, `[C]` of openings from which the action was held; NaN where the
            opening does not show what is looked for.
    """

    script: str
    recorded: Mapping[str, Float[np.ndarray, " w"]]
    held: Mapping[str, Float[np.ndarray, " c"]]


def environment_of(clip: Clip) -> str:
    """Id of the environment that a clip was recorded in, as far as its provenance tells."""
    return (clip.provenance.source or "").rpartition(":")[2]


def name_environment(world: World, clips: Sequence[Clip]) -> str:
    """Id of the environment that a world learned, or that clips come from."""
    return world.calibration.get("play", {}).get("environment") or environment_of(clips[0])


def known_of(world: World, clips: Sequence[Clip]) -> Known | None:
    """What is known of that environment."""
    return SCRIPTS.get(name_environment(world, clips))


def run_checks(
    known: Known,
    films: Mapping[str, UInt8[np.ndarray, "c t h w 3"]],
    actions: Float[np.ndarray, "c n a"],
    worlds: Mapping[str, World],
    clips: Sequence[Clip],
    *,
    seed: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> list[CheckResult]:
    """Ask for everything that is known.

    Args:
        known: of the environment.
        films: of the same N steps by name of a row, T = N + 1; "truth" among them. Stretches in
            which the truth does not show what is looked for are left out.
        actions: that were taken in them.
        worlds: by name of a row, that are made to hold actions.
        clips: whose first frames are the openings.
        seed: of the worlds' noise.
        on_progress: told the share of the scripts that is done.
    """
    found = []
    for script in known.scripts:
        recorded: dict[str, list[float]] = {name: [] for name in films}
        for c, t in _stretches(script, actions):
            given = actions[c, t : t + script.steps]
            span = slice(t, t + script.steps + 1)
            if np.isnan(script.happened(films["truth"][c, span], given)):
                continue
            for name, rows in recorded.items():
                rows.append(float(np.nan_to_num(script.happened(films[name][c, span], given))))
        held = {
            name: np.array(
                [hold_script(world, clip, script, seed + i) for i, clip in enumerate(clips)]
            )
            for name, world in worlds.items()
        }
        kept = {name: np.array(rows) for name, rows in recorded.items()}
        found.append(CheckResult(script.name, kept, held))
        on_progress(len(found) / len(known.scripts))
    return found


def check_world(
    known: Known, world: World, clips: Sequence[Clip], *, seed: int, horizon: int = 16
) -> list[CheckResult]:
    """The same for a world alone, beside the truth; its own rollouts are called "true actions".

    Args:
        known: of the environment.
        world: that takes actions.
        clips: with actions, of `world.context` + `horizon` frames at least.
        seed: of its noise.
        horizon: frames that clips are continued by.
    """
    first, stop = world.context - 1, world.context + horizon
    truth = np.stack([clip.frames[first:stop] for clip in clips])
    drawn = [play_clip(world, clip, seed + i, horizon) for i, clip in enumerate(clips)]
    films = {"truth": truth, "true actions": np.concatenate([truth[:, :1], np.stack(drawn)], 1)}
    actions = [clip.actions[first : stop - 1] for clip in clips if clip.actions is not None]
    worlds = {"true actions": world}
    return run_checks(known, films, np.stack(actions), worlds, clips, seed=seed)


def _stretches(script: Script, actions: Float[np.ndarray, "c n a"]) -> list[tuple[int, int]]:
    """Clip and first step of stretches that ask for it; those of a clip do not overlap."""
    found = []
    for c, each in enumerate(actions):
        t = 0
        while t + script.steps <= len(each):
            asked = script.asks(each[t : t + script.steps])
            if asked:
                found.append((c, t))
            t += script.steps if asked else 1
    return found


def hold_script(world: World, clip: Clip, script: Script, seed: int) -> float:
    """Whether it happens where a session holds the action from a clip's first frames on."""
    given = np.repeat(np.array([script.action], np.float32), script.steps, axis=0)
    opening = clip.slice(0, world.context)
    session = world.open(replace(opening, scene=None), seed=seed)
    film = np.stack([opening.frames[-1], *(session.step(action) for action in given)])
    return script.happened(film, given)
