"""Train the peers of `play_peers`, and the bundled recipe, for the same processor time each.

    OMP_NUM_THREADS=1 python benchmarks/play_training.py --data out/sandbox --out runs/peers
        [--minutes 10] [--only unet unet-half iris ours]

One thread. Each learns from the same clips (those that `worldline train play` draws) until its
processor time is spent; checkpoints are written every half minute of it, and starting again goes on
where a run stopped. What each saw and spent is noted in `NAME.json` beside its weights.
`play_quality` compares them.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from play_peers import (
    DIAMOND_PAST,
    IRIS_FRAMES,
    DiamondUNet,
    IrisTokenizer,
    IrisTransformer,
)
from torch import Tensor, nn

from worldline.data.recorded import Recorded, open_recording
from worldline.data.shards import Shards
from worldline.train import Recipe, load_recipe, train_world
from worldline.train.precision import working_type

NAMES = ("unet", "unet-half", "iris", "ours")
WIDTHS = {"unet": 64, "unet-half": 32}
TOKENIZER_WIDTH = 32
"""Half the width of the paper, whose tokenizer would see a few thousand frames in that time."""
CHECKPOINT_S = 30.0
_RATE, _WARM = 1e-3, 0.03


@dataclass(frozen=True)
class Part:
    """What is trained in one go.

    Attributes:
        module: its weights.
        batch: of a number of clips `[B, T, h, w, 3]` and actions `[B, T, A]` (after each frame),
            the loss; draws from the generator.
        length: T.
        clips: B.
        frames: that a batch learns to make.
        share: of the whole time.
    """

    module: nn.Module
    loss: Callable[[Tensor, Tensor, torch.Generator], Tensor]
    length: int
    clips: int
    frames: int
    share: float


def as_numbers(frames: Tensor) -> Tensor:
    """Pictures `[..., h, w, 3]` in 0 .. 255 to `[..., 3, h, w]` in [-1, 1]."""
    return frames.float().movedim(-1, -3) / 127.5 - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", nargs="+", default=list(NAMES), choices=NAMES)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    recording = open_recording(Recorded(folder=args.data))
    shards = recording.write(args.out / "data", 64)
    for name in args.only:
        told = args.out / f"{name}.json"
        if told.is_file():
            continue
        if name == "ours":
            recipe = partial(ours, args.data)
            budget_s = args.minutes * 60
            spent = train_timed(recipe, {"dynamics": 1.0}, args.out / name, budget_s)
        else:
            spent = train_peer(name, shards, args.out, args.minutes * 60)
        told.write_text(json.dumps(spent, indent=1) + "\n")
        print(name, spent)


def peer(name: str, action_size: int) -> dict[str, nn.Module]:
    """Untrained parts of a peer, by name; weights of a fixed seed."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if name in WIDTHS:
            return {"unet": DiamondUNet(action_size, WIDTHS[name])}
        parts = IrisTokenizer(TOKENIZER_WIDTH), IrisTransformer(action_size)
        return dict(zip(("tokenizer", "transformer"), parts, strict=True))


def load_peer(name: str, folder: Path, action_size: int) -> dict[str, nn.Module]:
    """Trained parts of a peer."""
    parts = peer(name, action_size)
    for key, module in parts.items():
        state = torch.load(folder / f"{name}.{key}.pt", weights_only=True)
        module.load_state_dict(state["average"])
        module.eval()
    return parts


def train_peer(name: str, shards: Shards, folder: Path, budget_s: float) -> dict[str, Any]:
    """Train a peer's parts one after the other; what each of them cost."""
    spent = {}
    modules = peer(name, shards.actions.shape[-1])
    for key, part in _parts(name, modules).items():
        file = folder / f"{name}.{key}.pt"
        spent[key] = _train(part, shards, file, budget_s * part.share)
        part.module.load_state_dict(torch.load(file, weights_only=True)["average"])
    return spent


def _parts(name: str, modules: dict[str, Any]) -> dict[str, Part]:
    if name in WIDTHS:
        unet: DiamondUNet = modules["unet"]

        def denoise(frames: Tensor, actions: Tensor, generator: torch.Generator) -> Tensor:
            seen = as_numbers(frames)
            past = seen[:, :-1].flatten(1, 2)
            return unet.loss(seen[:, -1], past, actions[:, :-1].flatten(1), generator)

        return {"unet": Part(unet, denoise, DIAMOND_PAST + 1, 16, 16, 1.0)}
    tokenizer, transformer = modules["tokenizer"], modules["transformer"]

    def code(frames: Tensor, actions: Tensor, generator: torch.Generator) -> Tensor:
        return tokenizer.loss(as_numbers(frames[:, 0]), generator)

    def tell(frames: Tensor, actions: Tensor, generator: torch.Generator) -> Tensor:
        with torch.no_grad():
            tokens = tokenizer.read(as_numbers(frames).flatten(0, 1))
        led = torch.cat([torch.zeros_like(actions[:, :1]), actions[:, :-1]], dim=1)
        return transformer.loss(tokens.unflatten(0, frames.shape[:2]), led)

    return {
        "tokenizer": Part(tokenizer, code, 1, 16, 16, 0.5),
        "transformer": Part(transformer, tell, IRIS_FRAMES, 4, 4 * IRIS_FRAMES, 0.5),
    }


def _train(part: Part, shards: Shards, file: Path, budget_s: float) -> dict[str, Any]:
    """AdamW, a warm-up and half a cosine over the processor time, an average of the weights."""
    module = part.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(module.parameters(), _RATE, weight_decay=0.01)
    average = {name: value.clone() for name, value in module.state_dict().items()}
    step, spent = 0, 0.0
    if file.is_file():
        state = torch.load(file, weights_only=True)
        module.load_state_dict(state["module"])
        optimiser.load_state_dict(state["optimiser"])
        average, step, spent = state["average"], state["step"], state["spent_s"]
    dtype = working_type(True, "cpu")
    kept, losses = spent, []
    while spent < budget_s:
        start = process_time()
        done = spent / budget_s
        rate = min(done / _WARM, 1.0) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = _RATE * max(rate, 1e-3)
        generator = torch.Generator().manual_seed(step)
        frames, actions = _draw(shards, step, part, generator)
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            loss = part.loss(frames, actions, generator)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        step += 1
        weight = max(1 / step, 0.01)
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, weight)
        losses.append(float(loss.detach()))
        spent += process_time() - start
        if spent - kept > CHECKPOINT_S or spent >= budget_s:
            kept = spent
            state = {"module": module.state_dict(), "optimiser": optimiser.state_dict()}
            state |= {"average": average, "step": step, "spent_s": spent}
            torch.save(state, file.with_suffix(".partial"))
            file.with_suffix(".partial").replace(file)
            print(f"{file.name}: step {step}, {spent:.0f} s, loss {np.mean(losses):.4f}")
            losses = []
    return {
        "steps": step,
        "frames_learned": step * part.frames,
        "processor_s": round(spent, 1),
        "parameters": sum(p.numel() for p in module.parameters()),
    }


def _draw(
    shards: Shards, step: int, part: Part, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    chosen = shards.order(0, step * part.clips, part.clips)
    most = shards.frames.shape[1] - part.length
    starts = torch.randint(most + 1, (part.clips,), generator=generator).tolist()
    spans = [(clip, slice(at, at + part.length)) for clip, at in zip(chosen, starts, strict=True)]
    frames = np.stack([shards.frames[clip, span] for clip, span in spans])
    actions = np.stack([shards.actions[clip, span] for clip, span in spans])
    return torch.from_numpy(frames), torch.from_numpy(actions).float()


def ours(data: str, steps: Mapping[str, int], size_px: int = 64) -> Recipe:
    """The bundled recipe, of so many steps for its dynamics and without its rewards."""
    full = load_recipe("play", None, Path(data), steps["dynamics"])
    stages = tuple(stage for stage in full.stages if stage.name != "reward")
    world: Any = full.world
    tokenizer = replace(world.tokenizer, size_px=size_px)
    rows = size_px // tokenizer.patch_px
    parts = {name: replace(getattr(world, name), rows=rows) for name in ("dynamics", "readout")}
    world = replace(world, tokenizer=tokenizer, reward=None, **parts)
    return replace(full, stages=stages, world=world)


def train_timed(
    make: Callable[[Mapping[str, int]], Recipe], shares: Mapping[str, float], folder: Path, s: float
) -> dict[str, Any]:
    """As many steps of each stage as there is time for, by what a few of them take.

    The numbers are kept in the run's folder, so that a run that goes on has the same schedule.

    Args:
        make: the recipe, of the steps of its stages.
        shares: of the processor time, by stage.
        folder: of the run.
        s: processor time in seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = folder / "plan.json"
    if not plan.is_file():
        times = _step_times(make(dict.fromkeys(shares, 12)), folder / "pilot")
        steps = {name: int(share * s / times[name]) for name, share in shares.items()}
        plan.write_text(json.dumps(steps))
    steps = json.loads(plan.read_text())
    recipe = make(steps)
    start = process_time()
    world, ledgers = train_world(recipe, folder)
    world.save(folder / "world")
    spent = process_time() - start
    batches = {stage.name: stage.batch * stage.length for stage in recipe.stages}
    return {
        name: {
            "steps": ledgers[name].steps,
            "frames_learned": ledgers[name].steps * batches[name],
            "processor_s": round(spent, 1),
        }
        for name in shares
    }


def _step_times(recipe: Recipe, folder: Path) -> dict[str, float]:
    times: dict[str, list[float]] = {}

    def note(stage: str, step: int, steps: int, losses: Any) -> None:
        times.setdefault(stage, []).append(process_time())

    train_world(recipe, folder, on_step=note)
    return {stage: float(np.median(np.diff(each)[3:])) for stage, each in times.items()}


if __name__ == "__main__":
    main()
