"""Counts and names as they are said in a sentence."""

from __future__ import annotations

import pytest

from worldline.core import MediaError
from worldline.core.wording import (
    counted,
    describe_asked,
    describe_limit,
    describe_quantities,
    describe_quantity,
    name_object,
    printable,
    tell_who,
    write_number,
)


def test_one_is_singular():
    assert [counted(n, "frame") for n in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07.mp4", r"\x1b[31mred\x07.mp4"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x7f\x85\u2028\u202e\udcff", r"\x7f\x85\u2028\u202e\udcff"),
        ("plain é 日本　語 🏀 \\n", "plain é 日本　語 🏀 \\n"),
    ],
)
def test_what_a_terminal_obeys_is_written_out(text: str, shown: str):
    assert printable(text) == shown


def test_some_characters_can_stay():
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_a_media_error_names_its_file_so_that_it_can_be_shown():
    error = MediaError("a\x1bb\n.mp4", "is empty")
    assert str(error) == r"a\x1bb\n.mp4: is empty"
    assert error.path == "a\x1bb\n.mp4"


def test_quantities_have_their_units():
    assert describe_quantity("height_m", 1.234) == "height 1.23\u202fm"
    assert describe_quantity("impact_speed_mps", 4.0) == "impact speed 4\u202fm/s"
    assert describe_quantity("acceleration_px_s2", 980.0) == "acceleration 980\u202fpx/s²"
    assert describe_quantity("closing_speed_px_s", 611.2) == "closing speed 611\u202fpx/s"
    assert describe_quantity("angle_deg", 30) == "angle 30°"
    assert describe_quantity("count", 3) == "count 3"
    assert describe_quantity("num_frames", 19.0) == "frames 19"
    assert describe_quantity("metres_per_px", 0.0698) == "scale 0.0698\u202fm/px"
    assert "insufficient frame rate" in describe_quantity("needed_fps", 57.7)
    assert describe_quantity("m", 3) == "m 3"
    assert describe_quantities({"gap_m": 0.25, "gap_m_std": 0.012, "x_std": 1.0}) == (
        "gap 0.25\u202fm ± 0.012",
        "x std 1",
    )


def test_abbreviations_and_object_sizes_are_said_in_words():
    told = describe_quantity("mean_rate_sizes_s2", 2.367)
    assert told == "mean change of speed 2.37\u202fobject sizes/s²"
    assert describe_quantity("ttc_s", 0.8) == "time to collision 0.8\u202fs"
    assert describe_quantity("delta_v_a_mps", 1.0) == "change of velocity of one 1\u202fm/s"
    assert describe_quantity("num_pieces", 4.0) == "pieces 4"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567.0, "1230000"), (1.5e-7, "0.00000015"), (0.0, "0"), (-1e6, "-1000000"), (12, "12")],
)
def test_numbers_have_no_exponents(value, text):
    assert write_number(value) == text
    assert describe_quantity("height_m", value) == f"height {text}\u202fm"


def test_absurd_numbers_stay_short():
    assert [write_number(x) for x in (1e300, 2e-15, float("inf"))] == ["1e+300", "2e-15", "inf"]


def test_a_limit_is_said_beside_what_was_measured():
    assert describe_asked("height_m", 3.491, ">", 0.5, 0.2) == (
        "height 3.49\u202fm ± 0.2 (asked: more than 0.5\u202fm)"
    )
    assert describe_limit("speed_mps", "<=", 2.5e6) == "speed at most 2500000\u202fm/s"
    assert describe_asked("num_swings", 4.0, ">=", 3.0) == "swings 4 (asked: at least 3)"


@pytest.mark.parametrize(
    ("roles", "text"),
    [
        ({"a": 2, "b": 5}, "object 2 and object 5"),
        ({"a": 2, "b": -1}, "object 2 and the static world"),
        ({"object": 1, "support": -1}, "object 1"),
        ({"object": 1, "occluder": 3}, "object 1 behind object 3"),
        ({"agent": 4, "object": 1}, "object 1 by object 4"),
        ({"agent": 4}, "object 4"),
        ({"object": -1}, ""),
        ({}, ""),
    ],
)
def test_who_takes_part_is_said_without_names_of_roles(roles, text):
    assert tell_who({role: name_object(number) for role, number in roles.items()}) == text
