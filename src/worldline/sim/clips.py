"""`make_clips`: numbered clips of named families, on one core or several."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from worldline.core import Clip, InputError, Origin, Provenance, Scene
from worldline.core.processes import spread_in_order
from worldline.sim.families import FAMILIES
from worldline.sim.framing import Restage, Shot, draw_path
from worldline.sim.splits import Split, seed_of

__all__ = ["make_clip", "make_clips"]

PRODUCER = "worldline.sim"


def make_clip(
    family: str,
    index: int,
    *,
    seed: int,
    split: Split = Split.TRAIN,
    size_px: int = 64,
    events: bool = True,
    moving_camera: bool = False,
    restage: Restage | None = None,
) -> Clip:
    """Clip `index` of a family: depends on these arguments and nothing else.

    Args:
        family: name out of `FAMILIES`.
        index: number of the clip.
        seed, split, size_px, events, moving_camera: see `make_clips`.
        restage: films the same physics in another look or from another side, see `retake`.

    Raises:
        InputError: unknown family, or one without a camera that could move.
    """
    _check(family, moving_camera or restage is not None)
    path = draw_path(seed_of(f"{family} camera", split, seed, index)) if moving_camera else None
    rng = seed_of(family, split, seed, index)
    clip = FAMILIES[family].make(split, rng, Shot(size_px, path, restage))
    details = dict(clip.provenance.details) | {"split": str(split), "index": str(index)}
    provenance = Provenance(
        origin=Origin.SIMULATED,
        source=family,
        producer=PRODUCER,
        seed=seed,
        details=tuple(sorted(details.items())),
    )
    assert clip.scene is not None
    scene = replace(clip.scene, provenance=provenance)
    if events:
        scene = _with_events(scene)
    return replace(clip, provenance=provenance, scene=scene)


def make_clips(
    families: Sequence[str],
    *,
    num_clips: int,
    seed: int,
    split: Split = Split.TRAIN,
    size_px: int = 64,
    num_workers: int = 1,
    events: bool = True,
    moving_camera: bool = False,
    first: int = 0,
) -> Generator[Clip, None, None]:
    """Yield clips in order, round robin over the families; closing it ends the processes.

    Args:
        families: names out of `FAMILIES`.
        num_clips: how many in all.
        seed: any whole number >= 0; equal seeds give equal bytes, whatever `num_workers` is.
        split: part of the parameter space.
        size_px: side of the square image.
        num_workers: processes; with 1 everything happens in this one.
        events: name what happens (`worldline.physics.detect_events`); without, a clip takes about
            two thirds of the time.
        moving_camera: the camera goes slowly round the action, or pans, instead of standing still.
            What happens is the same; the scene's camera then has a pose for each frame, and the
            clip a background for each.
        first: number of the first clip, where these are some out of many.

    Raises:
        InputError: no or unknown families, flat ones where the camera should move, or a number out
            of range.
    """
    if not families or min(num_clips, seed, first) < 0 or size_px < 8 or num_workers < 1:
        raise InputError(
            "make_clips needs a family, num_clips, seed and first >= 0, size_px >= 8, "
            "num_workers >= 1"
        )
    for family in families:
        _check(family, moving_camera)
    make = partial(
        _make_numbered,
        tuple(families),
        seed=seed,
        split=split,
        size_px=size_px,
        events=events,
        moving_camera=moving_camera,
    )
    numbers = range(first, first + num_clips)
    if num_workers == 1:
        return (make(number) for number in numbers)
    return spread_in_order(make, numbers, num_workers=num_workers)


def _check(family: str, moving_camera: bool) -> None:
    if family not in FAMILIES:
        raise InputError(
            f"unknown scene family {family!r}; choose from {', '.join(sorted(FAMILIES))}"
        )
    if moving_camera and not FAMILIES[family].has_camera:
        raise InputError(
            f"the flat scenes of {family} have no camera; leave out moving_camera and restage"
        )


def _with_events(scene: Scene) -> Scene:
    from worldline.physics import detect_events

    return scene.with_events(detect_events(scene))


def _make_numbered(families: tuple[str, ...], index: int, **options: Any) -> Clip:
    return make_clip(families[index % len(families)], index, **options)
