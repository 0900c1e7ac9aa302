"""Claim: at equal compression and training budget, `VideoTokenizer` beats Cosmos' architecture.

    OMP_NUM_THREADS=1 python benchmarks/tokenizer.py [--seconds 240] [--frames 17] [--only NAME...]

The goal: a higher PSNR at one tenth of the time per frame. The other side is the architecture of
NVIDIA's Cosmos tokenizer (2025, arXiv 2501.03575) as `diffusers` has it, `AutoencoderKLCosmos`,
with random weights and a quarter (and half) of its published widths: the published 90 M parameters
would hardly take a step. It is not in the project's requirements: pip install "diffusers==0.42.1".

Everybody learns from the same simulated clips, by the same loss (L1 and image gradients) and for
the same processor time, generation of the clips not counted; held-out clips are then encoded and
decoded. Each learns in the number type that is faster for it. Ours compute in bfloat16 on fp32
weights where the processor has it, as `worldline train` does; PyTorch has no bfloat16 kernel on CPU
for Cosmos' pooling, so it learns in fp32. Times are processor times of encoding and decoding one
clip, in both types if they work. "start" is the PSNR without any training: ours begins as a cosine
transform, Cosmos as a Haar transform and random weights; "moving" counts moving objects' pixels
alone. Learning rates are those that did best in short runs. Rows of image tokenizers and codes
stand beside, at other compressions. `--only` measures some rows; those of the last record stay if
it has the same settings and day.
"""

from __future__ import annotations

import argparse
import copy
import math
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from einops import rearrange
from record import rows_of_today, write_record
from torch import Tensor, nn

from worldline.audit.visual import psnr, ssim
from worldline.data.shards import Shards, write_shards
from worldline.sim import FAMILIES, Split, make_clips
from worldline.tokenizer import (
    ContinuousTokenizer,
    DiscreteTokenizer,
    Tokenizer,
    VideoTokenizer,
    from_unit,
    to_unit,
)
from worldline.tokenizer.losses import PictureLoss
from worldline.train import TokenizerTask, step_generator
from worldline.train.precision import WorkingCopy, working_type

SIZE_PX = 64
WARMUP_SHARE = 0.03


class Cosmos(nn.Module):
    """Cosmos' architecture behind the methods that are used of ours, 8x8 pixels to 16 numbers."""

    def __init__(self, time_stride: int, divisor: int) -> None:
        super().__init__()
        from diffusers import AutoencoderKLCosmos

        self.time_stride = time_stride
        widths = [width // divisor for width in (128, 256, 512, 512)]
        self.net = AutoencoderKLCosmos(
            latent_channels=16,
            encoder_block_out_channels=tuple(widths),
            decode_block_out_channels=(widths[1], *widths[1:]),
            attention_resolutions=(32,),
            resolution=SIZE_PX,
            spatial_compression_ratio=8,
            temporal_compression_ratio=time_stride,
        )
        self.picture = PictureLoss(
            gradient_weight=0.5, perceptual_weight=0.0, adversarial_weight=0.0
        )

    def encode(self, frames: Tensor) -> Tensor:
        x = to_unit(frames, next(self.net.parameters()).dtype)
        return self.net.encode(rearrange(x, "b t h w c -> b c t h w")).latent_dist.mode()

    def decode_unit(self, latents: Tensor) -> Tensor:
        return rearrange(self.net.decode(latents).sample, "b c t h w -> b t h w c")

    def decode(self, latents: Tensor) -> Tensor:
        return from_unit(self.decode_unit(latents))

    def count_steps(self, num_frames: int) -> int:
        return 1 + (num_frames - 1) // self.time_stride

    def loss(self, frames: Tensor, weight: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        image = self.decode_unit(self.encode(frames))
        truth = to_unit(frames, image.dtype)
        pair = (rearrange(x, "b t h w c -> (b t) c h w") for x in (image, truth))
        return self.picture(*pair, weight.flatten(0, 1))


@dataclass(frozen=True)
class Entry:
    """One row: how to build it and how it learns."""

    name: str
    build: Callable[[], nn.Module]
    half: bool
    clip: bool = True
    learning_rate: float = 2e-3


def entries() -> list[Entry]:
    found = []
    for stride in (4, 8):
        video = VideoTokenizer.Config(size_px=SIZE_PX, time_stride=stride)
        shallow = replace(video, coarse_depth=1)
        for name, config in (("", video), (", shallow", shallow)):
            found.append(
                Entry(f"video {stride}x8x8{name}", config.build, half=True, learning_rate=1e-3)
            )
        for divisor, width in ((4, "quarter"), (2, "half")):
            found.append(
                Entry(
                    f"Cosmos {stride}x8x8, {width}",
                    lambda s=stride, d=divisor: Cosmos(s, d),
                    half=False,
                    learning_rate=5e-4,
                )
            )
    codes = VideoTokenizer.Config(size_px=SIZE_PX, levels=(8, 8, 8, 5, 5, 5))
    image = ContinuousTokenizer.Config(size_px=SIZE_PX)
    image_codes = DiscreteTokenizer.Config(size_px=SIZE_PX)
    return [
        *found,
        Entry("video 4x8x8, codes", codes.build, half=True, learning_rate=1e-3),
        Entry("image 8x8", image.build, half=True, clip=False),
        Entry("image 8x8, codes", image_codes.build, half=True, clip=False),
    ]


def fresh(entry: Entry) -> Any:
    torch.manual_seed(0)
    return entry.build().eval()


def learn(entry: Entry, shards: Shards, num_frames: int, seconds: float, batch: int) -> Any:
    """Model and steps done: AdamW, warm-up, cosine, all by share of the processor time spent."""
    model = fresh(entry).train()
    if entry.half:
        model = model.to(memory_format=torch.channels_last)
    worker = WorkingCopy(model, working_type(entry.half, "cpu"))
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    length = num_frames if entry.clip else 1
    task = TokenizerTask(
        model,  # type: ignore[arg-type]
        shards,
        seed=0,
        batch=batch * num_frames // length,
        object_weight=3.0,
        length=length,
    )
    start, step = process_time(), 0
    while (share := (process_time() - start) / seconds) < 1:
        generator = step_generator(0, step)
        frames, weight = task.batch(step, generator)
        worker.refresh()
        worker.model.loss(frames, weight, generator)["total"].backward()
        worker.hand_back()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))
            group["lr"] = entry.learning_rate * min(share / WARMUP_SHARE, cosine)
        optimizer.step()
        step += 1
    return model.eval(), step


@torch.no_grad()
def time_ms(model: nn.Module, frames: Tensor, dtype: torch.dtype) -> float | None:
    """Processor time per frame of encoding and decoding one clip; None without such kernels."""
    cast = copy.deepcopy(model).to(dtype)
    if isinstance(model, Tokenizer):
        cast = cast.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    times = []
    try:
        for _ in range(8):
            start = process_time()
            cast.decode(cast.encode(frames))
            times.append(process_time() - start)
    except NotImplementedError:
        return None
    return round(1e3 * float(np.median(times)) / frames.shape[1], 2)


@torch.no_grad()
def round_trip(model: nn.Module, frames: np.ndarray) -> np.ndarray:
    return model.decode(model.encode(torch.from_numpy(frames)[None]))[0].numpy()


def start_psnr_db(entry: Entry, held: Sequence[Any], num_frames: int) -> float:
    """Untrained: what the design brings along."""
    model = fresh(entry)
    clips = [clip.frames[:num_frames] for clip in held]
    return round(float(np.mean([psnr(round_trip(model, x), x).mean() for x in clips])), 2)


@torch.no_grad()
def measure(model: nn.Module, held: Sequence[Any], num_frames: int) -> dict[str, Any]:
    found: dict[str, list[float]] = {"psnr_db": [], "moving_psnr_db": [], "ssim": []}
    for clip in held:
        frames = clip.frames[:num_frames]
        decoded = round_trip(model, frames)
        moving = psnr(decoded, frames, clip.segmentation[:num_frames] >= 0)
        found["psnr_db"].append(float(psnr(decoded, frames).mean()))
        found["moving_psnr_db"].extend(moving[~np.isnan(moving)].tolist())
        found["ssim"].append(float(ssim(decoded, frames).mean()))
    frames = torch.from_numpy(held[0].frames[None, :num_frames])
    latents = model.encode(frames)
    tokens = latents.tokens if not isinstance(latents, Tensor) else latents
    numbers = tokens.numel() / num_frames
    quantiser = getattr(model, "quantiser", None)
    bits = None
    if quantiser is not None:
        bits = numbers / tokens.shape[-1] * math.log2(quantiser.num_codes)
    return {
        **{name: round(float(np.mean(values)), 3) for name, values in found.items()},
        "ms_fp32": time_ms(model, frames, torch.float32),
        "ms_bf16": time_ms(model, frames, torch.bfloat16),
        "parameters_m": round(sum(p.numel() for p in model.parameters()) / 1e6, 2),
        "numbers_per_frame": round(numbers, 1),
        "bits_per_frame": None if bits is None else round(bits, 1),
    }


def compare(rows: dict[str, dict[str, Any]], name: str) -> dict[str, Any] | None:
    """Ours against the better of Cosmos' sizes: decibels ahead, and share of its time."""
    ours = rows.get(f"video {name}")
    stride = name.split("x")[0]
    others = [row for name, row in rows.items() if name.startswith(f"Cosmos {stride}x8x8")]
    if ours is None or not others:
        return None
    best = max(others, key=lambda row: row["psnr_db"])
    cost = [
        min(row[key] for key in ("ms_fp32", "ms_bf16") if row[key] is not None)
        for row in (ours, best)
    ]
    return {
        "psnr_ahead_db": round(ours["psnr_db"] - best["psnr_db"], 2),
        "share_of_time": round(cost[0] / cost[1], 3),
        "share_of_time_fp32": round(ours["ms_fp32"] / best["ms_fp32"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="of training, each")
    parser.add_argument("--frames", type=int, default=17, help="per clip: 9, 17 or 25")
    parser.add_argument("--batch", type=int, default=4, help="clips per step")
    parser.add_argument("--clips", type=int, default=390, help="to learn from")
    parser.add_argument("--held-out", type=int, default=39, help="clips to measure")
    parser.add_argument("--only", nargs="*", default=[], help="rows by their beginning")
    parser.add_argument("--pictures", type=Path, help="folder for truth beside reconstruction")
    options = parser.parse_args()
    chosen = [e for e in entries() if not options.only or e.name.startswith(tuple(options.only))]
    try:
        import diffusers  # noqa: F401
    except ImportError:
        if any(e.name.startswith("Cosmos") for e in chosen):
            raise SystemExit(
                'the other side of the comparison is missing: pip install "diffusers==0.42.1", or '
                "leave it out with --only video image"
            ) from None
    families = tuple(FAMILIES)
    held = list(
        make_clips(
            families, num_clips=options.held_out, seed=1, split=Split.HELD_OUT, size_px=SIZE_PX
        )
    )
    facts = {k: getattr(options, k) for k in ("seconds", "frames", "batch", "clips", "held_out")}
    rows: dict[str, dict[str, Any]] = rows_of_today("tokenizer", facts)
    verdicts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        clips = make_clips(families, num_clips=options.clips, seed=0, size_px=SIZE_PX, events=False)
        recipe = {"clips": options.clips}
        shards = write_shards(Path(folder), clips, num_clips=options.clips, recipe=recipe)
        print(
            f"{'':26}{'start':>7}{'PSNR':>7}{'moving':>8}{'SSIM':>7}{'M par.':>8}{'steps':>7}",
            end="",
        )
        print(f"{'ms fp32':>9}{'ms bf16':>9}{'numbers':>9}{'bits':>7}")
        for entry in chosen:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model, steps = learn(entry, shards, options.frames, options.seconds, options.batch)
                row = {
                    "untrained_psnr_db": start_psnr_db(entry, held, options.frames),
                    "steps": steps,
                    **measure(model, held, options.frames),
                }
            rows[entry.name] = row
            show(entry.name, row)
            if options.pictures:
                draw(model, held, options.frames, options.pictures / f"{entry.name}.png")
            names = [f"{s}x8x8{how}" for s in (4, 8) for how in ("", ", shallow")]
            verdicts = {name: compare(rows, name) for name in names}
            write_record("tokenizer", {**facts, "rows": rows, "against_cosmos": verdicts})
    for name, verdict in verdicts.items():
        if verdict is not None:
            print(
                f"{name}: {verdict['psnr_ahead_db']:+.2f} dB against the better Cosmos, at "
                f"{verdict['share_of_time']:.3f} of its time ({verdict['share_of_time_fp32']:.3f} "
                "if both compute in fp32)"
            )


def show(name: str, row: dict[str, Any]) -> None:
    bf16, bits = row["ms_bf16"], row["bits_per_frame"]
    print(
        f"{name:26}{row['untrained_psnr_db']:7.2f}{row['psnr_db']:7.2f}{row['moving_psnr_db']:8.2f}{row['ssim']:7.3f}"
        f"{row['parameters_m']:8.2f}{row['steps']:7d}{row['ms_fp32']:9.2f}"
        f"{'-' if bf16 is None else f'{bf16:.2f}':>9}{row['numbers_per_frame']:9.1f}"
        f"{'-' if bits is None else f'{bits:.0f}':>7}",
        flush=True,
    )


@torch.no_grad()
def draw(model: nn.Module, held: Sequence[Any], num_frames: int, path: Path) -> None:
    """Truth above reconstruction, frames 0 to 7 and the last of a few clips."""
    from PIL import Image

    strips = []
    for clip in held[:: max(1, len(held) // 6)]:
        frames = clip.frames[:num_frames]
        decoded = round_trip(model, frames)
        shown = [*range(min(8, num_frames - 1)), num_frames - 1]
        strips += [np.concatenate(list(x[shown]), axis=1) for x in (frames, decoded)]
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.concatenate(strips))
    image.resize((image.width * 2, image.height * 2), Image.Resampling.NEAREST).save(path)


if __name__ == "__main__":
    main()
