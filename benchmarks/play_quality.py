"""Quality for cost: the bundled sandbox beside trained peers, and what costs nothing.

    OMP_NUM_THREADS=1 python benchmarks/play_quality.py --data out/sandbox --peers runs/peers
        [--clips 24]

`play_training` trains the peers. All continue the same clips of held-out episodes, frame by frame,
under their own actions and under those of another clip. Measured at +1, +8 and +24 frames: PSNR,
what the actions are worth (delta-PSNR), how far ball, box, plank and hand are from where they
should be (found by colour; what is not found counts as in the middle of the picture), and how many
are found; the scripted checks of `worldline.audit.scripts`; and the processor time of a frame, one
thread, one player, decoding included. The picture lies in `docs/play_cost.png`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import torch
from play_peers import DIAMOND_PAST, DiamondUNet, IrisSession
from play_training import NAMES, WIDTHS, as_numbers, load_peer
from record import write_record
from torch import Tensor

from worldline.audit.baselines import ConstantVelocityWarp
from worldline.audit.checks import run_checks
from worldline.audit.held_out import held_out_clips
from worldline.audit.scripts import SANDBOX_COLORS, SCRIPTS, find_color
from worldline.audit.thresholds import choose_thresholds
from worldline.audit.visual import psnr
from worldline.core.clip import Clip
from worldline.data.recorded import Recorded, open_recording
from worldline.train.precision import working_type
from worldline.world import World
from worldline.world.steps import at_steps

HORIZONS = (1, 8, 24)
CONTEXT = 8
PICTURE = Path(__file__).parents[1] / "docs" / "play_cost.png"

Rolls = Callable[[Sequence[Clip], np.ndarray, int], np.ndarray]
"""Of clips, actions `[C, T, A]` after each frame, and a seed, frames `[C, 24, h, w, 3]`."""


@dataclass(frozen=True)
class Player:
    """Something that continues clips.

    Attributes:
        rolls: see `Rolls`.
        step: makes a single frame and shows it; for the time that it takes.
        facts: to be noted beside its numbers.
    """

    rolls: Rolls
    step: Callable[[], object]
    facts: Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--world", default="sandbox")
    parser.add_argument("--clips", type=int, default=24)
    args = parser.parse_args()
    torch.set_num_threads(1)
    recording = open_recording(Recorded(folder=args.data))
    clips = held_out_clips(recording, size_px=64, context=CONTEXT, seed=0)
    half = min(len(clips) // 2, 48)
    chosen, judged = clips[:half], clips[half : half + args.clips]
    rows = {}
    for name, player in _players(args, chosen, judged[0]).items():
        rows[name] = {**measure(player, judged, judged), **_cost(player), **player.facts}
        print(name, rows[name], flush=True)
    rows["truth"] = {"checks": _checks(_truth(judged), judged)}
    facts = {"world": args.world, "clips": len(judged), "horizons": list(HORIZONS)}
    write_record("play_quality", {**facts, "rows": rows})
    draw(rows, PICTURE)


def _players(args: argparse.Namespace, chosen: Sequence[Clip], clip: Clip) -> dict[str, Player]:
    """All of them; `chosen` are clips that a shrinkage of changes may be chosen by."""
    players = {
        "copy-last": copy_last(clip),
        "flow warp": Player(
            lambda clips, actions, seed: np.stack(
                [ConstantVelocityWarp().predict(each.frames[:CONTEXT], 24, 0)[0] for each in clips]
            ),
            lambda: ConstantVelocityWarp().predict(clip.frames[:CONTEXT], 1, 0),
            {},
        ),
    }
    bundled = World.from_pretrained(args.world)
    learned = {"dynamics": bundled.calibration["ledgers"]["dynamics"]}
    for steps in (1, 2, 4):
        world = at_steps(bundled, steps)
        players[f"{args.world}, K = {steps}"] = of_world(world, clip, learned)
    for name in NAMES:
        told = args.peers / f"{name}.json"
        if not told.is_file():
            print(f"{name} is not trained yet")
            continue
        facts = json.loads(told.read_text())
        if name == "ours":
            world = World.from_pretrained(args.peers / name / "world")
            world = choose_thresholds(world, chosen[:8], seed=0)
            minutes = facts["dynamics"]["processor_s"] / 60
            players[f"the recipe, {minutes:.0f} minutes"] = of_world(world, clip, facts)
            continue
        assert clip.actions is not None
        parts: dict[str, Any] = load_peer(name, args.peers, clip.actions.shape[1])
        if name in WIDTHS:
            title = f"DIAMOND's U-Net, {WIDTHS[name]} channels, 3 steps"
            players[title] = _of_unet(parts["unet"], clip, facts)
        else:
            title = "IRIS' tokens and transformer"
            players[title] = _of_iris(parts, clip, facts)
    return players


def copy_last(clip: Clip) -> Player:
    """Nothing moves any more."""

    def rolls(clips: Sequence[Clip], actions: np.ndarray, seed: int) -> np.ndarray:
        last = np.stack([each.frames[CONTEXT - 1 : CONTEXT] for each in clips])
        return np.repeat(last, max(HORIZONS), axis=1)

    return Player(rolls, clip.frames[CONTEXT - 1].copy, {})


def of_world(world: World, clip: Clip, facts: Mapping[str, Any]) -> Player:
    """Sessions of a world."""

    def rolls(clips: Sequence[Clip], actions: np.ndarray, seed: int) -> np.ndarray:
        films = []
        for i, (each, given) in enumerate(zip(clips, actions, strict=True)):
            session = world.open(each.slice(0, CONTEXT), seed=seed + i)
            ahead = given[CONTEXT - 1 : CONTEXT - 1 + max(HORIZONS)]
            films.append(np.stack([session.step(action) for action in ahead]))
        return np.stack(films)

    session = world.open(clip.slice(0, CONTEXT), seed=0)
    still = np.zeros(world.action_size, np.float32)
    return Player(rolls, lambda: session.step(still), facts)


def _of_unet(unet: DiamondUNet, clip: Clip, facts: Mapping[str, Any]) -> Player:
    dtype = working_type(True, "cpu")
    unet = unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def frame(past: Tensor, told: Tensor, generator: torch.Generator) -> Tensor:
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            made = unet.frame(past, told, generator)
        return as_numbers(as_pictures(made))

    def rolls(clips: Sequence[Clip], actions: np.ndarray, seed: int) -> np.ndarray:
        generator = torch.Generator().manual_seed(seed)
        seen = _stack(clips)[:, CONTEXT - DIAMOND_PAST : CONTEXT]
        past, given = as_numbers(seen).flatten(1, 2), torch.from_numpy(actions)
        made = []
        for t in range(CONTEXT, CONTEXT + max(HORIZONS)):
            told = given[:, t - DIAMOND_PAST : t].flatten(1)
            made.append(frame(past, told, generator))
            past = torch.cat([past[:, 3:], made[-1]], dim=1)
        return as_pictures(torch.stack(made, dim=1)).numpy()

    past = as_numbers(_stack([clip])[:, :DIAMOND_PAST]).flatten(1, 2)
    told, noise = torch.zeros(1, unet.act.in_features), torch.Generator()
    return Player(rolls, lambda: as_pictures(frame(past, told, noise)), facts)


def _of_iris(parts: Mapping[str, Any], clip: Clip, facts: Mapping[str, Any]) -> Player:
    tokenizer, transformer = parts["tokenizer"], parts["transformer"]

    @torch.no_grad()
    def opened(clips: Sequence[Clip], actions: Tensor) -> IrisSession:
        seen = as_numbers(_stack(clips)[:, :CONTEXT])
        tokens = tokenizer.read(seen.flatten(0, 1)).unflatten(0, seen.shape[:2])
        led = torch.cat([torch.zeros_like(actions[:, :1]), actions[:, : CONTEXT - 1]], dim=1)
        return IrisSession(tokenizer, transformer, tokens, led)

    @torch.no_grad()
    def rolls(clips: Sequence[Clip], actions: np.ndarray, seed: int) -> np.ndarray:
        given = torch.from_numpy(actions)
        session = opened(clips, given)
        ahead = range(CONTEXT - 1, CONTEXT - 1 + max(HORIZONS))
        made = [session.frame(given[:, t]) for t in ahead]
        return as_pictures(torch.stack(made, dim=1)).numpy()

    with torch.no_grad():
        drawn = as_pictures(tokenizer.draw(tokenizer.read(as_numbers(_stack([clip])[0]))))
    facts = {**facts, "tokenizer_psnr": _round(psnr(drawn.numpy(), clip.frames).mean())}
    still = torch.zeros(1, transformer.act.in_features)
    session = opened([clip], torch.zeros(1, CONTEXT, still.shape[1]))
    return Player(rolls, lambda: as_pictures(session.frame(still)), facts)


def _stack(clips: Sequence[Clip]) -> Tensor:
    return torch.from_numpy(np.stack([clip.frames for clip in clips]))


def as_pictures(numbers: Tensor) -> Tensor:
    """The way back of `as_numbers`."""
    return ((numbers.movedim(-3, -1) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def _truth(clips: Sequence[Clip]) -> np.ndarray:
    return np.stack([clip.frames[CONTEXT : CONTEXT + max(HORIZONS)] for clip in clips])


def measure(player: Player, clips: Sequence[Clip], true: Sequence[Clip]) -> dict[str, Any]:
    """Quality and control; `true` are the clips with what was really done, for the checks."""
    actions = np.stack([clip.actions for clip in clips if clip.actions is not None])
    actions = actions.astype(np.float32)
    swapped = actions.copy()
    swapped[:, CONTEXT - 1 :] = np.roll(actions, -1, axis=0)[:, CONTEXT - 1 :]
    truth = _truth(clips)
    own, other = player.rolls(clips, actions, 0), player.rolls(clips, swapped, 0)
    at = np.array(HORIZONS) - 1
    quality = np.stack([psnr(*pair)[at] for pair in zip(own, truth, strict=True)])
    swayed = np.stack([psnr(*pair)[at] for pair in zip(other, truth, strict=True)])
    apart, found = zip(
        *(_places(a[at], b[at]) for a, b in zip(own, truth, strict=True)), strict=True
    )
    return {
        "psnr_db": _told(quality),
        "delta_psnr_db": _told(quality - swayed),
        "position_px": _told(np.stack(apart)),
        "found": _told(np.stack(found)),
        "checks": _checks(own, true),
    }


def _places(frames: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of single frames `[H]`: mean distance of the things that the truth shows, and the share of
    them that is found."""
    apart, found = [], []
    for frame, true in zip(frames, truth, strict=True):
        far, seen = [], []
        for colors in SANDBOX_COLORS.values():
            wanted, told = find_color(true, colors), find_color(frame, colors)
            if wanted is None:
                continue
            seen.append(told is not None)
            far.append(np.hypot(*((0.5, 0.5) if told is None else told) - wanted) * frame.shape[1])
        apart.append(np.mean(far))
        found.append(np.mean(seen))
    return np.array(apart), np.array(found)


def _checks(films: np.ndarray, clips: Sequence[Clip]) -> float:
    """Share of recorded stretches in which keys do what they must; mean of the checks."""
    openings = np.stack([clip.frames[CONTEXT - 1 : CONTEXT] for clip in clips])
    rows = {"truth": _truth(clips), "made": films}
    rows = {name: np.concatenate([openings, film], axis=1) for name, film in rows.items()}
    span = slice(CONTEXT - 1, CONTEXT - 1 + max(HORIZONS))
    actions = np.stack([clip.actions[span] for clip in clips if clip.actions is not None])
    found = run_checks(SCRIPTS["worldline/Sandbox-v0"], rows, actions, {}, clips, seed=0)
    return _round(np.mean([each.recorded["made"].mean() for each in found]))


def _cost(player: Player) -> dict[str, float]:
    times = []
    for _ in range(44):
        start = process_time()
        player.step()
        times.append(process_time() - start)
    middle = 1e3 * median(times[4:])
    return {"ms_a_frame": round(middle, 3), "frames_per_s": round(1e3 / max(middle, 1e-3), 1)}


def _told(values: np.ndarray) -> dict[str, list[float]]:
    """Mean over clips `[C, H]` and 95 % interval of its bootstrap, by horizon."""
    pick = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    drawn = values[pick].mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    rows = zip(HORIZONS, values.mean(axis=0), low, high, strict=True)
    return {f"+{h}": [_round(each) for each in numbers] for h, *numbers in rows}


def _round(value: Any) -> float:
    return round(float(value), 2)


def draw(rows: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Position error and PSNR at +8 over the time of a frame; who is on the front is joined."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    told = (("position_px", "px off at +8 (lower is better)", 1), ("psnr_db", "PSNR at +8, dB", -1))
    named = {name: row for name, row in rows.items() if "ms_a_frame" in row}
    for axes, (key, label, sign) in zip(panels, told, strict=True):
        points = {
            name: (max(row["ms_a_frame"], 0.01), row[key]["+8"][0]) for name, row in named.items()
        }
        front, best = [], np.inf
        for cost, value in sorted(points.values()):
            if sign * value < best:
                best = sign * value
                front.append((cost, value))
        axes.plot(*zip(*front, strict=True), color="0.8", zorder=1)
        for number, (name, point) in enumerate(points.items()):
            axes.scatter(*point, color=f"C{number}", zorder=2, label=name)
        axes.set(xscale="log", xlabel="processor time of a frame, ms", ylabel=label)
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=6, loc="best")
    figure.savefig(path)


if __name__ == "__main__":
    main()
