"""Link detections over frames into a `Scene`, with norfair's tracker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from norfair import Detection as Point
from norfair import Tracker
from norfair.distances import Distance
from norfair.tracker import TrackedObject
from scipy.spatial.transform import Rotation

from worldline.core.camera import Camera
from worldline.core.provenance import Provenance
from worldline.core.scene import STATIC, Contact, Scene
from worldline.readout.heads import Touch
from worldline.readout.latent import Detection

__all__ = ["join_motion", "link_detections", "uncrop"]

_REACH = 1.5
"""Farthest that a detection may lie from where its track expects it, in object widths."""
_COLOR_WEIGHT = 1.5
"""Object widths that a complete change of colour counts for."""
_MEMORY_FRAMES = 6
"""Frames that a track outlives its last detection."""
_LEAST_DETECTIONS = 3


def link_detections(
    frames: Sequence[Sequence[Detection]],
    time_s: Float[np.ndarray, " t"],
    *,
    size_px: int,
    provenance: Provenance,
    touches: Sequence[Sequence[Touch]] | None = None,
) -> Scene:
    """Tracks with identities from detections per frame.

    Places and boxes are the detections' own, with their uncertainty; between two detections of a
    track the object counts as present and not visible. Contacts are intervals in which two boxes
    touch, with a confidence that falls with depth between them; or, where the readout saw touches
    itself, intervals in which it did, with the mean of what it gave them.
    """
    tracker = Tracker(
        distance_function="euclidean",
        distance_threshold=_REACH,
        hit_counter_max=_MEMORY_FRAMES,
        initialization_delay=0,
    )
    tracker.distance_function = _Apart()
    tracks: dict[int, dict[int, Detection]] = {}
    for t, found in enumerate(frames):
        points = [Point(points=np.array([[d.x_px, d.y_px]]), data=(t, d)) for d in found]
        tracker.update(points or None)
        for item in tracker.tracked_objects:
            seen_at, detection = item.last_detection.data
            if seen_at == t:
                tracks.setdefault(int(item.initializing_id or 0), {})[t] = detection
    kept = [track for track in tracks.values() if len(track) >= _LEAST_DETECTIONS]
    scene = _to_scene(kept, np.asarray(time_s, dtype=np.float64), size_px, provenance)
    contacts = _contacts(scene) if touches is None else _seen_contacts(scene, kept, touches)
    return replace(scene, contacts=contacts)


class _Apart(Distance):
    """Distance between detections and where tracks expect them, in object widths, plus colour."""

    def get_distances(
        self,
        objects: Sequence[TrackedObject],
        candidates: Sequence[Point | TrackedObject] | None,
    ) -> Float[np.ndarray, "c o"]:
        points = [c for c in candidates or () if isinstance(c, Point)]
        if not points or not objects:
            return np.full((len(points), len(objects)), np.inf)
        new: list[Detection] = [p.data[1] for p in points]
        last: list[Detection] = [o.last_detection.data[1] for o in objects]
        place = np.array([p.points[0] for p in points])
        expected = np.array([o.estimate[0] for o in objects])
        width = np.array([max(3.0, 0.5 * (d.w_px + d.h_px)) for d in last])
        away = np.linalg.norm(place[:, None] - expected[None], axis=-1) / width
        colors, last_colors = (np.array([d.color_rgb for d in ds]) for ds in (new, last))
        return away + _COLOR_WEIGHT * np.abs(colors[:, None] - last_colors[None]).mean(-1)


def _to_scene(
    tracks: list[dict[int, Detection]],
    time_s: Float[np.ndarray, " t"],
    size_px: int,
    provenance: Provenance,
) -> Scene:
    n, t = len(tracks), len(time_s)
    if n == 0:
        return Scene.empty(time_s, size_px, size_px, provenance)
    center, size, std = (np.full((n, t, 2), np.nan) for _ in range(3))
    depth = np.full((n, t), np.nan)
    color = np.zeros((n, 3))
    visible, present = np.zeros((n, t), bool), np.zeros((n, t), bool)
    for i, track in enumerate(tracks):
        present[i, min(track) : max(track) + 1] = True
        for at, d in track.items():
            visible[i, at] = True
            center[i, at], size[i, at] = (d.x_px, d.y_px), (d.w_px, d.h_px)
            std[i, at], depth[i, at] = d.std_px, d.depth_m
        color[i] = np.mean([d.color_rgb for d in track.values()], axis=0)
    return Scene(
        time_s=time_s,
        width_px=size_px,
        height_px=size_px,
        ids=np.arange(n),
        labels=("object",) * n,
        present=present,
        visible=visible,
        center_px=center,
        size_px=size,
        center_px_std=std,
        color_rgb=color,
        depth_m=depth,
        provenance=provenance,
    )


def _seen_contacts(
    scene: Scene, tracks: list[dict[int, Detection]], touches: Sequence[Sequence[Touch]]
) -> tuple[Contact, ...]:
    """Touches of frames as intervals between tracks; each end of a touch belongs to the nearest
    body, if that is not farther away than a body's width."""
    n = scene.num_objects
    chance = np.zeros((n, n + 1, scene.num_frames))
    for i, track in enumerate(tracks):
        for t, detection in track.items():
            chance[i, n, t] = detection.touches_static or 0.0
    for t, found in enumerate(touches):
        place, there = scene.center_px[:, t], scene.visible[:, t]
        width = scene.size_px[:, t].max(axis=-1)
        for touch in found:
            ends = []
            for end in (touch.a_px, touch.b_px):
                away = np.where(there, np.linalg.norm(place - np.array(end), axis=-1), np.inf)
                near = int(away.argmin()) if n else -1
                if n and away[near] <= max(3.0, float(width[near])):
                    ends.append(near)
            if len(set(ends)) == 2:
                i, j = sorted(ends)
                chance[i, j, t] = max(chance[i, j, t], touch.confidence)
    contacts = []
    for i, j in np.argwhere((chance > 0.5).any(axis=2)).tolist():
        for start, stop in _runs(chance[i, j] > 0.5):
            contacts.append(
                Contact(
                    a=int(scene.ids[i]),
                    b=STATIC if j == n else int(scene.ids[j]),
                    start_s=float(scene.time_s[start]),
                    end_s=float(scene.time_s[stop - 1]),
                    point_px=None if j == n else _middle(scene, i, j, start),
                    confidence=float(chance[i, j, start:stop].mean()),
                )
            )
    return tuple(sorted(contacts, key=lambda c: (c.start_s, c.a, c.b)))


def _contacts(scene: Scene) -> tuple[Contact, ...]:
    """Intervals in which boxes touch (a gap under a tenth of the smaller box counts as none)."""
    found: list[Contact] = []
    for i in range(scene.num_objects):
        for j in range(i + 1, scene.num_objects):
            both = scene.visible[i] & scene.visible[j]
            gap = np.abs(scene.center_px[i] - scene.center_px[j])
            gap = gap - 0.5 * (scene.size_px[i] + scene.size_px[j])
            least = np.minimum(scene.size_px[i], scene.size_px[j]).min(axis=1)
            touch = both & (np.nan_to_num(gap.max(axis=1), nan=1e9) < 0.1 * np.nan_to_num(least))
            for start, stop in _runs(touch):
                span = slice(start, stop)
                found.append(
                    Contact(
                        a=int(scene.ids[i]),
                        b=int(scene.ids[j]),
                        start_s=float(scene.time_s[start]),
                        end_s=float(scene.time_s[stop - 1]),
                        point_px=_middle(scene, i, j, start),
                        confidence=_same_depth(scene, i, j, span),
                    )
                )
    return tuple(sorted(found, key=lambda c: c.start_s))


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _middle(scene: Scene, i: int, j: int, at: int) -> tuple[float, float]:
    x, y = 0.5 * (scene.center_px[i, at] + scene.center_px[j, at])
    return float(x), float(y)


def _same_depth(scene: Scene, i: int, j: int, span: slice) -> float:
    """exp(-(relative depth difference / 0.15)^2), at most 0.9: boxes are not bodies."""
    if scene.depth_m is None:
        return 0.5
    a, b = scene.depth_m[i, span], scene.depth_m[j, span]
    apart = float(np.nanmin(np.abs(a - b) / np.maximum(0.5 * (a + b), 1e-6)))
    return 0.9 * float(np.exp(-((apart / 0.15) ** 2))) if np.isfinite(apart) else 0.5


def uncrop(scene: Scene, crop_px: tuple[int, int, int, int], size_px: tuple[int, int]) -> Scene:
    """From the world's square back to the pixels of the clip that it was cut from."""
    x, y, w, h = crop_px
    scale = np.array([w / scene.width_px, h / scene.height_px])
    contacts = tuple(
        c
        if c.point_px is None
        else replace(c, point_px=(c.point_px[0] * scale[0] + x, c.point_px[1] * scale[1] + y))
        for c in scene.contacts
    )
    return replace(
        scene,
        width_px=size_px[0],
        height_px=size_px[1],
        center_px=scene.center_px * scale + np.array([x, y]),
        size_px=scene.size_px * scale,
        center_px_std=scene.center_px_std * scale,
        contacts=contacts,
        camera=None if scene.camera is None else _widened(scene.camera, float(scale[0]), size_px),
    )


def _widened(camera: Camera, scale: float, size_px: tuple[int, int]) -> Camera:
    """The camera of the whole image, about the same middle."""
    std = camera.focal_std_px
    return replace(
        camera,
        focal_px=camera.focal_px * scale,
        focal_std_px=None if std is None else std * scale,
        width_px=size_px[0],
        height_px=size_px[1],
    )


def join_motion(
    motion: Float[np.ndarray, "t 6"],
    std: Float[np.ndarray, "t 6"],
    focal_px: float,
    focal_std_px: float,
    size_px: int,
) -> Camera:
    """The path of a camera, from how it turned (rotation vector, radians) and shifted (metres) from
    frame to frame in its own axes. Errors of frames count as independent of each other."""
    poses = [np.eye(4)]
    for step in motion[1:]:
        moved = np.eye(4)
        moved[:3, :3] = Rotation.from_rotvec(step[:3]).as_matrix()
        moved[:3, 3] = step[3:]
        poses.append(poses[-1] @ moved)
    turn, place = (np.sqrt(np.cumsum(np.square(part).sum(1))) for part in (std[:, :3], std[:, 3:]))
    return Camera(focal_px, size_px, size_px, np.stack(poses), turn, place, focal_std_px)
