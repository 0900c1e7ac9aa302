"""A learned second look at videos: which events go on, when, and which track takes part."""

from worldline.retrieval.spotting.keep import FrameKeep, Kept
from worldline.retrieval.spotting.spots import Spots, spot, spotter_name

__all__ = ["FrameKeep", "Kept", "Spots", "spot", "spotter_name"]
