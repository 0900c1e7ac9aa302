"""`PixelReadout`: from frames to a `Scene`, by motion, and by plug-ins where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
from jaxtyping import UInt8

from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.core.provenance import Provenance
from worldline.core.scene import Scene
from worldline.physics import detect_events, with_contacts
from worldline.readout.fusion import fuse, measure_depths
from worldline.readout.lit_tracks import without_light
from worldline.readout.motion import MotionDetector
from worldline.readout.plugins import DepthEstimator, Detector
from worldline.readout.prefetch import prefetch
from worldline.readout.reidentify import reidentify
from worldline.readout.threads import one_thread_each
from worldline.readout.tracker import RegionTracker, Track
from worldline.readout.trajectory import Trajectory, is_moving, join_fragments, trace
from worldline.readout.witness import Witness

__all__ = ["PixelReadout", "PixelReadoutConfig"]

_MAX_GAP_FRAMES = 90

_Test = Callable[[Track], bool]


@register("readout/pixels")
@dataclass(frozen=True)
class PixelReadoutConfig(Config):
    """How to look for moving objects.

    Attributes:
        max_side_px: the search works on frames shrunk to this; boxes are in pixels of the input.
        min_frames, min_s: an object must be seen in so many frames, over so long a time.
        min_travel_px: its box must travel so far, in pixels of the input,
        min_travel: and so far in units of its own size (root of the box area).
        max_gap_s: an object hidden for longer is not waited for by the tracker;
        max_away_s: it is the same one still when it comes back within this time where its way
            leads, in like colour and size.
        buffer_s: start of a shot from which its background is learned.
        absorb_s: what moved and then stood still for so long is background.
        sample_s: how often a detector or a depth estimator is asked, if there is one.
    """

    max_side_px: int = 480
    min_frames: int = 4
    min_s: float = 0.3
    min_travel_px: float = 2.0
    min_travel: float = 0.25
    max_gap_s: float = 0.6
    max_away_s: float = 2.0
    buffer_s: float = 1.5
    absorb_s: float = 12.0
    sample_s: float = 0.2

    def build(self) -> PixelReadout:
        """The readout."""
        return PixelReadout(self)

    def is_too_short(self, num_frames: int, duration_s: float) -> bool:
        """Whether a video is so short that finding nothing in it says little.

        What moves in half of it alone is then not seen for long enough to count.
        """
        return num_frames < 2 * self.min_frames or duration_s < 2 * self.min_s


class PixelReadout:
    """Finds and follows what moves, knowing nothing about what it is.

    A background model finds what differs from the still scene, a registration takes the camera's
    motion out, Kalman filters join regions into tracks. By motion alone every object is labelled
    "object", what never moves is not found, and things that touch from first to last are one
    object; a detector gives names and finds what rests, a depth estimator says how far things are.
    """

    Config = PixelReadoutConfig

    def __init__(self, config: PixelReadoutConfig) -> None:
        self.config = config

    def read(
        self,
        frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]],
        *,
        provenance: Provenance,
        full_size_px: tuple[int, int] | None = None,
        detector: Detector | None = None,
        depth: DepthEstimator | None = None,
        num_workers: int = 0,
    ) -> Scene:
        """One pass over (time in seconds, RGB frame) pairs.

        Memory is that of a few seconds of small frames plus the tracks, in each process.

        Args:
            frames: equally large frames in order of time.
            provenance: of the video.
            full_size_px: (width, height) of the video if `frames` were shrunk while decoding; the
                scene is then in pixels of the full size.
            detector, depth: plug-ins, see `worldline.readout.plugins`; they are shown the frames as
                they come.
            num_workers: processes in which shots are searched for motion, several at once; 0 for
                threads of this one; `workers_for` says what pays. The scene is the same. Scripts
                that ask for processes need the usual `if __name__ == "__main__"`.

        Returns:
            scene in pixels, with contacts and events by `worldline.physics`. The scale that a free
            fall implies stays with its event: taken for the scene's own, it would be the only
            evidence for the very law that it was derived from.

        Raises:
            InputError: no frames, frames of differing size, a plug-in that fails, or a process that
                died (`WorkerLostError`).
        """
        watch = _Watch()
        witness = Witness(detector, depth, every_s=self.config.sample_s)
        trajectories: list[Trajectory] = []

        def settle(tracks: list[Track], is_object: _Test) -> None:
            floor_px = 0.25 * self._search_px(watch.size_px)
            moving = {track: is_object(track) for track in tracks}
            matter = without_light(tracks, list(moving.values()))
            trajectories.extend(
                trace(track, floor_px=floor_px)
                for track in join_fragments(matter)
                if (moving[track] if track in moving else is_object(track))
            )

        moments = witness.watch(watch.checked(frames))
        full_px = full_size_px[0] if full_size_px else 0
        times_s, cuts = self._follow(moments, watch, full_px, num_workers, settle)
        labels = ["object"] * len(trajectories)
        if detector is not None:
            trajectories, labels = fuse(trajectories, witness.testimonies, cuts)
        size_px = full_size_px or watch.size_px
        zoom = size_px[0] / watch.size_px[0]
        scene = _assemble(np.array(times_s), trajectories, zoom, size_px, provenance)
        scene = replace(scene, labels=tuple(labels))
        if depth is not None:
            found_at = measure_depths(trajectories, witness.testimonies, len(times_s))
            names = ("depth_m", "depth_m_std") if depth.is_metric else ("nearness", "nearness_std")
            scene = replace(scene, **dict(zip(names, (found_at.value, found_at.std), strict=True)))
        return _explain(scene)

    def follow(
        self, frames: Iterable[tuple[float, UInt8[np.ndarray, "h w 3"]]]
    ) -> list[tuple[Track, bool]]:
        """The tracks that `read` finds by motion before it leaves out light and joins pieces, and
        whether each goes somewhere.

        Raises:
            InputError: no frames, or frames of differing size.
        """
        watch, found = _Watch(), list[tuple[Track, bool]]()

        def settle(tracks: list[Track], is_object: _Test) -> None:
            found.extend((track, is_object(track)) for track in tracks)

        self._follow(watch.checked(frames), watch, 0, 0, settle)
        return found

    def _follow(
        self,
        frames: Iterable[tuple[float, np.ndarray]],
        watch: _Watch,
        full_width_px: int,
        num_workers: int,
        settle: Callable[[list[Track], _Test], None],
    ) -> tuple[list[float], list[int]]:
        """Times of the frames and numbers of the shots' first ones; each shot's tracks are handed
        to `settle` when it ends, with what tells whether one is an object."""
        motion = MotionDetector(
            max_side_px=self.config.max_side_px,
            buffer_s=self.config.buffer_s,
            absorb_s=self.config.absorb_s,
            num_workers=num_workers,
        )
        with one_thread_each(), prefetch(motion.detect(frames)) as found:
            head = list(islice(found, 2))
            if not head:
                raise InputError("there are no frames to read")
            step_s = head[1].time_s - head[0].time_s if len(head) == 2 else 1.0
            width_px = watch.size_px[0]
            frame_px = width_px / (full_width_px or width_px)
            gap_frames = int(np.clip(round(self.config.max_gap_s / step_s), 3, _MAX_GAP_FRAMES))
            away_frames = max(3, round(self.config.max_away_s / step_s))
            std_px = self._search_px(watch.size_px)
            tracker = RegionTracker(max_gap_frames=gap_frames, measurement_std_px=std_px)
            times_s: list[float] = []
            cuts: list[int] = []

            def end_shot() -> None:
                tracks = reidentify(tracker.end_shot(), max_gap_frames=away_frames)
                settle(tracks, lambda track: self._is_object(track, times_s, frame_px))

            for moment in chain(head, found):
                times_s.append(moment.time_s)
                if moment.new_shot:
                    cuts.append(moment.index)
                    end_shot()
                tracker.update(moment)
            end_shot()
        return times_s, cuts

    def _search_px(self, size_px: tuple[int, int]) -> float:
        """A pixel of the search, in pixels of the frames as they come."""
        return max(size_px) / min(self.config.max_side_px, max(size_px))

    def _is_object(self, track: Track, times_s: list[float], frame_px: float) -> bool:
        if times_s[track.frames[-1]] - times_s[track.frames[0]] < self.config.min_s:
            return False
        return is_moving(
            track,
            min_frames=self.config.min_frames,
            min_travel_px=self.config.min_travel_px * frame_px,
            min_travel=self.config.min_travel,
        )


class _Watch:
    """Looks at the frames on their way."""

    def __init__(self) -> None:
        self.size_px = (0, 0)

    def checked(
        self, frames: Iterable[tuple[float, np.ndarray]]
    ) -> Iterator[tuple[float, np.ndarray]]:
        shape: tuple[int, ...] | None = None
        for time_s, frame in frames:
            if shape is None:
                shape = frame.shape
                self.size_px = frame.shape[1], frame.shape[0]
            if frame.shape != shape:
                raise InputError(f"a frame is {frame.shape}, but the first one is {shape}")
            yield time_s, frame


def _assemble(
    time_s: np.ndarray,
    trajectories: list[Trajectory],
    zoom: float,
    size_px: tuple[int, int],
    provenance: Provenance,
) -> Scene:
    n, t = len(trajectories), len(time_s)
    present = np.zeros((n, t), dtype=bool)
    visible = np.zeros((n, t), dtype=bool)
    center, size, std = (np.full((n, t, 2), np.nan) for _ in range(3))
    for i, path in enumerate(trajectories):
        span = slice(path.first, path.first + len(path.visible))
        present[i, span] = True
        visible[i, span] = path.visible
        center[i, span] = path.center_px * zoom
        size[i, span] = path.size_px * zoom
        std[i, span] = path.center_px_std * zoom
    return Scene(
        time_s=np.asarray(time_s, dtype=np.float64),
        width_px=size_px[0],
        height_px=size_px[1],
        ids=np.arange(1, n + 1, dtype=np.int64),
        labels=("object",) * n,
        present=present,
        visible=visible,
        center_px=center,
        size_px=size,
        center_px_std=std,
        color_rgb=np.array([p.color_rgb for p in trajectories]).reshape(n, 3),
        provenance=provenance,
    )


def _explain(scene: Scene) -> Scene:
    """Add contacts, and the events that they and the paths amount to."""
    scene = with_contacts(scene)
    return scene.with_events(detect_events(scene))
