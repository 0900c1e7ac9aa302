"""Train the bundled spotter from nothing.

    python -m worldline.retrieval.benchmark.teach --out FOLDER [--cache FOLDER] [--workers 2]

Simulates the benchmark's clips to train on, 72 of each kind, perceives them as ingest does, and
learns from their truth. Takes about an hour of two cores; what is made is kept in the cache. Then
`python benchmarks/retrieval.py --calibrate` learns the probabilities of events anew.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from worldline.core.artifact import Artifact
from worldline.core.processes import spread_in_order
from worldline.physics import ONTOLOGY
from worldline.retrieval.benchmark.clips import make_clips
from worldline.retrieval.benchmark.looking import Sight, keep_frames, look_at_clips
from worldline.retrieval.benchmark.recipes import Part
from worldline.retrieval.benchmark.relevance import happenings_of
from worldline.retrieval.benchmark.targets import lesson_of
from worldline.retrieval.spotting.batching import collate
from worldline.retrieval.spotting.course import Course, principal_axes
from worldline.retrieval.spotting.learn import Learning, Lesson, learn
from worldline.retrieval.spotting.network import Batch, SpotterNetwork
from worldline.retrieval.spotting.tokens import look_again

HELD_OUT_EVERY = 32
"""One window of so many is not learned from, but tells what is usual."""

_BATCH = 64

__all__ = ["main", "make_lessons", "write"]


def make_lessons(sights: Sequence[Sight], num_workers: int) -> list[Lesson]:
    """The windows of clips, with the answers to them."""
    work = partial(_lessons_of, types=tuple(ONTOLOGY))
    found = spread_in_order(work, sights, num_workers=num_workers)
    return [lesson for own in found for lesson in own]


def _lessons_of(sight: Sight, *, types: Sequence[str]) -> list[Lesson]:
    known = happenings_of(sight.truth)
    return [
        lesson_of(tokens, sight.seen, sight.truth, known, types)
        for tokens in look_again(sight.seen, keep_frames(sight.file), types)
    ]


def settle(network: SpotterNetwork, lessons: Sequence[Lesson], held_out: Sequence[Lesson]) -> None:
    """Tell a trained network what is usual, and along which axes courses of events vary."""
    network.get_used_to(_batches(lessons), _batches(held_out))
    courses = []
    parts = [lessons[i : i + _BATCH] for i in range(0, len(lessons), _BATCH)]
    for part, batch in zip(parts, _batches(lessons), strict=True):
        with torch.inference_mode():
            chance = network(batch).step.sigmoid().double().numpy()
        for lesson, own in zip(part, chance, strict=True):
            grid_s = lesson.tokens.grid_s
            courses.append(Course(grid_s, own[: len(grid_s)]).from_moment(float(grid_s[0])))
    mean, axes = principal_axes(np.array(courses))
    network.course_mean.copy_(torch.from_numpy(mean))
    network.course_axes.copy_(torch.from_numpy(axes))


def _batches(lessons: Sequence[Lesson]) -> Iterator[Batch]:
    for i in range(0, len(lessons), _BATCH):
        yield collate([lesson.tokens for lesson in lessons[i : i + _BATCH]])


def write(network: SpotterNetwork, folder: Path, num_windows: int, minutes: float) -> None:
    """Save weights, config and card."""
    size = sum(p.numel() for p in network.parameters()) / 1e6
    card = f"""# Spotter

Log odds of every event of the ontology in a video, step by step and track by track, from the
perceived tracks and a second look at the pixels round them. Orders what `worldline search` finds;
what it alone finds is called a guess.

- **Learned from** {num_windows} windows of simulated clips of 51 kinds, 128 pixels wide, appearance
  at random, the camera at rest; their truth says what happens. {size:.1f}M parameters,
  {minutes:.0f} minutes on two cores.
- **Made by** `python -m worldline.retrieval.benchmark.teach`.
- **Limits**: it has never seen a real video. Things, places and motions beyond those of the
  simulator are outside of what it learned; its odds are not evidence by themselves.
"""
    exact = {name for name, _ in network.named_buffers()}
    tensors = {
        name: value if name in exact else value.to(torch.bfloat16)
        for name, value in network.state_dict().items()
    }
    Artifact(network.config.to_json(), tensors, card=card).save(folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".cache/eval"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=Learning.epochs)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="of clips")
    given = parser.parse_args()
    lessons: list[Lesson] = []
    for seed in given.seeds:
        files = make_clips(
            given.cache, Part.TRAINING, seed=seed, quick=False, num_workers=given.workers
        )
        sights = look_at_clips(files, num_workers=given.workers)
        lessons += make_lessons(sights, given.workers)
    held_out = lessons[::HELD_OUT_EVERY]
    lessons = [lesson for i, lesson in enumerate(lessons) if i % HELD_OUT_EVERY]
    begun_s = time.monotonic()
    recent: list[float] = []

    def note(step: int, of: int, loss: float) -> None:
        recent.append(loss)
        if step % 50 == 0:
            print(f"step {step} of {of}: loss {sum(recent[-50:]) / 50:.4f}", flush=True)

    network = learn(lessons, Learning(epochs=given.epochs), note)
    settle(network, lessons, held_out)
    write(network, given.out, len(lessons), (time.monotonic() - begun_s) / 60)


if __name__ == "__main__":
    main()
