"""Tokenizers: frames to latents and back."""

from worldline.tokenizer.base import StreamCarry, Tokenizer, from_unit, to_unit
from worldline.tokenizer.continuous import ContinuousTokenizer
from worldline.tokenizer.critic import PatchCritic
from worldline.tokenizer.discrete import DiscreteTokenizer
from worldline.tokenizer.keypoint import KeypointTokenizer
from worldline.tokenizer.representation import RepresentationTokenizer
from worldline.tokenizer.video import VideoTokenizer

__all__ = [
    "TOKENIZERS",
    "ContinuousTokenizer",
    "DiscreteTokenizer",
    "KeypointTokenizer",
    "PatchCritic",
    "RepresentationTokenizer",
    "StreamCarry",
    "Tokenizer",
    "VideoTokenizer",
    "from_unit",
    "to_unit",
]

TOKENIZERS: dict[str, type[Tokenizer]] = {
    "continuous": ContinuousTokenizer,
    "discrete": DiscreteTokenizer,
    "video": VideoTokenizer,
    "keypoint": KeypointTokenizer,
    "representation": RepresentationTokenizer,
}
"""Every tokenizer by the name that its config is registered with, `tokenizer/NAME`."""
