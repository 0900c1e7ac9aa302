"""A hit shown on its video: world lines, who plays which part, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from worldline.core.errors import MediaError
from worldline.core.provenance import Provenance
from worldline.core.scene import STATIC, Scene
from worldline.core.wording import plain
from worldline.retrieval.caption import Caption, draw_tag, moving

__all__ = ["HitOverlay", "open_overlay"]

MARGIN_S = 0.5
"""Shown before and after a hit, so that a moment can be seen as well."""

MAX_CLIP_S = 30.0
"""Longest clip; a longer hit is shown from its start."""

_WHOLE_S = 60.0
"""A video up to so long is perceived as a whole, as ingest did, and its tracks keep their ids."""

_LEAD_S = 4.0
"""Of a longer one so much is perceived before and after the clip."""

_MAX_SIDE_PX, _LEAST_SIDE_PX = 640, 384
_POSTER_QUALITY = 85


@dataclass(frozen=True)
class HitOverlay:
    """A stretch of a video with what a hit rests on, to be drawn.

    Attributes:
        source: the video.
        scene: what moves in it; times are those of the video.
        start_s, end_s: interval of the hit.
        events: records as in a hit's `why["events"]`; their tracks are those of `scene`.
        tracks: objects whose world lines are drawn.
    """

    source: Path
    scene: Scene
    start_s: float
    end_s: float
    events: tuple[Mapping[str, Any], ...]
    tracks: tuple[int, ...]

    @property
    def clip_s(self) -> tuple[float, float]:
        """Start and end of the clip: the hit with a margin, not longer than `MAX_CLIP_S`."""
        start_s = max(0.0, self.start_s - MARGIN_S)
        return start_s, min(self.end_s + MARGIN_S, start_s + MAX_CLIP_S)

    def write_clip(self, target: Path) -> None:
        """Write the interval as H.264 in MP4. The file appears when it is complete.

        Raises:
            MediaError: the video cannot be read.
        """
        from worldline.data import write_video

        times: list[float] = []

        def clock() -> Iterator[float]:
            index = 0
            while index < len(times):
                yield times[index]
                index += 1

        def frames() -> Iterator[np.ndarray]:
            for time_s, frame in self._frames():
                times.append(time_s)
                yield frame

        write_video(target, frames(), time_s=clock(), provenance=self._provenance)

    def draw_still(self, at_s: float | None = None) -> bytes:
        """One moment as JPEG; the middle of the first event where no moment is given.

        Raises:
            MediaError: the video cannot be read.
        """
        from io import BytesIO

        from PIL import Image

        if at_s is None:
            lead = self.events[0] if self.events else {"start_s": self.start_s, "end_s": self.end_s}
            at_s = (float(lead["start_s"]) + float(lead["end_s"])) / 2
        at_s = float(np.clip(at_s, *self.clip_s))
        shown: np.ndarray | None = None
        for time_s, frame in self._frames(until_s=at_s):
            shown = frame
            if time_s >= at_s:
                break
        assert shown is not None  # `iter_frames` raises where there is none
        buffer = BytesIO()
        Image.fromarray(shown).save(buffer, "JPEG", quality=_POSTER_QUALITY)
        return buffer.getvalue()

    @property
    def _provenance(self) -> Provenance:
        details = (*self.scene.provenance.details, ("drawn", "a search hit"))
        return replace(self.scene.provenance, details=details)

    def _frames(self, until_s: float | None = None) -> Iterator[tuple[float, np.ndarray]]:
        """Drawn frames with their times; with `until_s` none is drawn long before that."""
        from worldline.data import iter_frames

        start_s, end_s = self.clip_s
        if until_s is not None:
            # A frame ahead of the moment is there whatever the frame rate, or the clip's first one.
            start_s = max(start_s, until_s - 1.0)
        caption: Caption | None = None
        frames = iter_frames(
            self.source, start_s=start_s, end_s=end_s + 1e-3, max_side_px=_MAX_SIDE_PX
        )
        for time_s, frame in frames:
            if until_s is not None and time_s < until_s - 0.25 and caption is not None:
                continue
            scale = max(1, -(-_LEAST_SIDE_PX // max(frame.shape[:2])))
            if scale > 1:
                frame = frame.repeat(scale, axis=0).repeat(scale, axis=1)
            if caption is None:
                caption = Caption.fit(self.events, self.clip_s, frame.shape[1])
            yield time_s, np.concatenate([caption.at(time_s), self._draw(frame, time_s)])

    def _draw(self, frame: UInt8[np.ndarray, "h w 3"], time_s: float) -> UInt8[np.ndarray, "h w 3"]:
        from worldline.readout.overlay import draw_world_lines, line_color

        scene = self.scene
        t = int(np.argmin(np.abs(scene.time_s - time_s)))
        out = draw_world_lines(frame, scene, t)
        zoom = np.array([frame.shape[1] / scene.width_px, frame.shape[0] / scene.height_px])
        for track, names in self._parts(time_s).items():
            if track not in self.tracks:
                continue
            row = scene.index(track)
            center = scene.center_px[row, t] * zoom
            if not scene.present[row, t] or not np.isfinite(center).all():
                continue
            half = np.nan_to_num(scene.size_px[row, t]) * zoom / 2
            draw_tag(out, ", ".join(names), center, half, line_color(track))
        return out

    def _parts(self, time_s: float) -> dict[int, list[str]]:
        """Track to the parts that it plays at a moment."""
        parts: dict[int, list[str]] = {}
        for event in self.events:
            who = moving(event)
            near = event["start_s"] - MARGIN_S <= time_s <= event["end_s"] + MARGIN_S
            for role, one in who.items() if near else ():
                name = plain(role) if len(who) > 1 else f"{one['color'] or ''} {one['label']}"
                known = parts.setdefault(int(one["track"]), [])
                known += [] if name.strip() in known else [name.strip()]
        return parts


def open_overlay(
    source: str | Path,
    start_s: float,
    end_s: float,
    events: Sequence[Mapping[str, Any]] = (),
    tracks: Sequence[int] = (),
) -> HitOverlay:
    """Find what moves in the video around a hit.

    The simulator's truth beside a video is taken as it is, a video of up to a minute is perceived
    as a whole: then tracks are those that the library knows. Of a longer one the surroundings
    alone are perceived, and an event's parts go to those who play them in the same event there.

    Args:
        source: the video.
        start_s, end_s: interval.
        events: records as in a hit's `why["events"]`.
        tracks: further objects to draw, such as those of a hit by similarity.

    Raises:
        MediaError: the video cannot be used, or has nothing at this interval.
    """
    from worldline.data import probe
    from worldline.retrieval.ingest import look_at, truth_file

    source = Path(source)
    duration_s = probe(source).duration_s
    if start_s >= duration_s:
        raise MediaError(
            source, f"lasts {duration_s:.3g} s, so it shows nothing at {start_s:.3g} s"
        )
    records = tuple(dict(event) for event in events)
    if truth_file(source).is_file() or duration_s <= _WHOLE_S:
        scene = look_at(source).scene
    else:
        scene = _perceive_part(source, start_s, end_s)
        records = tuple(_recast(record, scene) for record in records)
        tracks = ()
    playing = {int(w["track"]) for record in records for w in record["roles"].values()}
    there = set(scene.ids.tolist())
    chosen = sorted(((playing | set(tracks)) - {STATIC}) & there)
    return HitOverlay(source, _only(scene, chosen), start_s, end_s, records, tuple(chosen))


def _perceive_part(source: Path, start_s: float, end_s: float) -> Scene:
    from worldline.data import iter_frames, probe
    from worldline.readout import PixelReadout

    config = PixelReadout.Config()
    info = probe(source)
    end_s = min(end_s, start_s + MAX_CLIP_S)
    frames = iter_frames(
        source,
        start_s=max(0.0, start_s - _LEAD_S),
        end_s=end_s + _LEAD_S,
        max_side_px=config.max_side_px,
    )
    size = info.width_px, info.height_px
    return config.build().read(frames, provenance=info.provenance, full_size_px=size)


def _recast(record: Mapping[str, Any], scene: Scene) -> dict[str, Any]:
    """The same event with the tracks of the one of its kind that it overlaps most, if any does."""

    def shared_s(start_s: float, end_s: float) -> float:
        return min(end_s, record["end_s"]) - max(start_s, record["start_s"])

    alike = [event for event in scene.events if event.type == record["type"]]
    best = max(alike, key=lambda event: shared_s(event.start_s, event.end_s), default=None)
    if best is None or shared_s(best.start_s, best.end_s) < 0:
        return {**record, "roles": {}}
    roles = {
        role: {**who, "track": best.roles[role]}
        for role, who in record["roles"].items()
        if role in best.roles
    }
    return {**record, "roles": roles}


def _only(scene: Scene, tracks: Sequence[int]) -> Scene:
    """The scene with these objects alone as present; all of them where none is named."""
    if not tracks:
        return scene
    keep = np.isin(scene.ids, tracks)[:, None]
    return replace(scene, present=scene.present & keep, visible=scene.visible & keep)
