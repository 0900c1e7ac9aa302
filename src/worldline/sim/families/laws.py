"""Measurements on the truth of a clip that the families' self-tests share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from worldline.core import STATIC, Clip, Contact, Outcome, Scene, Verdict

__all__ = [
    "Truth",
    "gravity_verdict",
    "growth_share",
    "inertia_per_mass",
    "judge",
    "mechanical_energy",
    "spin_momentum",
    "truth_of",
]


@dataclass(frozen=True)
class Truth:
    """The parts of a simulated clip that self-tests need, all of them there.

    Attributes:
        scene: the scene that the rest comes from.
        time_s: `[T]`.
        position_m, velocity_mps, angular_velocity_radps: `[N, T, 3]`.
        mass_kg: `[N]`; extent_m: `[N, 3]`; gravity_mps2: `[3]`.
    """

    scene: Scene
    time_s: Float[np.ndarray, " t"]
    position_m: Float[np.ndarray, "n t 3"]
    velocity_mps: Float[np.ndarray, "n t 3"]
    angular_velocity_radps: Float[np.ndarray, "n t 3"]
    mass_kg: Float[np.ndarray, " n"]
    extent_m: Float[np.ndarray, "n 3"]
    gravity_mps2: Float[np.ndarray, " 3"]

    @property
    def g(self) -> float:
        """Strength of gravity."""
        return float(np.linalg.norm(self.gravity_mps2))

    @property
    def rows(self) -> range:
        """Row numbers of the objects."""
        return range(self.scene.num_objects)

    def fact(self, name: str) -> float:
        """A number that the stage was made with, kept in the provenance."""
        return float(dict(self.scene.provenance.details)[name])

    def touches_of(self, row: int) -> list[Contact]:
        """Contacts of an object, in order of start."""
        own = int(self.scene.ids[row])
        return [c for c in self.scene.contacts if own in (c.a, c.b)]

    def free_runs(self, row: int, min_frames: int) -> list[slice]:
        """Longest runs of frames in which an object touches nothing."""
        touches = self.touches_of(row)
        runs, start = [], 0
        for t in range(1, len(self.time_s) + 1):
            if t < len(self.time_s):
                low, high = self.time_s[t - 1], self.time_s[t]
                if not any(c.start_s <= high and c.end_s >= low for c in touches):
                    continue
            if t - start >= min_frames:
                runs.append(slice(start, t))
            start = t
        return runs

    def first_meeting_s(self, row: int) -> float:
        """When an object first touches another one; infinite if it never does."""
        starts = [c.start_s for c in self.touches_of(row) if c.b != STATIC]
        return min(starts, default=float("inf"))


def truth_of(clip: Clip) -> Truth:
    """The truth of a simulated clip.

    Raises:
        ValueError: the clip does not come from the simulator.
    """
    scene = clip.scene
    if scene is None:
        raise ValueError("a clip without a scene has no truth to check")

    def need(name: str) -> np.ndarray:
        value = getattr(scene, name)
        if value is None:
            raise ValueError(f"a scene without {name} has no truth to check")
        return value

    return Truth(
        scene=scene,
        time_s=scene.time_s,
        position_m=need("position_m"),
        velocity_mps=need("velocity_mps"),
        angular_velocity_radps=need("angular_velocity_radps"),
        mass_kg=need("mass_kg"),
        extent_m=need("extent_m"),
        gravity_mps2=need("gravity_mps2"),
    )


def mechanical_energy(truth: Truth) -> Float[np.ndarray, "n t"]:
    """Kinetic and potential energy of each body in joules; potential from the ground up.

    Balls and round upright things by their labels, anything else as a box; mass is spread evenly.
    """
    assert truth.scene.rotation_wxyz is not None
    moving = (truth.velocity_mps**2).sum(axis=-1) / 2
    height = truth.position_m @ -truth.gravity_mps2
    spin = _in_body_frame(truth.angular_velocity_radps, truth.scene.rotation_wxyz)
    turning = np.einsum("nti,ni->nt", spin**2, inertia_per_mass(truth)) / 2
    return truth.mass_kg[:, None] * (moving + height + turning)


def spin_momentum(truth: Truth) -> Float[np.ndarray, "n t 3"]:
    """Angular momentum of each body about its own centre, world frame; shapes as in the energy."""
    assert truth.scene.rotation_wxyz is not None
    turn = truth.scene.rotation_wxyz
    inertia = truth.mass_kg[:, None] * inertia_per_mass(truth)
    own = _in_body_frame(truth.angular_velocity_radps, turn) * inertia[:, None]
    return _in_body_frame(own, turn * np.array([1.0, -1.0, -1.0, -1.0]))


def inertia_per_mass(truth: Truth) -> Float[np.ndarray, "n 3"]:
    """Moments of inertia about each body's own axes, over its mass; shapes as in the energy."""
    x, y, z = (truth.extent_m / 2).T ** 2
    box = np.stack([y + z, x + z, x + y], axis=-1) / 3
    ball = 0.4 * np.stack([x, x, x], axis=-1)
    cylinder = np.stack([x / 4 + z / 3, x / 4 + z / 3, x / 2], axis=-1)
    label = np.array(truth.scene.labels)[:, None]
    return np.where(
        label == "ball",
        ball,
        np.where(np.isin(label, ("cylinder", "wheel", "pusher")), cylinder, box),
    )


def _in_body_frame(
    vectors: Float[np.ndarray, "n t 3"], rotation_wxyz: Float[np.ndarray, "n t 4"]
) -> Float[np.ndarray, "n t 3"]:
    w, u = rotation_wxyz[..., :1], -rotation_wxyz[..., 1:]
    across = 2 * np.cross(u, vectors)
    return vectors + w * across + np.cross(u, across)


def growth_share(energy_j: Float[np.ndarray, " t"]) -> float:
    """Largest growth of an energy between two moments, over its first value."""
    lowest = np.minimum.accumulate(energy_j)
    return float((energy_j - lowest).max() / energy_j[0])


def judge(law: str, errors: list[float], limit: float, what: str) -> Verdict:
    """PASS if the largest error is within the limit, UNTESTABLE if there is none."""
    if not errors:
        return Verdict(law, Outcome.UNTESTABLE, reason=f"no stretch of the clip shows {what}")
    worst = float(np.max(np.abs(errors)))
    outcome = Outcome.PASS if worst <= limit else Outcome.FAIL
    return Verdict(
        law,
        outcome,
        reason=f"{what}: largest error {worst:.3g}, limit {limit:.3g}",
        quantities={"error": worst, "limit": limit, "num_tests": float(len(errors))},
    )


def gravity_verdict(truth: Truth, rows: Sequence[int] | None = None) -> Verdict:
    """Free fall: the acceleration fitted to positions while nothing is touched is g.

    Args:
        truth: of the clip.
        rows: objects that nothing but touch can hold; all if None.
    """
    errors = []
    for row in truth.rows if rows is None else rows:
        for run in truth.free_runs(row, min_frames=4):
            time_s = truth.time_s[run] - truth.time_s[run.start]
            fit = np.polyfit(time_s, truth.position_m[row, run], 2)[0] * 2
            errors.append(float(np.abs(fit - truth.gravity_mps2).max()))
    return judge("gravity", errors, 0.01 * truth.g, "free fall with acceleration g")
