"""From paths to rows: finding videos, telling whether they changed, and looking at them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worldline.core.errors import MediaError
from worldline.core.media import VIDEO_SUFFIXES, is_there, videos_below
from worldline.core.provenance import Origin
from worldline.core.scene import Scene
from worldline.retrieval.motions.moments import Moments
from worldline.retrieval.spotting.spots import Spots

if TYPE_CHECKING:
    from worldline.world import World
    from worldline.world.onlooker import Onlooker

__all__ = [
    "VIDEO_SUFFIXES",
    "IngestReport",
    "IngestResult",
    "Look",
    "Seen",
    "Status",
    "as_known",
    "find_videos",
    "hash_content",
    "look_at",
]

_LONGER_S = 0.5
"""How much a video may be longer than its scene, whose last frame has no duration."""


_DETECTOR_SIDE_PX = 960  # a detector sees frames of up to this size


class Status(StrEnum):
    """What became of one file."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True)
class IngestResult:
    """What became of one file.

    Attributes:
        source: the file, or the path that could not be used.
        status: added, updated, unchanged or failed.
        num_events, num_segments: how much the library holds of it, guesses included.
        error: why it failed, or which part of it could not be read, in one sentence.
        bug: it failed in a way that should not be.
        same_as: another video that the library knew already, with just this content.
    """

    source: str
    status: Status
    num_events: int = 0
    num_segments: int = 0
    error: str | None = None
    bug: bool = False
    same_as: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON; "error" and "same_as" only where they are."""
        record: dict[str, Any] = {
            "source": self.source,
            "status": str(self.status),
            "num_events": self.num_events,
            "num_segments": self.num_segments,
        }
        if self.error is not None:
            record["error"] = self.error
        if self.same_as is not None:
            record["same_as"] = self.same_as
        return {**record, "bug": True} if self.bug else record


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did, one result per file in the order of the paths."""

    results: tuple[IngestResult, ...]

    def count(self, status: Status) -> int:
        """Number of files with this status."""
        return sum(result.status is status for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """`{"results": [...], "added": n, "updated": n, "unchanged": n, "failed": n}`."""
        counts = {str(status): self.count(status) for status in Status}
        return {"results": [result.to_json() for result in self.results], **counts}


@dataclass(frozen=True)
class Seen:
    """A scene and how it came to be known.

    Attributes:
        scene: with its events.
        evidence: "truth" beside a simulated video, "pixels" where it was perceived.
        damage: which part of the file could not be read, in one sentence; mostly nothing.
        moments: of all motion in the picture, where it was measured in pixels.
        spots: what the spotter thinks of it, where there are pixels.
    """

    scene: Scene
    evidence: str
    damage: str = ""
    moments: Moments | None = None
    spots: Spots | None = None


_NOT_A_SCENE = (ValueError, TypeError, KeyError, AttributeError)

Look = Callable[[Path], Seen]
"""Makes a scene of a video file; raises `MediaError` where it cannot."""


def as_known(path: str | Path) -> Path:
    """A file or folder as the library calls it: absolute, links kept, without `..`."""
    place = Path(path).absolute()
    try:
        return place.resolve() if ".." in place.parts else place
    except (OSError, RuntimeError, ValueError):  # links in a circle, or a NUL byte
        return place


def find_videos(paths: Iterable[str | Path]) -> list[Path | IngestResult]:
    """Video files under paths, each once, absolute, folders searched recursively by name.

    Returns:
        files in the order of the paths, with a failed result for every path that gives none and for
        every folder and link below that leads nowhere.
    """
    files: dict[Path | IngestResult, None] = {}
    for given in paths:
        if given == "":
            error = "a path is empty; name a file or folder"
            files[IngestResult("", Status.FAILED, error=error)] = None
            continue
        path = as_known(given)
        if path.is_dir():
            found, unread = videos_below(path)
            reason = "" if found or unread else "no video files in this folder"
            files.update(dict.fromkeys(found))
            for problem in unread:
                source = str(problem.filename)
                what = (
                    "cannot be read" if Path(source).is_symlink() else "folder cannot be searched"
                )
                told = f"{what} ({problem.strerror})"
                error = str(MediaError(source, told))
                files[IngestResult(source, Status.FAILED, error=error)] = None
        elif path.exists() and not path.is_file():
            reason = "is not a regular file"
        elif path.exists():
            files[path] = None
            reason = ""
        else:
            reason = _why_absent(path)
        if reason:
            error = str(MediaError(given, reason))
            files[IngestResult(str(given), Status.FAILED, error=error)] = None
    return list(files)


def _why_absent(path: Path) -> str:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a link to itself, or a NUL byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"cannot be opened ({reason.lower()})"
    return "no such file or folder"


def truth_file(video: Path) -> Path:
    """Where `worldline sim make` puts the true scene of a video."""
    return video.with_name(video.stem + ".scene.json")


def hash_content(video: Path) -> str:
    """SHA-256 of the video's bytes, and of the scene file beside it where there is one.

    Raises:
        MediaError: the file cannot be read.
    """
    try:
        with video.open("rb") as stream:
            text = hashlib.file_digest(stream, "sha256").hexdigest()
        if is_there(truth_file(video)):
            text += "+" + hashlib.sha256(truth_file(video).read_bytes()).hexdigest()
    except OSError as error:
        raise MediaError(video, f"cannot be read ({error.strerror})") from None
    return text


def look_at(video: Path, *, detector: str | None = None, world: str | None = None) -> Seen:
    """Make a scene of a video: its simulator's truth where that lies beside it, else its pixels.

    A scene file counts only if it says that it was simulated and the video does not carry the mark
    of another origin; the video itself must be readable in any case. The pixels are shown to
    `detector`, a plug-in by name (see `worldline.readout.open_detector`), which names what it sees,
    and to `world`, by name or folder, which adds what it alone sees (`World.from_pretrained`).

    Raises:
        MediaError: the video, or the scene file beside it, cannot be used.
        InputError: there is no such detector, or it fails.
        ArtifactError: there is no such world.
    """
    from worldline.data import iter_frames, probe
    from worldline.physics import detect_events

    info = probe(video)
    truth = _read_truth(video)
    if truth is not None and info.provenance.origin is not Origin.GENERATED:
        if abs(truth.duration_s - info.duration_s) > max(_LONGER_S, 0.1 * info.duration_s):
            raise MediaError(
                truth_file(video),
                f"lasts {truth.duration_s:.3g} s but {video.name} lasts {info.duration_s:.3g} s; "
                "remove the scene file, or make the video again",
            )
        if not truth.events:
            truth = truth.with_events(detect_events(truth))
        return Seen(truth, "truth")
    from worldline.readout import PixelReadout, open_detector
    from worldline.retrieval.motions.flow import FlowWatch
    from worldline.retrieval.spotting.keep import FrameKeep
    from worldline.retrieval.spotting.spots import spot

    damage: list[str] = []
    names = None if detector is None else open_detector(detector)
    side_px = PixelReadout.Config().max_side_px if names is None else _DETECTOR_SIDE_PX
    watch = FlowWatch()
    keep = FrameKeep()
    frames = iter_frames(video, max_side_px=side_px, on_damage=damage.append)
    frames = keep.pass_on(watch.pass_on(frames))
    onlooker = None if world is None else _onlooker(world)
    if onlooker is not None:
        frames = onlooker.watch(frames)
    size_px = info.width_px, info.height_px
    scene = (
        PixelReadout.Config()
        .build()
        .read(frames, provenance=info.provenance, full_size_px=size_px, detector=names)
    )
    if onlooker is not None:
        scene, _ = onlooker.add_to(scene)
    spots = spot(scene, keep.kept)
    return Seen(scene, "pixels", damage[0] if damage else "", watch.moments, spots)


def _onlooker(world: str) -> Onlooker:
    from worldline.world.onlooker import Onlooker

    return Onlooker(_open_world(world))


@cache
def _open_world(name: str) -> World:
    from worldline.world import World

    return World.from_pretrained(name)


def _read_truth(video: Path) -> Scene | None:
    path = truth_file(video)
    if not is_there(path):
        return None
    try:
        scene = Scene.from_json(json.loads(path.read_text()))
    except (OSError, ArithmeticError, RecursionError, *_NOT_A_SCENE) as error:
        raise MediaError(path, f"cannot be read as the scene of {video.name} ({error})") from None
    return scene if scene.provenance.origin is Origin.SIMULATED else None
