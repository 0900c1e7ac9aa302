"""Simulated scenes: MuJoCo bodies through a ray-cast camera, and closed-form discs."""

from worldline.sim.clips import make_clip, make_clips
from worldline.sim.families import FAMILIES, FIRST_FAMILIES, Family
from worldline.sim.splits import Ranges, Split

__all__ = ["FAMILIES", "FIRST_FAMILIES", "Family", "Ranges", "Split", "make_clip", "make_clips"]
