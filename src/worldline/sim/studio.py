"""From a `Stage` to a `Clip`: simulate, frame, render, write down the truth."""

from __future__ import annotations

from worldline.core import Camera, Clip, Origin, Provenance
from worldline.sim.camera import shoot
from worldline.sim.engine import Rollout, simulate
from worldline.sim.framing import Shot, frame_action
from worldline.sim.sensing import read_sensors
from worldline.sim.stage import Stage
from worldline.sim.truth import true_scene

__all__ = ["film_rollout", "film_stage"]


def film_stage(stage: Stage, shot: Shot, rollout: Rollout | None = None) -> Clip:
    """Make the clip of a stage.

    Args:
        stage: what to film.
        shot: how to film it.
        rollout: what happens, if it was simulated already.
    """
    if rollout is None:
        rollout = simulate(stage)
    if shot.restage is not None:
        stage = shot.restage(stage, rollout)
    return film_rollout(stage, rollout, frame_action(stage, rollout, shot))


def film_rollout(stage: Stage, rollout: Rollout, camera: Camera) -> Clip:
    """The clip of a stage and what happens on it, from a camera that stands already."""
    film = shoot(stage, rollout, camera)
    facts = {"restitution": stage.restitution, "friction": stage.friction} | stage.facts
    light = " ".join(repr(float(x)) for x in stage.light.position_m)
    details = tuple(
        sorted([("light_m", light), *((name, repr(float(value))) for name, value in facts.items())])
    )
    provenance = Provenance(origin=Origin.SIMULATED, details=details)
    return Clip(
        frames=film.frames,
        time_s=stage.time_s,
        provenance=provenance,
        depth_m=film.depth_m,
        segmentation=film.segmentation,
        background=film.background,
        camera=camera,
        state=read_sensors(stage, rollout),
        scene=true_scene(stage, rollout, film.area_px, camera, provenance),
        caption=stage.caption,
    )
