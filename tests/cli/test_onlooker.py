"""`--world` of `perceive` and `ingest`."""

from __future__ import annotations

from pathlib import Path

import pytest

from worldline.data import write_video
from worldline.sim import Split, make_clip


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two bodies roll so slowly that motion finds none of them."""
    clip = make_clip("roll", 30, seed=77, split=Split.HELD_OUT)
    path = tmp_path / "roll.mp4"
    write_video(path, iter(clip.frames), fps=clip.fps, provenance=clip.provenance)
    return path


def test_a_world_adds_what_it_sees(call, video):
    (alone,) = call("perceive", video, "--json").answer["results"]
    (both,) = call("perceive", video, "--world", "small", "--json").answer["results"]
    assert "world" not in alone
    added = both["world"]["added"]
    assert added
    assert both["world"]["trust"] >= 0.8
    ids = [track["id"] for track in both["tracks"]]
    assert len(set(ids)) == len(ids)
    assert [t for t in both["tracks"] if t["id"] not in added] == alone["tracks"]
    shown = call("perceive", video, "--world", "small").out
    assert "the world small adds" in shown


def test_ingest_takes_a_world(call, video, tmp_path):
    library = str(tmp_path / "library")
    ingest = ("ingest", video, "--library", library, "--workers", "1", "--json", "--world", "small")
    assert call(*ingest).answer["added"] == 1


@pytest.mark.parametrize("command", [("perceive",), ("ingest", "--library", "library")])
def test_an_unknown_world_is_said(call, video, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(command[0], video, *command[1:], "--world", "huge")
    assert done.code == 2
    assert "huge" in done.err
