"""`worldline play`, as it is called; the page itself is tested in tests/serve/play."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--port", "70000"), "--port is 70000; it must be from 0 to 65535"),
        (("--max-players", "0"), "--max-players is 0; it must be from 1 to 64"),
        (("--fps", "nan"), "--fps is nan; give more than 0"),
        (("--idle-s", "-1"), "--idle-s is -1.0; give more than 0"),
        (("--max-minutes", "0"), "--max-minutes is 0.0; give more than 0"),
        (("--clip", "nowhere.mp4"), "--clip nowhere.mp4: no such file; give a video"),
        (("--scene", "no.json"), "--scene no.json: no such file; give the JSON of a Scene"),
        (("--clip", __file__, "--text", "a ball"), "are three ways to begin; give one"),
        (("pusht", "--text", "a ball", "--port", "0"), "the world pusht is neither"),
        (("--host", "256.0.0.1"), "--host 256.0.0.1: cannot be listened at"),
        (("nowhere", "--port", "0"), "no world 'nowhere'"),
    ],
)
def test_bad_arguments_are_told_in_a_line(call, tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    done = call("play", *words)
    assert done.code == 2
    assert reason in done.error_lines[0]
    assert len(done.error_lines) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere", "no world 'nowhere'"),
        ("run", "run: is the folder of a run; its world is run/world"),
        ("run/world", "run/world: no openings.npz, so nothing says where a session begins"),
        ("empty", "empty: is not the folder of a world (no config.json)"),
    ],
)
def test_no_address_is_told_where_nothing_can_be_played(call, tmp_path, monkeypatch, name, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "run" / "world").mkdir(parents=True)
    for file in ("recipe.json", "world/config.json"):
        (tmp_path / "run" / file).write_text("{}")
    done = call("play", name, "--port", "0")
    assert done.code == 2
    assert done.err.startswith(f"worldline: error: {reason}")
    assert "http" not in done.err
