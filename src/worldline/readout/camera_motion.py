"""Where the camera looks now, relative to a reference view."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

__all__ = ["CameraRegistration", "View"]

_MAX_FEATURES = 500
_GRID = (8, 6)  # columns and rows; each cell of the image has one vote
_PER_CELL = 4
_PER_CELL_LARGE = 2
_MIN_FEATURES = 8
_STILL_PX = 0.25  # smaller shifts are measurement noise, and warping by them would only blur
_INLIER_PX = 1.5
_MIN_INLIER_SHARE = 0.45
_MIN_SPAN = 0.5  # of width and height over which corners must agree: no object is as large
_MIN_CORNER = 1.5e-5  # least eigenvalue of the gradient matrix (8-bit image); noise stays below
_MAX_RETURN_PX = 0.3
_MAX_MISMATCH = np.array(
    [40.0]
)  # grey levels; what an object changes says nothing about the camera
_BETTER = 0.92
_STILL_SHARE = 0.25  # of the image that has not moved: then the camera has not moved either
_NEAR_PX = 0.2  # by one step of flow, along each axis
_NEAR_SHARE = 0.3  # above what flow asks for, so that who is still at a glance is still by flow
_GLANCE_RADIUS_PX = 5
_FLOW = {"winSize": (15, 15), "maxLevel": 3, "criteria": (3, 15, 0.03)}
_FLOW_LARGE = {"winSize": (11, 11), "maxLevel": 3, "criteria": (3, 20, 0.01)}
_LARGE_PX = 320  # longer sides have sharp corners: half as many, in smaller windows, are enough


@dataclass(frozen=True, eq=False)
class View:
    """One frame's registration.

    Attributes:
        current_from_reference: `[3, 3]` homography in pixels.
        moved: the camera does not look as in the reference.
        lost: too little in the two views agrees; the transform is that of the frame before.
    """

    current_from_reference: Float[np.ndarray, "3 3"]
    moved: bool
    lost: bool


class CameraRegistration:
    """Registers frames against a reference picture, not against each other, so nothing drifts.

    Corners (Shi and Tomasi 1994) of the reference are found again by pyramidal Lucas-Kanade flow;
    a homography or, with few corners, a similarity is fitted robustly. Corners are spread evenly,
    because a large patterned object has more of them than all the rest. A moving camera leaves
    nothing in its place: if a quarter of the image has not moved, the map is exactly the identity.
    Where a camera stood still and a glance at the corners shows that it still does, nothing is
    searched for.
    """

    def __init__(self) -> None:
        self._reference: np.ndarray | None = None
        self._is_large = False
        self._points = np.zeros((0, 1, 2), dtype=np.float32)
        self._cells = np.zeros(0, dtype=np.int64)
        self._glance: _Glance | None = None
        self._last = np.eye(3)

    def set_reference(
        self,
        gray: UInt8[np.ndarray, "h w"],
        valid: UInt8[np.ndarray, "h w"] | None = None,
        current_from_reference: Float[np.ndarray, "3 3"] | None = None,
    ) -> None:
        """Choose the picture to compare with; `valid` is 0 where no corner may be taken."""
        self._is_large = max(gray.shape) > _LARGE_PX
        self._reference = _smooth(gray)
        self._points = np.zeros((0, 1, 2), np.float32)
        self._glance = None
        strongest = float(cv2.cornerMinEigenVal(self._reference, 3).max())
        if strongest > _MIN_CORNER:
            least = max(0.005, _MIN_CORNER / strongest)
            found = cv2.goodFeaturesToTrack(self._reference, _MAX_FEATURES, least, 6, mask=valid)
            height, width = gray.shape
            if found is not None:  # corners on the picture's very edge are none to OpenCV
                per_cell = _PER_CELL_LARGE if self._is_large else _PER_CELL
                self._points, self._cells = _spread(found.reshape(-1, 2), width, height, per_cell)
                self._glance = _Glance(self._reference, self._points[:, 0])
        if current_from_reference is not None:
            self._last = current_from_reference

    def register(self, gray: UInt8[np.ndarray, "h w"]) -> View:
        """Find the view of the next frame."""
        if self._reference is None:
            self.set_reference(gray)
        if self._reference is None or len(self._points) < _MIN_FEATURES:
            return View(np.eye(3), moved=False, lost=False)
        gray = _smooth(gray)
        if self._glance is not None and _is_identity(self._last):
            near = np.all(np.abs(self._glance.shifts(gray)) < _NEAR_PX, axis=0)
            if _share(near, self._cells) >= _NEAR_SHARE:
                return self._stay()
        flow = _FLOW_LARGE if self._is_large else _FLOW
        guess = cv2.perspectiveTransform(self._points, self._last).astype(np.float32)
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            self._reference, gray, self._points, guess, flags=cv2.OPTFLOW_USE_INITIAL_FLOW, **flow
        )
        good = status.ravel() == 1
        if (
            _share(
                (np.linalg.norm(found - self._points, axis=2).ravel() < _STILL_PX) & good,
                self._cells,
            )
            >= _STILL_SHARE
        ):
            return self._stay()
        before, after, cells = self._points[good], found[good], self._cells[good]
        if len(before) < _MIN_FEATURES:
            return self._lose()
        # Noise has corners too, but they do not lead back to where they came from.
        back, status, _ = cv2.calcOpticalFlowPyrLK(
            gray,
            self._reference,
            after,
            before.copy(),
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
            **flow,
        )
        good = status.ravel() == 1
        good &= np.linalg.norm(back - before, axis=2).ravel() < _MAX_RETURN_PX
        before, after, cells = before[good, 0], after[good, 0], cells[good]
        if len(before) < _MIN_FEATURES:
            return self._lose()
        transform, inliers = _fit(before, after)
        if (
            transform is None
            or _share(inliers, cells) < _MIN_INLIER_SHARE
            or not _is_wide(before[inliers], gray.shape)
            or not _explains(self._reference, gray, transform)
        ):
            return self._lose()
        self._last = transform
        return View(transform, moved=True, lost=False)

    def _stay(self) -> View:
        self._last = np.eye(3)
        return View(self._last, moved=False, lost=False)

    def _lose(self) -> View:
        """Without a clear answer a camera that stood still stands still."""
        moved = not _is_identity(self._last)
        return View(self._last, moved=moved, lost=moved)


class _Glance:
    """One step of Lucas-Kanade flow from where the corners of a reference are.

    All that depends on the reference is made ready once (Baker and Matthews 2004, inverse
    compositional algorithm), with the mean taken out, so that a change of brightness is no motion.
    One step measures shifts of a fraction of a pixel, and tells of larger ones that they are large.
    """

    def __init__(
        self, reference: UInt8[np.ndarray, "h w"], points: Float[np.ndarray, "n 2"]
    ) -> None:
        height, width = reference.shape
        reach = np.arange(-_GLANCE_RADIUS_PX, _GLANCE_RADIUS_PX + 1)
        x, y = np.round(points).astype(np.int64).T[:, :, None]
        column = np.clip(x + reach, 0, width - 1)[:, None, :]
        row = np.clip(y + reach, 0, height - 1)[:, :, None]
        self._at = (row * width + column).reshape(len(points), -1)
        smooth = reference.astype(np.float32)
        self._seen = smooth.ravel()[self._at]
        gx, gy = (
            slopes - slopes.mean(axis=1, keepdims=True)
            for slopes in (
                cv2.Sobel(smooth, cv2.CV_32F, *axis, scale=1 / 8).ravel()[self._at]
                for axis in ((1, 0), (0, 1))
            )
        )
        xx, xy, yy = ((one * two).sum(axis=1) for one, two in ((gx, gx), (gx, gy), (gy, gy)))
        scale = 1.0 / np.maximum(xx * yy - xy * xy, 1e-6)
        self._steps = np.stack(
            [
                (yy * scale)[:, None] * gx - (xy * scale)[:, None] * gy,
                (xx * scale)[:, None] * gy - (xy * scale)[:, None] * gx,
            ]
        )

    def shifts(self, gray: UInt8[np.ndarray, "h w"]) -> Float[np.ndarray, "2 n"]:
        """Where each corner has gone, x and y in pixels."""
        return np.einsum("knp,np->kn", self._steps, self._seen - gray.ravel()[self._at])


def _smooth(gray: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    return cv2.GaussianBlur(gray, (5, 5), 1.2)


def _is_wide(points: Float[np.ndarray, "n 2"], shape: tuple[int, ...]) -> bool:
    span = np.ptp(points, axis=0) if len(points) else np.zeros(2)
    return bool(np.all(span >= _MIN_SPAN * np.array([shape[1], shape[0]])))


def _explains(
    reference: UInt8[np.ndarray, "h w"],
    gray: UInt8[np.ndarray, "h w"],
    transform: Float[np.ndarray, "3 3"],
) -> bool:
    """Whether the picture looks more like the reference after the transform than without it."""
    # Every second pixel each way is enough, and no more of them are warped.
    height, width = reference[::2, ::2].shape
    warped = cv2.warpPerspective(
        gray,
        transform @ np.diag([2.0, 2.0, 1.0]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    sparse = np.ascontiguousarray(reference[::2, ::2])
    with_it, without = (
        cv2.sumElems(cv2.min(cv2.absdiff(image, sparse), _MAX_MISMATCH))[0]
        for image in (warped, np.ascontiguousarray(gray[::2, ::2]))
    )
    return with_it < _BETTER * without


def _spread(
    points: Float[np.ndarray, "n 2"], width: int, height: int, per_cell: int
) -> tuple[Float[np.ndarray, "k 1 2"], Int[np.ndarray, " k"]]:
    """The strongest corners of each cell of a grid, and the cells."""
    column = np.minimum((points[:, 0] * _GRID[0] / width).astype(np.int64), _GRID[0] - 1)
    row = np.minimum((points[:, 1] * _GRID[1] / height).astype(np.int64), _GRID[1] - 1)
    cell = row * _GRID[0] + column
    taken = np.zeros(_GRID[0] * _GRID[1], dtype=np.int64)
    keep = np.zeros(len(points), dtype=bool)
    for i, c in enumerate(cell):  # strongest first
        keep[i] = taken[c] < per_cell
        taken[c] += 1
    return points[keep].reshape(-1, 1, 2), cell[keep]


def _share(votes: Bool[np.ndarray, " n"], cells: Int[np.ndarray, " n"]) -> float:
    """Mean over cells of the share of corners that vote yes."""
    count = np.bincount(cells)
    return float(np.mean(np.bincount(cells, weights=votes)[count > 0] / count[count > 0]))


def _fit(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    if len(before) >= 30:
        transform, mask = cv2.findHomography(
            before, after, cv2.USAC_MAGSAC, _INLIER_PX, maxIters=500, confidence=0.99
        )
    else:
        affine, mask = cv2.estimateAffinePartial2D(
            before, after, method=cv2.RANSAC, ransacReprojThreshold=_INLIER_PX, maxIters=500
        )
        transform = None if affine is None else np.vstack([affine, [0.0, 0.0, 1.0]])
    if transform is None or mask is None or not np.all(np.isfinite(transform)):
        return None, np.zeros(len(before), dtype=bool)
    # A view that is mirrored, or several times larger or smaller, is a failed fit.
    area = float(np.linalg.det(transform[:2, :2]))
    if not 0.25 < area < 4.0:
        return None, np.zeros(len(before), dtype=bool)
    return transform / transform[2, 2], mask.ravel() > 0


def _is_identity(transform: np.ndarray) -> bool:
    return bool(np.array_equal(transform, np.eye(3)))
