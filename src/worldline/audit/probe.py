"""Linear probes: how much of the physical state can be read off latents by a linear map.

A representation is worth what a simple reader finds in it (Alain and Bengio 2016, arXiv
1610.01644). The reader is ridge regression from the latents of two successive frames to the state
of the clip's main object; its strength is chosen on clips of their own. The same reader on latents
that a world has imagined tells where the world believes the object to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.scene import Scene

__all__ = [
    "TARGETS",
    "LinearProbe",
    "Probed",
    "StateOf",
    "main_object",
    "pair_features",
    "state_of",
]

TARGETS = (
    "x_px",
    "y_px",
    "vx_px",
    "vy_px",
    "depth_m",
    "log_mass",
    "contact",
    "hidden_x_px",
    "hidden_y_px",
)
"""Place and velocity (pixels, pixels per frame) in the image, distance along the optical axis,
logarithm of the mass in kg, and whether it touches something that moves (0 or 1), each while the
object can be seen; and its place while it cannot, though it is within the frame and was seen
before."""

_LEAST_SCALE = 0.05  # of the largest standard deviation of a feature
_MOST_AXES = 512
_STRENGTHS = (1e-1, 1e0, 1e1, 1e2, 1e3, 1e4)


@dataclass(frozen=True)
class Probed:
    """How well a target is read on clips that the probe was not fitted on.

    Attributes:
        r2: share of the variance that is explained; 0 for a reader that always says the mean.
        error: root mean square error in the target's unit.
        spread: standard deviation of the target, which is the error of always saying the mean.
        num: frames.
    """

    r2: float
    error: float
    spread: float
    num: int


def main_object(scene: Scene) -> int:
    """Row of the object that moves farthest in the image while it is visible.

    Raises:
        InputError: there is none.
    """
    if not len(scene.ids):
        raise InputError("a scene without objects has no main object")
    seen = np.where(scene.visible[..., None], scene.center_px, np.nan)
    ways = [
        float(np.linalg.norm(np.nanmax(row, axis=0) - np.nanmin(row, axis=0)))
        if np.isfinite(row).any()
        else -1.0
        for row in seen
    ]
    return int(np.argmax(ways))


def state_of(clip: Clip) -> tuple[Float[np.ndarray, "t k"], Bool[np.ndarray, "t k"]]:
    """State of a clip's main object in the order of `TARGETS`, and what of it is known.

    Raises:
        InputError: the clip has no scene, or that has no objects.
    """
    scene = clip.scene
    if scene is None:
        raise InputError("a probe needs clips with a scene; simulated clips have one")
    row = main_object(scene)
    visible = scene.visible[row]
    center = np.where(visible[:, None], scene.center_px[row], np.nan)
    speed = np.full_like(center, np.nan)
    speed[1:] = np.diff(center, axis=0)
    depth = np.full(len(center), np.nan) if scene.depth_m is None else scene.depth_m[row]
    mass = np.nan if scene.mass_kg is None else float(scene.mass_kg[row])
    touching = np.zeros(len(center))
    number = int(scene.ids[row])
    for contact in scene.contacts:
        if number in (contact.a, contact.b) and min(contact.a, contact.b) >= 0:
            inside = (scene.time_s >= contact.start_s) & (scene.time_s <= contact.end_s)
            touching[inside] = 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        log_mass = np.full(len(center), np.log(mass))
    size_px = np.array(clip.frames.shape[2:0:-1])
    inside = ((scene.center_px[row] >= 0) & (scene.center_px[row] < size_px)).all(axis=-1)
    gone = ~visible & inside & np.logical_or.accumulate(visible)
    hidden = np.where(gone[:, None], scene.center_px[row], np.nan)
    state = np.column_stack([center, speed, depth, log_mass, touching, hidden])
    there = np.column_stack([np.tile(visible[:, None], len(TARGETS) - 2), gone, gone])
    return state, np.isfinite(state) & there


StateOf = Callable[[Clip], tuple[Float[np.ndarray, "t k"], Bool[np.ndarray, "t k"]]]
"""What a probe is to read of each frame of a clip, and what of it is known."""


def pair_features(tokens: Float[np.ndarray, "t n c"]) -> Float[np.ndarray, "t f"]:
    """Each frame's latents and their change since the frame before (0 for the first)."""
    flat = tokens.reshape(len(tokens), -1).astype(np.float64)
    return np.concatenate([flat, np.diff(flat, axis=0, prepend=flat[:1])], axis=1)


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Ridge regression to every target, each with its own strength.

    Attributes:
        mean, scale: `[F]` of the features.
        weights: `[F, K]`; bias: `[K]`.
    """

    mean: Float[np.ndarray, " f"]
    scale: Float[np.ndarray, " f"]
    weights: Float[np.ndarray, "f k"]
    bias: Float[np.ndarray, " k"]

    @classmethod
    def fit(
        cls,
        clips: Sequence[Clip],
        look: Callable[[Clip], Float[np.ndarray, "t f"]],
        state: StateOf = state_of,
    ) -> LinearProbe:
        """Fit on three quarters of the clips, choose strengths on the last quarter.

        Args:
            clips: simulated, at least four.
            look: features of every frame of a clip.
            state: what to read, and what of it is known; by default `state_of`.

        Raises:
            InputError: too few clips, or ones without truth.
        """
        if len(clips) < 4:
            raise InputError(f"a probe needs at least 4 clips, there are {len(clips)}")
        cut = 3 * len(clips) // 4
        x, y, known = _gather(clips[:cut], look, state)
        x2, y2, known2 = _gather(clips[cut:], look, state)
        mean, scale = x.mean(axis=0), _scale_of(x)
        x, x2 = (x - mean) / scale, (x2 - mean) / scale
        axes = _main_axes(x)
        x, x2 = x @ axes, x2 @ axes
        weights = np.zeros((axes.shape[1], y.shape[1]))
        bias = np.zeros(y.shape[1])
        for k in range(y.shape[1]):
            rows, rows2 = known[:, k], known2[:, k]
            if rows.sum() < 2 or not rows2.any():
                continue
            bias[k] = y[rows, k].mean()
            values, turn = np.linalg.eigh(x[rows].T @ x[rows])
            aim = turn.T @ (x[rows].T @ (y[rows, k] - bias[k]))
            best = np.inf
            for strength in _STRENGTHS:
                candidate = turn @ (aim / (values.clip(0) + strength))
                error = np.mean((x2[rows2] @ candidate + bias[k] - y2[rows2, k]) ** 2)
                if error < best:
                    best, weights[:, k] = error, candidate
        return cls(mean, scale, axes @ weights, bias)

    def read(self, features: Float[np.ndarray, "t f"]) -> Float[np.ndarray, "t k"]:
        """State of each frame."""
        return (features - self.mean) / self.scale @ self.weights + self.bias

    def score(
        self, clips: Sequence[Clip], look: Callable[[Clip], Float[np.ndarray, "t f"]]
    ) -> dict[str, Probed]:
        """How well each target is read on other clips; those never known are left out."""
        x, y, known = _gather(clips, look, state_of)
        found = self.read(x)
        scores = {}
        for k, name in enumerate(TARGETS):
            rows = known[:, k]
            spread = float(y[rows, k].std()) if rows.any() else 0.0
            if spread < 1e-9:
                continue
            error = float(np.sqrt(np.mean((found[rows, k] - y[rows, k]) ** 2)))
            scores[name] = Probed(1 - (error / spread) ** 2, error, spread, int(rows.sum()))
        return scores


def _scale_of(x: Float[np.ndarray, "s f"]) -> Float[np.ndarray, " f"]:
    """Standard deviations, none taken for smaller than a share of the largest.

    What hardly varies in true latents is drowned by the errors of imagined ones, whatever it tells
    of the state: blown up to the size of the others it would make readings of them worthless.
    """
    std = x.std(axis=0)
    return np.maximum(std, max(_LEAST_SCALE * float(std.max()), 1e-6))


def _main_axes(x: Float[np.ndarray, "s f"]) -> Float[np.ndarray, "f a"]:
    """Directions in which features vary most; what lies outside of them is noise to a ridge."""
    if min(x.shape) <= _MOST_AXES:
        return np.linalg.svd(x, full_matrices=False)[2].T
    with torch.random.fork_rng():
        torch.manual_seed(0)
        whole = torch.from_numpy(x.astype(np.float32))
        return torch.pca_lowrank(whole, q=_MOST_AXES, center=False)[2].double().numpy()


def _gather(
    clips: Sequence[Clip], look: Callable[[Clip], Any], state_of: StateOf
) -> tuple[Any, Any, Any]:
    features, states, known = [], [], []
    for clip in clips:
        state, there = state_of(clip)
        features.append(look(clip))
        states.append(state)
        known.append(there)
    return np.concatenate(features), np.concatenate(states), np.concatenate(known)
