from __future__ import annotations

import os
from pathlib import Path

import pytest

from worldline.core.media import videos_below
from worldline.data.folder import read_folder
from worldline.retrieval.ingest import IngestResult, find_videos


@pytest.fixture
def locked(tmp_path: Path, monkeypatch) -> Path:
    """A folder with a video in it and a folder `locked` that nobody may list."""
    (tmp_path / "open").mkdir()
    (tmp_path / "locked").mkdir()
    (tmp_path / "open/a.MP4").write_bytes(b"x")
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    return tmp_path


def test_folders_that_cannot_be_listed_are_told(locked: Path):
    found, unread = videos_below(locked)
    assert found == [locked / "open/a.MP4"]
    assert [error.filename for error in unread] == [str(locked / "locked")]


def test_ingest_counts_them(locked: Path):
    video, failed = find_videos([locked])
    assert video == locked / "open/a.MP4"
    assert isinstance(failed, IngestResult)
    assert failed.status == "failed"
    assert "locked: folder cannot be searched (Permission denied)" in str(failed.error)


def test_folders_of_episodes_tell_of_them(locked: Path):
    told = []
    assert list(read_folder(locked, strict=False, on_reject=told.append)) == []
    assert [error.field for error in told] == ["folder", "video"]
