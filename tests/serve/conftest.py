"""A library of simulated clips behind a running app."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from worldline.data import write_video
from worldline.retrieval import Library
from worldline.serve import ServeConfig, create_app
from worldline.sim import make_clip

LIMITS = ServeConfig(library="", max_upload_mb=1, max_video_s=5.0, max_jobs=2, num_searchers=1)


def write_clip(folder: Path, name: str, family: str, index: int, *, truth: bool = True) -> Path:
    clip = make_clip(family, index, seed=7)
    path = folder / f"{name}.mp4"
    write_video(path, clip.frames, time_s=clip.time_s, provenance=clip.provenance)
    if truth:
        assert clip.scene is not None
        (folder / f"{name}.scene.json").write_text(json.dumps(clip.scene.to_json()))
    return path


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media folder with three clips: two that fall, one that collides."""
    folder = tmp_path_factory.mktemp("media")
    write_clip(folder, "drop-a", "drop", 0)
    write_clip(folder, "drop-b", "drop", 1)
    write_clip(folder, "crash", "collide", 0)
    return folder


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of the library that lies in no media folder."""
    return write_clip(tmp_path_factory.mktemp("secret"), "hidden", "drop", 2)


@pytest.fixture(scope="session")
def config(clips: Path, outside: Path, tmp_path_factory: pytest.TempPathFactory) -> ServeConfig:
    place = tmp_path_factory.mktemp("libraries") / "library"
    assert Library.open(place).ingest([clips, outside]).to_json()["added"] == 4
    return replace(LIMITS, library=str(place), media=(clips,))


@pytest.fixture(scope="session")
def client(config: ServeConfig) -> Iterator[TestClient]:
    """A client of an app whose library the tests do not change."""
    with TestClient(create_app(config), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def own(config: ServeConfig, clips: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client of an app with an empty library, and a media folder of its own with two clips."""
    media = tmp_path / "media"
    media.mkdir()
    for name in ("drop-a", "crash"):
        for file in clips.glob(f"{name}.*"):
            shutil.copy(file, media)
    app = create_app(replace(config, library=str(tmp_path / "library"), media=(media,)))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def refused(response: Any, status: int) -> str:
    """The sentence of a problem of this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert "Traceback" not in body["detail"]
    assert "\n" not in body["detail"]
    return body["detail"]


def wait_for(client: TestClient, name: str) -> dict[str, Any]:
    """A job when it is over."""
    job = {}
    for _ in range(1200):
        job = client.get(f"/v1/jobs/{name}").json()
        if job["status"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)
