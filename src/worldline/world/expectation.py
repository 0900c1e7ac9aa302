"""What is expected of things, and how far a frame goes against it.

A thing that moves is remembered with its look and its way, and goes on existing behind what hides
it (object files: Kahneman, Treisman and Gibbs 1992). What is expected is core knowledge (Spelke
1990; as a measure of surprise Smith et al. 2019, arXiv 1911.09243): things neither vanish nor
appear, come out from behind a screen where and when they should and as they were, keep their
velocity or its rate of change unless they meet something, start only when touched, leave the floor
no faster than they came, do not rise by themselves, do not stay above a place that was left or
beyond an edge, do not share a place, and get neither past each other on one line nor through a low
wall.

Frames are taken one after the other and nothing that comes later can change what was said. It works
where the camera stands still; where most of the picture moves nothing is said.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from worldline.world.watch import Watch

__all__ = ["EVIDENCE_WEIGHT", "TERMS", "notice", "weigh_evidence"]

TERMS: dict[str, float] = {
    "unpredicted": 1.6,
    "uncaused start": 0.8,
    "uncaused change": 1.0,
    "vanished": 4.0,
    "appeared": 3.5,
    "missing": 3.0,
    "colour": 1.3,
    "outline": 0.8,
    "displaced": 2.5,
    "gained": 0.3,
    "lifted": 0.6,
    "sank": 0.4,
    "hanging": 0.3,
    "unsupported": 0.45,
    "overlapping": 0.5,
    "passed": 0.25,
    "through": 0.2,
}
"""What is measured, and the value that counts as one: chosen so that few lawful clips reach it."""

EVIDENCE_WEIGHT = 10.0
"""Of evidence, beside the latent error over its usual size; chosen on development twins."""

_CAP = 3.0
"""No single term says more than this."""


def notice(frames: UInt8[np.ndarray, "t h w 3"]) -> dict[str, Float[np.ndarray, " t"]]:
    """Each of `TERMS` in each frame, from it and those before it; 0 where nothing is amiss.

    Unpredicted: what the flow before does not explain, over the most of that in ten frames. Starts,
    changes, gains, lifts and sinking: pixels per frame. Vanished and appeared: root of the area.
    Missing: frames. Passed and through: widths. For the rest see `worldline.world.oddities`.
    """
    watch = Watch()
    for frame in frames:
        watch.see(frame)
    return {term: np.array([said.get(term, 0.0) for said in watch.said]) for term in TERMS}


def weigh_evidence(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[np.ndarray, " t"]:
    """What each frame adds to the evidence against a clip: 0 for most frames of a lawful one.

    Evidence is the sum over terms of the square of the largest value so far, in units of `TERMS`
    and up to 3, so that what goes on being odd in the same way is counted once.
    """
    said = notice(frames)
    total = np.zeros(len(frames))
    for term, unit in TERMS.items():
        total += np.square(np.minimum(np.maximum.accumulate(said[term]) / unit, _CAP))
    return np.diff(total, prepend=0.0)
