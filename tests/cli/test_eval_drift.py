"""`worldline eval drift` where there is nothing to go on with."""

from __future__ import annotations


def test_clips_that_only_show_how_to_begin_are_too_short(call):
    done = call("eval", "drift", "--world", "small", "--quick")
    assert done.code == 2
    (line,) = done.error_lines
    assert "--world small: the clips beside it only show how to begin" in line
    assert "--data" in line
