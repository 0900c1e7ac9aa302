"""Simulated scenes: MuJoCo bodies through a ray-cast camera, and closed-form discs."""

from worldline.sim.clips import make_clip, make_clips
from worldline.sim.families import FAMILIES, FIRST_FAMILIES, Family
from worldline.sim.glimpse import glimpse
from worldline.sim.retake import CameraChange, draw_retake, in_the_look_of
from worldline.sim.splits import Ranges, Split

__all__ = [
    "FAMILIES",
    "FIRST_FAMILIES",
    "CameraChange",
    "Family",
    "Ranges",
    "Split",
    "draw_retake",
    "glimpse",
    "in_the_look_of",
    "make_clip",
    "make_clips",
]
