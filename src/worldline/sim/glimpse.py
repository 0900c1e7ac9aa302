"""What a camera would see of a rollout, without rendering: boxes, and what is in sight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from worldline.core import Camera, Origin, Provenance, Scene
from worldline.sim.camera import owners_of
from worldline.sim.caster import Caster
from worldline.sim.engine import Rollout
from worldline.sim.framing import Shot, frame_action
from worldline.sim.stage import Stage
from worldline.sim.truth import MIN_VISIBLE_PX, true_scene

__all__ = ["glimpse"]

_SPOTS = np.array([(0.0, 0.0), *((0.6 * x, 0.6 * y) for x in (-1, 1) for y in (-1, 1))])
"""Where rays go through a box, in half sides from its middle."""


def glimpse(stage: Stage, rollout: Rollout, shot: Shot) -> Scene:
    """The true scene of a clip without its picture: a tenth of the work.

    Boxes are those of `true_scene`. How much of a body is in sight is not counted in pixels but
    asked of five rays through its box: each that meets the body, inside the image, stands for a
    fifth of the box.

    Args:
        stage: what was simulated.
        rollout: its states.
        shot: how it would be filmed, from where it stands still.
    """
    if shot.restage is not None:
        stage = shot.restage(stage, rollout)
    camera = frame_action(stage, rollout, shot)
    n, t = int(stage.objects.max()) + 1, len(stage.time_s)
    provenance = Provenance(origin=Origin.SIMULATED)
    scene = true_scene(stage, rollout, np.full((n, t), np.inf), camera, provenance)
    visible = _seen_area(stage, rollout, camera, scene) >= MIN_VISIBLE_PX
    return replace(scene, visible=visible)


def _seen_area(
    stage: Stage, rollout: Rollout, camera: Camera, scene: Scene
) -> Float[np.ndarray, "n t"]:
    caster = Caster(stage, rollout)
    owner = owners_of(stage, caster)
    pose = camera.world_from_camera[0]
    eye, middle = np.ascontiguousarray(pose[:3, 3]), np.array([camera.width_px, camera.height_px])
    places = scene.center_px[:, :, None] + _SPOTS * scene.size_px[:, :, None] / 2
    inside = ((places >= 0) & (places <= middle)).all(axis=-1)
    plane = (np.nan_to_num(places) - middle / 2) / camera.focal_px
    rays = np.concatenate([plane, np.ones((*plane.shape[:-1], 1))], axis=-1) @ pose[:3, :3].T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    met = np.zeros(inside.shape, dtype=bool)
    for t in range(scene.num_frames):
        caster.pose(t)
        geom, _, _ = caster.cast(eye, rays[:, t].reshape(-1, 3), None, normals=False)
        met[:, t] = (owner[geom] == np.arange(len(rays)).repeat(len(_SPOTS))).reshape(
            -1, len(_SPOTS)
        )
    share = (met & inside).mean(axis=-1)
    return np.nan_to_num(share * scene.size_px.prod(axis=-1))
