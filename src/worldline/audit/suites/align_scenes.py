"""The eight scenes of the suite `align`, each filmed by several cameras.

They are stagings of the simulator's own families at fixed frame rates. Bodies are dyed in saturated
hues far apart from each other and everything else is grey, so that a body can be found in predicted
pixels by its colour, whatever shade it is in.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from worldline.core.clip import Clip
from worldline.core.provenance import Origin, Provenance
from worldline.sim.engine import Rollout, simulate
from worldline.sim.families import FAMILIES
from worldline.sim.framing import Shot
from worldline.sim.splits import Split, seed_of
from worldline.sim.stage import Floor, Light, Pattern, Sky, Stage, Vector, View
from worldline.sim.studio import film_stage

__all__ = ["NUM_FRAMES", "SCENES", "Filmed", "film_scene"]

NUM_FRAMES = 42
"""Nine of context and 33 to be predicted."""

_STABLE_SHARE = 0.3
_ELEVATION_RAD = (0.25, 0.5)


@dataclass(frozen=True)
class _Scene:
    family: str
    step_s: float
    change: Callable[[Stage], Stage] = lambda stage: stage


def _straighten(stage: Stage) -> Stage:
    """A stack that would fall, pushed together until every part is held by the one below.

    Overhangs of 1.2 to 1.5 half widths shrink to less than half of one.
    """
    first = np.asarray(stage.bodies[0].position_m)
    bodies = []
    for body in stage.bodies:
        x, y, z = body.position_m
        place = (
            float(first[0] + _STABLE_SHARE * (x - first[0])),
            float(first[1] + _STABLE_SHARE * (y - first[1])),
            z,
        )
        bodies.append(replace(body, position_m=place))
    return replace(stage, bodies=tuple(bodies), caption="A stack of boxes stands.")


SCENES: dict[str, _Scene] = {
    "free fall": _Scene("drop", 1 / 30),
    "tilted slope": _Scene("ramp", 1 / 30),
    "U-slope": _Scene("u_slope", 1 / 20),
    "stable stack": _Scene("unstable_stack", 1 / 30, _straighten),
    "unstable stack": _Scene("unstable_stack", 1 / 30),
    "dominoes": _Scene("dominoes", 1 / 30),
    "seesaw": _Scene("seesaw", 1 / 30),
    "gyroscope": _Scene("gyroscope", 1 / 20),
}
"""In the paper's order; the gyroscope is a wheel on a held axle."""


@dataclass(frozen=True, eq=False)
class Filmed:
    """One staging of a scene.

    Attributes:
        scene: its name out of `SCENES`.
        number: which staging.
        clips: one of each camera, with the same physics, of `NUM_FRAMES` frames.
    """

    scene: str
    number: int
    clips: tuple[Clip, ...]


def film_scene(scene: str, number: int, *, seed: int, size_px: int, num_cameras: int = 4) -> Filmed:
    """Stage a scene once and film it from all sides.

    Args:
        scene: name out of `SCENES`.
        number: which staging; each draws bodies, places, speeds, hues and light anew.
        seed: of all stagings.
        size_px: side of the frames.
        num_cameras: as many parts of a full circle lie between neighbours; they stand high and low
            in turn, and none moves.
    """
    plan = SCENES[scene]
    rng = seed_of(f"align {scene}", Split.HELD_OUT, seed, number)
    stage = plan.change(_stage_of(plan.family, rng))
    stage = _dyed(
        replace(stage, time_s=np.arange(NUM_FRAMES) * plan.step_s, lead_s=0.0),
        rng,
    )
    rollout = simulate(stage)
    clips = []
    for camera in range(num_cameras):
        view = View(
            azimuth_rad=stage.view.azimuth_rad + 2 * np.pi * camera / num_cameras,
            elevation_rad=_ELEVATION_RAD[camera % 2],
            focal_ratio=1.3,
            margin=0.08,
        )
        shot = Shot(size_px, restage=_seen_from(view))
        clip = film_stage(stage, shot, rollout)
        provenance = Provenance(
            origin=Origin.SIMULATED,
            source=scene,
            producer="worldline.audit",
            seed=seed,
            details=tuple(
                sorted((*clip.provenance.details, ("camera", str(camera)), ("number", str(number))))
            ),
        )
        assert clip.scene is not None
        clips.append(
            replace(clip, provenance=provenance, scene=replace(clip.scene, provenance=provenance))
        )
    return Filmed(scene, number, tuple(clips))


def _stage_of(family: str, rng: np.random.Generator) -> Stage:
    draw: Callable[[Split, np.random.Generator], Stage]
    draw = FAMILIES[family].stage  # type: ignore[attr-defined]
    return draw(Split.HELD_OUT, rng)


def _seen_from(view: View) -> Callable[[Stage, Rollout], Stage]:
    return lambda stage, _: replace(stage, view=view)


def _dyed(stage: Stage, rng: np.random.Generator) -> Stage:
    """Bodies in hues evenly round the circle, the rest in greys, by a lamp of any side."""
    count = len(stage.bodies)
    first = float(rng.random())
    order = rng.permutation(count)
    bodies = []
    for index, body in enumerate(stage.bodies):
        hue = (first + float(order[index]) / count) % 1.0
        color = _rgb(hue, 0.85, 0.9)
        pattern = Pattern.PLAIN if body.rod is None else Pattern.HALVES  # a spin has to be seen
        second = _rgb(hue, 0.85, 0.45)
        bodies.append(replace(body, color=color, second_color=second, pattern=pattern))
    base = float(rng.uniform(0.5, 0.7))
    props = tuple(replace(prop, color=_grey(float(rng.uniform(0.35, 0.8)))) for prop in stage.props)
    azimuth = float(rng.uniform(0, 2 * np.pi))
    place = 18 * np.array([0.5 * np.cos(azimuth), 0.5 * np.sin(azimuth), 0.87])
    return replace(
        stage,
        bodies=tuple(bodies),
        props=props,
        floor=Floor(_grey(base), _grey(base + 0.12), Pattern.CHECKER, 1.0, azimuth),
        sky=Sky(_grey(0.85), _grey(0.7)),
        light=Light((float(place[0]), float(place[1]), float(place[2])), 0.5, 0.5),
    )


def _grey(value: float) -> Vector:
    return (value, value, value)


def _rgb(hue: float, saturation: float, value: float) -> Vector:
    return colorsys.hsv_to_rgb(hue, saturation, value)
