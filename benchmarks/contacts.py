"""Do bodies go where the hand pushes them, in the sandbox as a world imagines it?

    OMP_NUM_THREADS=1 python benchmarks/contacts.py --data out/sandbox [--worlds sandbox ...]
        [--thresholds own 0.1:0 0.1:0.4] [--episodes 16] [--record contacts]

Held-out episodes are cut where a body that lies still begins to move, and are played from four
frames before that on under their own actions. Ways of bodies are read off the pictures by colour,
true and imagined alike, from the last frame that is given to 8 and 24 frames later, in shares of
the picture's side. Of the bodies that the recorded state calls pushed (still before, farther than a
twentieth of the side afterwards) the true way and the world's along it are printed, and the
correlation of ways to the right and up over all bodies, still ones included; of the still ones, how
far they stray. Copying the last frame moves nothing: its way is 0 and its correlation is none.
Every world plays with every pair of thresholds of change (`FlowDynamics.Config.shrinkage` and
`onset`), in one batch each, from the same moments, with the same seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit.long_play import actions_after, play_together
from worldline.audit.scripts import SANDBOX_COLORS, find_color
from worldline.audit.visual import psnr
from worldline.core.clip import Clip
from worldline.data.recorded import Recorded, open_recording
from worldline.dynamics import FlowDynamics
from worldline.sim.sandbox import BODIES, WORLD_M
from worldline.world import World

MARKS = (8, 24)
_LEAD = 4
"""Frames between the last one given and the first in which a body moves, at most."""
_STILL, _PUSHED = 0.003, 0.05
"""In shares of the side: way in a frame of what lies still, and least way of what is pushed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--worlds", nargs="+", default=["sandbox"])
    parser.add_argument("--episodes", type=int, default=16)
    parser.add_argument("--thresholds", nargs="+", default=["own"])
    parser.add_argument("--record", help="name of the result")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, Any] = {}
    worlds = {name: World.from_pretrained(name) for name in args.worlds}
    first = next(iter(worlds.values()))
    clips = moments(args.data, first.size_px, first.context, args.episodes)
    films = [clip.frames[first.context - 1 :] for clip in clips]
    given = actions_after(clips, first.context)
    for name, world in worlds.items():
        for asked in args.thresholds:
            played = sampled(world, asked)
            made = np.stack(list(play_together(played, clips, given, seed=0)), axis=1)
            row = f"{name}, {asked}"
            rows[row] = judge(clips, films, made, world.context)
            print(row, rows[row], flush=True)
    if args.record:
        facts = {"episodes": args.episodes, "moments": len(clips), "marks": list(MARKS)}
        write_record(args.record, {**facts, "rows": rows})


def sampled(world: World, thresholds: str) -> World:
    """The world with other thresholds of change, `SHRINKAGE:ONSET`, or its `own`."""
    if thresholds == "own":
        return world
    dynamics = world.dynamics
    assert isinstance(dynamics, FlowDynamics)
    shrinkage, onset = map(float, thresholds.split(":"))
    whole = replace(world.whole, dynamics=dynamics.sampled(shrinkage=shrinkage, onset=onset))
    return World(world.config, whole, world.calibration, world.card)


def moments(data: str, size_px: int, context: int, episodes: int) -> list[Clip]:
    """Clips in which a body that lay still is moved, at most four of an episode."""
    recording = open_recording(Recorded(folder=data))
    length, found = context + max(MARKS), []
    whole = recording.clips(size_px, held_out=True, num_frames=100)
    for number, clip in enumerate(whole):
        if number == episodes:
            break
        places = body_places(clip)
        speed = np.hypot(*np.diff(places, axis=0).transpose(2, 0, 1))
        earliest = 0
        for start in range(clip.num_frames - length + 1):
            last = start + context - 1
            calm = (speed[last - 3 : last] < _STILL).all(axis=0)
            moved = (speed[last + 1 : last + _LEAD] > _STILL).any(axis=0)
            far = np.hypot(*(places[last + max(MARKS)] - places[last]).T) > _PUSHED
            if start >= earliest and (calm & moved & far).any():
                found.append(clip.slice(start, start + length))
                earliest = start + max(MARKS) // 2
    return found


def body_places(clip: Clip) -> np.ndarray:
    """Of T frames, where the bodies are `[T, 3, 2]` by the recorded state: right and up, in shares
    of the side."""
    assert clip.state is not None
    values = clip.state.values[:, : 3 * len(BODIES)].reshape(clip.num_frames, len(BODIES), 3)
    return values[..., :2] / WORLD_M


def seen_places(film: np.ndarray) -> np.ndarray:
    """The same, read off pictures; what is not found is where it was seen last."""
    rows = []
    for name in BODIES:
        now, row = np.full(2, np.nan), []
        for frame in film:
            place = find_color(frame, SANDBOX_COLORS[name])
            now = now if place is None else np.array([place[0], 1 - place[1]])
            row.append(now)
        rows.append(row)
    return np.array(rows).swapaxes(0, 1)


def judge(
    clips: Sequence[Clip], films: Sequence[np.ndarray], made: np.ndarray, context: int
) -> dict[str, Any]:
    """Ways of bodies in imagined frames `[C, N, h, w, 3]` beside those of true ones."""
    out: dict[str, Any] = {}
    pairs = list(zip(clips, films, made, strict=True))
    for mark in MARKS:
        true, own, pushed, still = [], [], [], []
        for clip, film, each in pairs:
            places = body_places(clip)[context - 1 :]
            speed = np.hypot(*np.diff(body_places(clip), axis=0).transpose(2, 0, 1))
            calm = (speed[context - 4 : context - 1] < _STILL).all(axis=0)
            far = np.hypot(*(places[mark] - places[0]).T)
            seen = seen_places(film[: mark + 1])
            shown = seen_places(np.concatenate([film[:1], each[:mark]]))
            true.append(seen[mark] - seen[0])
            own.append(shown[mark] - shown[0])
            pushed.append(calm & (far > _PUSHED))
            still.append(calm & (speed[context - 1 : context - 1 + mark] < _STILL).all(axis=0))
        ways, shown = np.concatenate(true), np.concatenate(own)
        at = np.concatenate(pushed) & np.isfinite(ways + shown).all(axis=-1)
        calm = np.concatenate(still) & np.isfinite(shown).all(axis=-1)
        size = np.hypot(*ways[at].T)
        along = (ways[at] * shown[at]).sum(axis=-1) / np.maximum(size, 1e-6)
        any_way = np.isfinite(ways + shown).all(axis=-1)
        out[f"+{mark}"] = {
            "pushed": int(at.sum()),
            "true_way": _round(size.mean()),
            "way": _round(along.mean()),
            "error": _round(np.hypot(*(ways - shown)[at].T).mean()),
            "correlation_right": _correlate(ways[any_way, 0], shown[any_way, 0]),
            "correlation_up": _correlate(ways[any_way, 1], shown[any_way, 1]),
            "still": int(calm.sum()),
            "still_way": _round(np.hypot(*shown[calm].T).mean()) if calm.any() else None,
            "psnr_db": _round(np.mean([psnr(each, film[1:])[mark - 1] for _, film, each in pairs])),
        }
    return out


def _correlate(a: np.ndarray, b: np.ndarray) -> float | None:
    return None if min(a.std(), b.std()) == 0 else _round(np.corrcoef(a, b)[0, 1])


def _round(value: Any) -> float:
    return round(float(value), 3)


if __name__ == "__main__":
    main()
