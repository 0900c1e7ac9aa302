"""Where discs are in frames, and what their paths say of the laws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from worldline.audit.suites.disc_scenes import COLORS, GRAVITY_MPS2, Law
from worldline.sim.discs import WORLD_M

__all__ = ["LawReadings", "read_discs"]

LEAST_OPACITY = 0.04
"""Fainter pixels are noise of codecs and networks."""

LEAST_AREA = 0.4
"""A disc of which less than this share of its area is there counts as lost."""

FREE_FRAMES, MET_FRAMES = 5, 3
"""Frames that a parabola needs to be tested, and a velocity before or after a collision."""


def read_discs(
    frames: UInt8[np.ndarray, "t h w 3"],
    num_discs: int,
    radius_m: Float[np.ndarray, " n"],
    *,
    published: bool,
) -> Float[np.ndarray, "n t 2"]:
    """Middles (x, z) of the discs, by the opacity of their colours on white; NaN where lost.

    Each pixel is explained as a mixture of the ground and the discs' colours by least squares; the
    centroid of a disc's shares is its middle, to some hundredths of a pixel.

    Args:
        frames: pictures of the whole world.
        num_discs: red, then blue.
        radius_m: true radii, which tell how much there should be.
        published: pixels as the published measure counts them.
    """
    size = frames.shape[1]
    away = np.array(COLORS[:num_discs]).T - 1.0  # [3, n]
    shade = frames.reshape(-1, 3).astype(np.float64) / 255 - 1.0
    inked = shade.any(axis=1)
    share = np.zeros((num_discs, len(shade)))
    share[:, inked] = np.linalg.lstsq(away, shade[inked].T, rcond=None)[0].clip(0, 1)
    share[share < LEAST_OPACITY] = 0.0
    opacity = share.reshape(num_discs, len(frames), size, size)
    index = np.arange(size)
    line = index / (size - 1) if published else (index + 0.5) / size
    total = opacity.sum((2, 3))
    expected = np.pi * (radius_m * size / WORLD_M) ** 2
    lost = total < LEAST_AREA * expected[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        x = opacity.sum(2) @ line / total
        y = opacity.sum(3) @ line / total
    place = np.stack([x, 1 - y], axis=-1) * WORLD_M
    place[lost] = np.nan
    return place


@dataclass(frozen=True, eq=False)
class LawReadings:
    """What one continuation says.

    Attributes:
        errors: `[N, T - 1]` error of velocity from frame t to t + 1 (units/s), NaN where the disc
            is not whole in view or the frames were given.
        velocity_error: mean of these.
        found_share: of the frames that count, those in which the disc is found.
        form_m: root mean square misfit of the best parabola (uniform motion is one).
        parameter_mps2: distance of its acceleration from the true one.
        momentum_share: |change of momentum| over the sum of the discs' momenta before.
        energy_gain: growth of kinetic energy, 0 where it shrinks.
        All but the first are NaN where the law does not concern the scene or nothing can be said.
    """

    errors: Float[np.ndarray, "n t1"]
    velocity_error: float
    found_share: float
    form_m: float
    parameter_mps2: float
    momentum_share: float
    energy_gain: float

    @classmethod
    def of(
        cls,
        found: Float[np.ndarray, "n t 2"],
        truth: Float[np.ndarray, "n t 2"],
        radius_m: Float[np.ndarray, " n"],
        law: Law,
        context: int,
        step_s: float,
    ) -> LawReadings:
        """Read paths.

        Args:
            found: `read_discs` of the frames given and predicted.
            truth: true middles at the same moments.
            radius_m: true radii.
            law: of the scene.
            context: frames given.
            step_s: between frames.
        """
        edge = radius_m[:, None, None]
        whole: np.ndarray = np.all((truth >= edge) & (truth <= WORLD_M - edge), axis=-1)
        counts = whole[:, 1:] & whole[:, :-1]
        counts[:, : context - 1] = False
        true_v, v = (np.diff(p, axis=1) / step_s for p in (truth, found))
        missing: np.ndarray = ~np.all(np.isfinite(v), axis=-1)
        error = np.linalg.norm(np.where(missing[..., None], 0.0, v) - true_v, axis=-1)
        errors = np.where(counts, error, np.nan)
        any_counts = bool(np.any(counts))
        form = parameter = momentum = gain = float("nan")
        if law is Law.COLLISION:
            momentum, gain = _conserved(v, true_v, counts, radius_m)
        else:
            form, parameter = _parabola(found[0], whole[0], context, step_s, law)
        return cls(
            errors=errors,
            velocity_error=float(error[counts].mean()) if any_counts else float("nan"),
            found_share=float(1 - missing[counts].mean()) if any_counts else float("nan"),
            form_m=form,
            parameter_mps2=parameter,
            momentum_share=momentum,
            energy_gain=gain,
        )


def _parabola(
    path: Float[np.ndarray, "t 2"],
    whole: Bool[np.ndarray, " t"],
    context: int,
    step_s: float,
    law: Law,
) -> tuple[float, float]:
    kept: np.ndarray = whole & np.all(np.isfinite(path), axis=-1)
    kept[:context] = False
    if kept.sum() < FREE_FRAMES:
        return float("nan"), float("nan")
    time_s = np.flatnonzero(kept) * step_s
    basis = (time_s - time_s.mean())[:, None] ** np.arange(3)
    solution = np.linalg.lstsq(basis, path[kept], rcond=None)[0]
    misfit = path[kept] - basis @ solution
    true = np.array([0.0, -GRAVITY_MPS2 if law is Law.PARABOLA else 0.0])
    away = float(np.linalg.norm(2 * solution[2] - true))
    return float(np.sqrt((misfit**2).sum(-1).mean())), away


def _conserved(
    v: Float[np.ndarray, "n t1 2"],
    true_v: Float[np.ndarray, "n t1 2"],
    counts: Bool[np.ndarray, "n t1"],
    radius_m: Float[np.ndarray, " n"],
) -> tuple[float, float]:
    """Change of momentum and of energy between the true velocities before and those found after."""
    mass = radius_m**2
    change = np.linalg.norm(np.diff(true_v, axis=1), axis=-1).max(0)
    hit = int(change.argmax())  # between velocities hit and hit + 1, or in one of them
    after = np.arange(v.shape[1]) > hit + 1
    kept = counts.all(0) & after & np.isfinite(v).all((0, 2))
    if change.max() < 1e-9 or kept.sum() < MET_FRAMES:
        return float("nan"), float("nan")
    before, now = true_v[:, 0], v[:, kept].mean(1)
    lost = np.linalg.norm(mass @ now - mass @ before)
    all_momentum = float(mass @ np.linalg.norm(before, axis=-1))
    energies = [float(mass @ (u**2).sum(-1)) for u in (now, before)]
    return float(lost / all_momentum), max(0.0, energies[0] / energies[1] - 1)
