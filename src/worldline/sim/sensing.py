"""What sensors on the bodies of a stage would read: inertial, of hinges, of the pusher."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from worldline.core import STATIC
from worldline.core.readings import Readings
from worldline.sim.engine import Rollout
from worldline.sim.stage import Hinge, Stage

__all__ = ["HINGE", "IMU", "PUSHER", "read_sensors"]

IMU = (
    "accel_x_mps2",
    "accel_y_mps2",
    "accel_z_mps2",
    "gyro_x_radps",
    "gyro_y_radps",
    "gyro_z_radps",
)
HINGE = ("hinge_angle_rad", "hinge_velocity_radps")
PUSHER = ("push_force_n",)


def read_sensors(stage: Stage, rollout: Rollout) -> Readings:
    """Readings at the frame times.

    - `IMU`, on the first body, in its own axes: the mean specific force (acceleration less gravity,
      which is what an accelerometer feels: 0 in free fall, gravity upward at rest) over the time
      since the frame before, not known in the first frame; and the angular velocity at the frame.
    - `HINGE`, of the first body that is held on one: angle since the first frame and its rate,
      about the hinge's axis. Angles do not wrap.
    - `PUSHER`, where the first body is one: the mean normal force on whatever it pushes since the
      frame before, not known in the first frame.
    """
    columns: dict[str, np.ndarray] = {}
    known: dict[str, np.ndarray] = {}
    num_frames = len(stage.time_s)
    always, later = np.ones(num_frames, dtype=bool), np.arange(num_frames) > 0
    step_s = np.diff(stage.time_s)

    turn = _matrices(rollout.rotation_wxyz[0])
    force = np.zeros((num_frames, 3))
    force[1:] = np.diff(rollout.velocity_mps[0], axis=0) / step_s[:, None]
    force[1:, 2] += stage.gravity_mps2
    spin = rollout.angular_velocity_radps[0]
    parts = [np.einsum("tji,tj->ti", turn, vector) for vector in (force, spin)]
    for name, values in zip(IMU, np.concatenate(parts, axis=1).T, strict=True):
        columns[name], known[name] = values, later if name.startswith("accel") else always

    for index, body in enumerate(stage.bodies):
        held = body.rod if body.rod is not None else body.mount
        swivels = body.rod is not None and body.rod.swivels
        if swivels or not (body.rod is not None or isinstance(held, Hinge)):
            continue
        assert held is not None and not isinstance(held, str)  # noqa: PT018
        axis = np.asarray(held.axis, dtype=np.float64)  # type: ignore[union-attr]
        rate = rollout.angular_velocity_radps[index] @ axis
        about = np.asarray([1.0, 0, 0]) if abs(axis[0]) < 0.9 else np.asarray([0, 1.0, 0])
        about = np.cross(axis, about)
        about /= np.linalg.norm(about)
        turned = _matrices(rollout.rotation_wxyz[index])
        now = np.einsum("tij,kj,k->ti", turned, turned[0], about)
        angle = np.arctan2(now @ np.cross(axis, about), now @ about)
        for name, values in zip(HINGE, (np.unwrap(angle), rate), strict=True):
            columns[name], known[name] = values, always
        break

    if stage.bodies and stage.bodies[0].word == "pusher":
        touches = rollout.touches
        own = (touches.b == 0) | ((touches.a == 0) & (touches.b != STATIC))
        edges = np.searchsorted(stage.time_s, touches.time_s[own], side="left")
        within = (edges > 0) & (edges < num_frames)
        impulse = np.bincount(edges[within], touches.impulse_ns[own][within], minlength=num_frames)
        columns[PUSHER[0]] = np.append(0.0, impulse[1:] / step_s)
        known[PUSHER[0]] = later

    names = tuple(columns)
    return Readings(
        names, np.stack([columns[n] for n in names], 1), np.stack([known[n] for n in names], 1)
    )


def _matrices(rotation_wxyz: Float[np.ndarray, "t 4"]) -> Float[np.ndarray, "t 3 3"]:
    return Rotation.from_quat(np.roll(rotation_wxyz, -1, axis=1)).as_matrix()
