"""What is wrong with arguments, in words of the options."""

from __future__ import annotations

import pytest

from worldline.cli.complaint import explain


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ["search", "x", "--library", "l", "--limit", "nan"],
            "--limit is 'nan'; it must be a whole",
        ),
        (["predict", "x", "--out", "o", "--horizon=1.5"], "--horizon is '1.5'; it must be a whole"),
        (
            ["predict", "x", "--out", "o", "--context", "few"],
            "--context is 'few'; it must be a whole",
        ),
        (
            ["predict", "x", "--out", "o", "--end-s", "end"],
            "--end-s is 'end'; it must be a number;",
        ),
        (
            ["predict", "x", "--out", "o", "--end_s", "end"],
            "--end-s is 'end'; it must be a number;",
        ),
        (["demo", "--max-s", "1 s"], "--max-s is '1 s'; it must be a number;"),
        (["perceive", "x", "--seed", "7" * 5000], f"--seed is '{'7' * 40}…'; it must be a whole"),
    ],
)
def test_numbers_that_are_none(arguments: list[str], reason: str, call):
    done = call(*arguments)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith(f"worldline: error: {reason}")
    assert line.endswith("--help`")


def test_numbers_that_are_none_where_a_terminal_knows_ascii_alone():
    boxed = """
 Value error
 ---------------------------------------------------------------
  Error parsing --limit: invalid literal for int() with base 10: 'many'
  ---------------------------------------------------------------
  Argument helptext:
      --limit K
"""
    words = ["fall", "--limit", "many"]
    assert explain(boxed, words) == "--limit is 'many'; it must be a whole number"
    missing = """ Required options
 ------------------
  Missing from p:
      --library URI
  ------------------
  For full helptext, run:
"""
    assert explain(missing, ["fall"]) == "Missing from p: --library URI"


def test_a_file_whose_name_begins_with_a_dash(videos, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    for name in ("-lead.mp4", "--noext"):
        (tmp_path / name).write_bytes((videos / "ball.mp4").read_bytes())
        done = call("perceive", name)
        assert done.code == 2
        assert f"{name} is read as an option; write ./{name} for the file, or -- ahead" in done.err
        assert call("perceive", "--", name).code == 0
        assert call("perceive", f"./{name}").code == 0
    assert "Unrecognized options: --nothing;" in call("perceive", "--nothing").err
