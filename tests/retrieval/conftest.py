"""Small scenes with known events, and a `look` that reads them from JSON instead of pixels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from worldline.core.errors import MediaError
from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Event, Scene
from worldline.retrieval.ingest import Seen
from worldline.retrieval.library import Library
from worldline.retrieval.store import ArrayStore

RED, BLUE, UNKNOWN = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9), (np.nan,) * 3


def build_scene(
    events: Sequence[Event] = (),
    *,
    labels: Sequence[str] = ("ball", "box", "ball"),
    colors: Sequence[tuple[float, float, float]] = (RED, BLUE, BLUE),
    paths_px: np.ndarray | None = None,
    origin: Origin = Origin.RECORDED,
    duration_s: float = 2.0,
) -> Scene:
    n, t = len(labels), 40
    time_s = np.linspace(0.0, duration_s, t)
    if paths_px is None:
        drop = 20 + 40 * time_s**2
        paths_px = np.stack([np.stack([30.0 + 50 * i + 0 * drop, drop], axis=1) for i in range(n)])
    return Scene(
        time_s=time_s,
        width_px=320,
        height_px=240,
        ids=np.arange(n),
        labels=tuple(labels),
        present=np.ones((n, t), dtype=bool),
        visible=np.ones((n, t), dtype=bool),
        center_px=paths_px,
        size_px=np.full((n, t, 2), 10.0),
        center_px_std=np.zeros((n, t, 2)),
        color_rgb=np.array(colors, dtype=np.float64),
        events=tuple(events),
        provenance=Provenance(origin),
    )


def read_fake(path: Path) -> Seen:
    """A "video" whose bytes are a scene in JSON."""
    try:
        return Seen(Scene.from_json(json.loads(path.read_text())), "given")
    except ValueError:
        raise MediaError(path, "is not a video") from None


@pytest.fixture
def make_scene() -> Callable[..., Scene]:
    return build_scene


@pytest.fixture
def fill() -> Callable[..., Library]:
    """A library in memory with one video per list of events: v0, v1, ..."""

    def make(*videos: Sequence[Event], **more) -> Library:
        library = Library(ArrayStore(), look=read_fake)
        for number, events in enumerate(videos):
            # An event of no interest keeps `add` from detecting any in the paths.
            known = (*events, Event("filler", 0.0, 0.0))
            library.add(build_scene(known, **more), uri=f"v{number}", content_hash="1")
        return library

    return make


@pytest.fixture
def write_fake() -> Callable[..., None]:
    def write(path: Path, scene: Scene) -> None:
        path.write_text(json.dumps(scene.to_json()))

    return write


@pytest.fixture
def look() -> Callable[[Path], Seen]:
    return read_fake
