from __future__ import annotations

import pytest

from worldline.core import InputError
from worldline.serve.play.messages import parse


def test_what_is_left_out_is_filled_in():
    assert parse('{"type": "open"}').fields == {"resume": None, "seed": None}
    assert parse('{"type": "fork"}').fields == {"other": "old"}
    assert parse('{"type": "act", "action": [1, 2.5]}').fields == {"action": [1, 2.5], "number": 0}
    assert parse('{"type": "step"}').kind == "step"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"type": "act", "action": [NaN]}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "a message is a JSON object"),
        ("{}", "unknown type null"),
        ('{"type": ["act"]}', "unknown type"),
        ('{"type": "fly"}', 'unknown type "fly"; there are open, act'),
        ('{"type": "act"}', "act needs the field action"),
        ('{"type": "step", "by": 3}', 'step has no field "by"'),
        ('{"type": "rewind", "frames": -1}', "rewind.frames is -1; it must be a whole number"),
        ('{"type": "rewind", "frames": true}', "rewind.frames is true"),
        ('{"type": "rewind", "frames": 1e999}', "rewind.frames is Infinity"),
        ('{"type": "restart", "seed": 1.5}', "restart.seed is 1.5; it must be a seed or null"),
        ('{"type": "fork", "other": "mine"}', 'it must be "old" or "none"'),
        ('{"type": "pause", "on": 1}', "it must be true or false"),
        (b"\x00\x01", "this one is binary"),
        ('{"type": "\\u001b[2Jfly"}', "unknown type"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(text, reason):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert reason in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200
