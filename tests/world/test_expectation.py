"""Object files: what is remembered of things, and what goes against it."""

import numpy as np
import pytest

from worldline.world.expectation import TERMS, notice, weigh_evidence

SIZE = 64
SCREEN = slice(34, 46)


def film(
    places: list[tuple[float, float] | None], color=(220, 60, 60), *, screen=False
) -> np.ndarray:
    """A disc of radius 4 at each of the places, before a slope of grey, behind a screen or not."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    back = np.repeat((90 + 0.5 * x + 0.3 * y)[..., None], 3, axis=-1)
    colors = color if isinstance(color, list) else [color] * len(places)
    frames = []
    for place, paint in zip(places, colors, strict=True):
        frame = back.copy()
        if place is not None:
            cover = np.clip(4.5 - np.hypot(x - place[0], y - place[1]), 0, 1)[..., None]
            frame = cover * np.array(paint) + (1 - cover) * frame
        if screen:
            frame[16:50, SCREEN] = (150, 150, 60)
        frames.append(frame.round().astype(np.uint8))
    return np.stack(frames)


def glide(num: int = 29, speed: float = 1.8) -> list[tuple[float, float] | None]:
    return [(5 + speed * t, 32.0) for t in range(num)]


def most(frames: np.ndarray, term: str, first: int = 8) -> float:
    return float(notice(frames)[term][first:].max())


def test_what_glides_on_is_as_expected():
    said = notice(film(glide(24)))
    assert set(said) == set(TERMS)
    calm = ("vanished", "appeared", "uncaused start", "missing", "sank", "hanging", "gained")
    for term in (*calm, "lifted", "passed", "through"):
        assert said[term][4:].max() == 0, term
    assert said["uncaused change"][4:].max() < 0.5


@pytest.mark.parametrize(
    ("places", "term"),
    [
        (glide(14) + [None] * 8, "vanished"),
        (glide(14) + [(5 + 1.8 * 13, 32.0)] * 8, "uncaused change"),
        (glide(14) + [(28 - 1.8 * t, 32.0) for t in range(8)], "uncaused change"),
        ([(32.0, 32.0)] * 10 + [(32 + 2.0 * t, 32.0) for t in range(1, 9)], "uncaused start"),
        ([None] * 12 + glide(12)[8:], "appeared"),
    ],
)
def test_a_miracle_in_view_is_noticed_when_it_happens(places, term):
    said = notice(film(places))[term]
    assert said[8:].max() > TERMS[term] * 0.8
    assert said[:9].max() < TERMS[term] * 0.8


def test_what_comes_out_as_it_went_in_is_no_surprise():
    frames = film(glide(), screen=True)
    for term in ("missing", "colour", "displaced", "vanished", "appeared"):
        assert most(frames, term) < TERMS[term], term


def test_what_does_not_come_out_is_missed():
    gone = [place if place is None or place[0] < 40 else None for place in glide()]
    assert most(film(gone, screen=True), "missing") >= TERMS["missing"]


def test_what_comes_out_with_another_colour_or_too_early():
    paints = [(220, 60, 60) if 5 + 1.8 * t < 40 else (60, 60, 220) for t in range(29)]
    assert most(film(glide(), paints, screen=True), "colour") > TERMS["colour"]
    jump = [(x + (7 if x > 40 else 0), y) for x, y in glide(26)]
    assert most(film(jump, screen=True), "displaced") > TERMS["displaced"]


def test_evidence_adds_up_and_nothing_later_changes_it():
    frames = film(glide(14) + [None] * 8)
    spoiled = frames.copy()
    spoiled[16:] = 255 - spoiled[16:]
    before, after = weigh_evidence(frames), weigh_evidence(spoiled)
    np.testing.assert_array_equal(before[:16], after[:16])
    assert (before >= 0).all()
    assert before[14:].sum() > 1 > before[:12].sum()


def test_where_all_of_the_picture_moves_nothing_is_said_of_things():
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 255, (SIZE, 200, 3)).astype(np.uint8)
    frames = np.stack([wide[:, 3 * t : 3 * t + SIZE] for t in range(16)])
    said = notice(frames)
    assert all(said[term].max() == 0 for term in TERMS if term != "unpredicted")
