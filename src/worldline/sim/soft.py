"""Geometry of bodies that bend: grids, their masses, and what their vertices tell."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import Delaunay

from worldline.sim.stage import Soft

__all__ = [
    "ball_grid",
    "block_grid",
    "edges_of",
    "elastic_energy_j",
    "faces_of",
    "placed_m",
    "rigid_motion",
    "sheet_grid",
    "vertex_mass_kg",
    "volumes_m3",
]


def sheet_grid(side_m: float, num_cells: int) -> tuple[np.ndarray, np.ndarray]:
    """A square in the plane z = 0: vertices `[V, 3]`, those of equal x in a row, and triangles."""
    across = np.linspace(-side_m / 2, side_m / 2, num_cells + 1)
    x, y = np.meshgrid(across, across, indexing="ij")
    vertices = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3)
    number = np.arange(len(vertices)).reshape(num_cells + 1, num_cells + 1)
    a, b = number[:-1, :-1].ravel(), number[1:, :-1].ravel()
    c, d = number[:-1, 1:].ravel(), number[1:, 1:].ravel()
    return vertices, np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])


def block_grid(half_m: tuple[float, float, float], num_cells: int) -> tuple[np.ndarray, np.ndarray]:
    """A block: vertices `[V, 3]` and six tetrahedra for each of its cells (Kuhn's division)."""
    ticks = np.linspace(-1, 1, num_cells + 1)
    vertices = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), -1).reshape(-1, 3)
    number = np.arange(len(vertices)).reshape((num_cells + 1,) * 3)
    tetrahedra = []
    for cell in product(range(num_cells), repeat=3):
        for order in permutations(range(3)):
            corner = list(cell)
            path = [number[tuple(corner)]]
            for axis in order:
                corner[axis] += 1
                path.append(number[tuple(corner)])
            tetrahedra.append(path)
    vertices = vertices * np.array(half_m)
    return vertices, _right_handed(vertices, np.array(tetrahedra))


def ball_grid(radius_m: float) -> tuple[np.ndarray, np.ndarray]:
    """A ball: its centre, an icosahedron about it, and a finer one as its surface.

    Returns:
        vertices `[55, 3]` and 160 tetrahedra.
    """
    golden = (1 + 5**0.5) / 2
    signs = list(product((-1.0, 1.0), (-golden, golden)))
    inner = np.array([turn for a, b in signs for turn in ((0, a, b), (a, b, 0), (b, 0, a))])
    inner /= np.linalg.norm(inner[0])
    apart = np.linalg.norm(inner[:, None] - inner, axis=-1)
    first, second = np.nonzero(np.triu((apart > 0) & (apart < 1.1)))
    between = inner[first] + inner[second]
    between /= np.linalg.norm(between, axis=1)[:, None]
    vertices = np.concatenate([np.zeros((1, 3)), 0.52 * inner, inner, between])
    tetrahedra = Delaunay(vertices).simplices.astype(np.int64)
    return vertices * radius_m, _right_handed(vertices, tetrahedra)


def _right_handed(vertices: np.ndarray, tetrahedra: np.ndarray) -> np.ndarray:
    turned = volumes_m3(vertices, tetrahedra) < 0
    tetrahedra = tetrahedra.copy()
    tetrahedra[turned, 2:] = tetrahedra[turned, :1:-1]
    return tetrahedra


def volumes_m3(
    vertex_m: Float[np.ndarray, "*t v 3"], tetrahedra: Int[np.ndarray, "e 4"]
) -> Float[np.ndarray, "*t e"]:
    """Signed volume of each tetrahedron: negative once it is turned inside out."""
    return np.linalg.det(_spans(vertex_m, tetrahedra)) / 6


def _spans(vertex_m: np.ndarray, tetrahedra: np.ndarray) -> np.ndarray:
    """Edges from the first corner of each tetrahedron, as columns: `[..., E, 3, 3]`."""
    corners = vertex_m[..., tetrahedra, :]
    return np.swapaxes(corners[..., 1:, :] - corners[..., :1, :], -1, -2)


def placed_m(soft: Soft) -> Float[np.ndarray, "v 3"]:
    """Where the vertices of a soft body are at the start."""
    w, *axis = soft.rotation_wxyz
    u = np.array(axis, dtype=np.float64)
    across = 2 * np.cross(u, soft.rest_m)
    return np.asarray(soft.position_m) + soft.rest_m + w * across + np.cross(u, across)


def vertex_mass_kg(soft: Soft) -> Float[np.ndarray, " v"]:
    """Mass of each vertex: its share of the elements that it belongs to."""
    if soft.is_sheet:
        a, b, c = np.moveaxis(soft.rest_m[soft.elements], 1, 0)
        size = np.linalg.norm(np.cross(b - a, c - a), axis=-1)
    else:
        size = volumes_m3(soft.rest_m, soft.elements)
    count = soft.elements.shape[1]
    shares = np.bincount(
        soft.elements.ravel(), np.repeat(size / count, count), minlength=len(soft.rest_m)
    )
    return soft.mass_kg * shares / shares.sum()


def faces_of(soft: Soft) -> Int[np.ndarray, "f 3"]:
    """Triangles that can be seen: a sheet's own, or those of a solid that have no other side."""
    if soft.is_sheet:
        return soft.elements
    sides = np.concatenate([soft.elements[:, list(s)] for s in _SIDES])
    _, first, count = np.unique(
        np.sort(sides, axis=1), axis=0, return_index=True, return_counts=True
    )
    return sides[first[count == 1]]


_SIDES = ((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2))
"""Faces of a tetrahedron, their normals pointing out."""


def edges_of(elements: Int[np.ndarray, "e k"]) -> Int[np.ndarray, "d 2"]:
    """Every edge once."""
    count = elements.shape[1]
    pairs = [elements[:, [i, j]] for i in range(count) for j in range(i + 1, count)]
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def elastic_energy_j(soft: Soft, vertex_m: Float[np.ndarray, "t v 3"]) -> Float[np.ndarray, " t"]:
    """Energy that a solid has stored; zero for a sheet.

    That of a Saint Venant-Kirchhoff material: the integral of mu tr(G G) + lambda / 2 tr(G)^2 with
    Green's strain G = (F^T F - 1) / 2 (Sifakis and Barbic, SIGGRAPH 2012 course notes, section
    3.3).
    """
    if soft.is_sheet:
        return np.zeros(len(vertex_m))
    at_rest = _spans(soft.rest_m, soft.elements)
    strain = _spans(vertex_m, soft.elements) @ np.linalg.inv(at_rest)
    strain = (np.swapaxes(strain, -1, -2) @ strain - np.eye(3)) / 2
    mu = soft.young_pa / (2 * (1 + soft.poisson))
    lame = soft.young_pa * soft.poisson / ((1 + soft.poisson) * (1 - 2 * soft.poisson))
    trace = np.trace(strain, axis1=-2, axis2=-1)
    density = mu * (strain**2).sum(axis=(-2, -1)) + lame / 2 * trace**2
    return density @ (np.linalg.det(at_rest) / 6)


def rigid_motion(
    soft: Soft, vertex_m: Float[np.ndarray, "t v 3"], velocity_mps: Float[np.ndarray, "t v 3"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What of a soft body's motion a rigid body could do.

    Returns:
        position `[T, 3]` and velocity `[T, 3]` of the centre of mass; rotation matrices
        `[T, 3, 3]` that carry its rest shape nearest to where its vertices are (Kabsch, Acta
        Crystallographica A32, 1976); and the angular velocity `[T, 3]` of a rigid body with its
        angular momentum.
    """
    mass = vertex_mass_kg(soft)
    share = mass / mass.sum()
    position, velocity = share @ vertex_m, share @ velocity_mps
    offset, drift = vertex_m - position[:, None], velocity_mps - velocity[:, None]
    left, _, right = np.linalg.svd(np.einsum("v,tvi,vj->tij", mass, offset, soft.rest_m))
    flip = np.ones((len(vertex_m), 3))
    flip[:, 2] = np.linalg.det(left @ right)
    rotation = left * flip[:, None] @ right
    momentum = np.einsum("v,tvi->ti", mass, np.cross(offset, drift))
    spread = np.einsum("v,tvi,tvj->tij", mass, offset, offset)
    inertia = np.trace(spread, axis1=1, axis2=2)[:, None, None] * np.eye(3) - spread
    spin = np.linalg.solve(inertia, momentum[..., None])[..., 0]
    return position, velocity, rotation, spin
