"""Flat discs with closed-form motion, after PhyWorld (Kang et al. 2024, arXiv 2411.02385).

The world is 10 by 10, seen straight from the front; x points right and z up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from worldline.core import STATIC, Clip, Contact, Origin, Provenance, Scene
from worldline.sim.stage import Vector

__all__ = ["WORLD_M", "Discs", "draw_discs", "film_discs"]

WORLD_M = 10.0
MIN_VISIBLE_PX = 4.0
SUB_ROWS = 8


@dataclass(frozen=True)
class Discs:
    """Discs over time.

    Attributes:
        time_s: `[T]` frame times.
        radius_m: `[N]`.
        position_m, velocity_mps: `[N, T, 2]` (x, z).
        colors: N colours, RGB in [0, 1].
        ground: colour of everything else.
        gravity_mps2: downward acceleration.
        contacts: touches of discs, with each other and with the surroundings.
        caption: one sentence.
    """

    time_s: Float[np.ndarray, " t"]
    radius_m: Float[np.ndarray, " n"]
    position_m: Float[np.ndarray, "n t 2"]
    velocity_mps: Float[np.ndarray, "n t 2"]
    colors: tuple[Vector, ...]
    ground: Vector
    gravity_mps2: float
    caption: str
    contacts: tuple[Contact, ...] = ()

    @property
    def mass_kg(self) -> Float[np.ndarray, " n"]:
        """Mass in proportion to area."""
        return np.pi * self.radius_m**2


def draw_discs(
    centers_px: Float[np.ndarray, "n t 2"],
    radii_px: Float[np.ndarray, " n"],
    colors: tuple[Vector, ...],
    ground: Vector,
    size_px: int,
) -> tuple[UInt8[np.ndarray, "t h w 3"], Int[np.ndarray, "t h w"], Float[np.ndarray, "n t"]]:
    """Paint discs with their coverage of each pixel, later ones over earlier ones.

    Coverage is exact along x and sampled on `SUB_ROWS` lines a pixel along y.

    Returns:
        frames, identity at pixel centres (-1 for the ground), covered area `[N, T]` in pixels.
    """
    grid = np.arange(size_px) + 0.5
    num_discs, num_frames = centers_px.shape[:2]
    image = np.broadcast_to(np.asarray(ground), (num_frames, size_px, size_px, 3)).copy()
    identity = np.full((num_frames, size_px, size_px), -1, np.int16)
    area = np.zeros((num_discs, num_frames))
    for index in range(num_discs):
        x, y = centers_px[index, :, 0], centers_px[index, :, 1]
        share = _coverage(x, y, float(radii_px[index]), size_px)
        image += share[..., None] * (np.asarray(colors[index]) - image)
        dx, dy = grid - x[:, None], grid - y[:, None]
        inside = dx[:, None, :] ** 2 + dy[:, :, None] ** 2 <= radii_px[index] ** 2
        identity[inside] = index
        area[index] = share.sum(axis=(1, 2))
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), identity, area


def _coverage(
    x_px: Float[np.ndarray, " t"], y_px: Float[np.ndarray, " t"], radius_px: float, size_px: int
) -> Float[np.ndarray, "t h w"]:
    # only a window around the disc, the same size in every frame
    side = int(np.ceil(2 * radius_px)) + 2
    left, top = np.floor(x_px - radius_px).astype(int), np.floor(y_px - radius_px).astype(int)
    lines = top[:, None] + (np.arange(side * SUB_ROWS) + 0.5) / SUB_ROWS
    half = np.sqrt(np.maximum(radius_px**2 - (lines - y_px[:, None]) ** 2, 0))
    low, high = (x_px[:, None] - half)[..., None], (x_px[:, None] + half)[..., None]
    edges = (left[:, None] + np.arange(side))[:, None]
    covered = np.maximum(np.minimum(edges + 1, high) - np.maximum(edges, low), 0)
    window = covered.reshape(len(x_px), side, SUB_ROWS, side).mean(axis=2)
    rows, columns = top[:, None] + np.arange(side), left[:, None] + np.arange(side)
    in_rows, in_columns = (rows >= 0) & (rows < size_px), (columns >= 0) & (columns < size_px)
    t, i, j = np.nonzero(in_rows[:, :, None] & in_columns[:, None, :])
    share = np.zeros((len(x_px), size_px, size_px))
    share[t, rows[t, i], columns[t, j]] = window[t, i, j]
    return share


def film_discs(discs: Discs, size_px: int) -> Clip:
    """The clip of a disc scene with its truth; it has no camera and no depth."""
    scale = size_px / WORLD_M
    x, z = discs.position_m[..., 0], discs.position_m[..., 1]
    center_px = np.stack([x, WORLD_M - z], axis=-1) * scale
    n, t = x.shape
    frames, identity, area = draw_discs(
        center_px, discs.radius_m * scale, discs.colors, discs.ground, size_px
    )
    background = np.broadcast_to(np.asarray(discs.ground), (1, size_px, size_px, 3))
    provenance = Provenance(origin=Origin.SIMULATED)
    width = 2 * discs.radius_m
    scene = Scene(
        time_s=discs.time_s,
        width_px=size_px,
        height_px=size_px,
        ids=np.arange(n),
        labels=("disc",) * n,
        present=np.ones((n, t), dtype=bool),
        visible=area >= MIN_VISIBLE_PX,
        center_px=center_px,
        size_px=np.broadcast_to((width * scale)[:, None, None], (n, t, 2)).copy(),
        center_px_std=np.zeros((n, t, 2)),
        color_rgb=np.array(discs.colors, dtype=np.float64),
        position_m=_in_space(discs.position_m),
        velocity_mps=_in_space(discs.velocity_mps),
        rotation_wxyz=np.broadcast_to((1.0, 0.0, 0.0, 0.0), (n, t, 4)).copy(),
        angular_velocity_radps=np.zeros((n, t, 3)),
        extent_m=np.repeat(width[:, None], 3, axis=1),
        mass_kg=discs.mass_kg,
        gravity_mps2=np.array([0.0, 0.0, -discs.gravity_mps2]),
        metres_per_px=1 / scale,
        contacts=tuple(_with_point(contact, discs, scale) for contact in discs.contacts),
        caption=discs.caption,
        provenance=provenance,
    )
    return Clip(
        frames=frames,
        time_s=discs.time_s,
        provenance=provenance,
        segmentation=identity,
        background=(background * 255 + 0.5).astype(np.uint8),
        scene=scene,
        caption=discs.caption,
    )


def _in_space(plane: Float[np.ndarray, "n t 2"]) -> Float[np.ndarray, "n t 3"]:
    return np.stack([plane[..., 0], np.zeros(plane.shape[:2]), plane[..., 1]], axis=-1)


def _with_point(contact: Contact, discs: Discs, scale: float) -> Contact:
    a, b = contact.a, contact.b
    if b == STATIC:
        return contact
    before = int(np.searchsorted(discs.time_s, contact.start_s, side="right") - 1)
    wait_s = contact.start_s - float(discs.time_s[before])
    at = discs.position_m[:, before] + discs.velocity_mps[:, before] * wait_s
    point = (at[a] * discs.radius_m[b] + at[b] * discs.radius_m[a]) / discs.radius_m[[a, b]].sum()
    x, y = (np.array([point[0], WORLD_M - point[1]]) * scale).tolist()
    return Contact(a, b, contact.start_s, contact.end_s, (x, y), contact.impulse_ns)
