"""Neural building blocks: tensors in, tensors out."""

from worldline.nn.attention import KeyValue, SpatialAttention, TemporalAttention, rotate
from worldline.nn.causal import CausalMix
from worldline.nn.ema import Average
from worldline.nn.layers import ConvBlock, FeedForward, embed_level, pack, unpack
from worldline.nn.quantise import FSQ

__all__ = [
    "FSQ",
    "Average",
    "CausalMix",
    "ConvBlock",
    "FeedForward",
    "KeyValue",
    "SpatialAttention",
    "TemporalAttention",
    "embed_level",
    "pack",
    "rotate",
    "unpack",
]
