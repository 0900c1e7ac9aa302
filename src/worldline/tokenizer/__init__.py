"""Tokenizers: frames to latents and back."""

from worldline.tokenizer.base import StreamCarry, Tokenizer, from_unit, to_unit
from worldline.tokenizer.continuous import ContinuousTokenizer
from worldline.tokenizer.critic import PatchCritic
from worldline.tokenizer.discrete import DiscreteTokenizer
from worldline.tokenizer.keypoint import KeypointTokenizer
from worldline.tokenizer.patches import PatchTokenizer
from worldline.tokenizer.representation import RepresentationTokenizer
from worldline.tokenizer.video import VideoTokenizer
from worldline.tokenizer.whole import WholeTokenizer

__all__ = [
    "TOKENIZERS",
    "ContinuousTokenizer",
    "DiscreteTokenizer",
    "KeypointTokenizer",
    "PatchCritic",
    "PatchTokenizer",
    "RepresentationTokenizer",
    "StreamCarry",
    "Tokenizer",
    "VideoTokenizer",
    "WholeTokenizer",
    "from_unit",
    "to_unit",
]

TOKENIZERS: dict[str, type[Tokenizer]] = {
    "continuous": ContinuousTokenizer,
    "discrete": DiscreteTokenizer,
    "video": VideoTokenizer,
    "keypoint": KeypointTokenizer,
    "patches": PatchTokenizer,
    "representation": RepresentationTokenizer,
    "whole": WholeTokenizer,
}
"""Every tokenizer by the name that its config is registered with, `tokenizer/NAME`."""
