"""Neural building blocks: tensors in, tensors out."""

from worldline.nn.attention import KeyValue, SpatialAttention, TemporalAttention, rotate
from worldline.nn.backbone import Backbone
from worldline.nn.causal import CausalMix
from worldline.nn.ema import Average
from worldline.nn.layers import ConvBlock, FeedForward, embed_level, pack, shrink, unpack
from worldline.nn.pairs import PairReader
from worldline.nn.quantise import FSQ

__all__ = [
    "FSQ",
    "Average",
    "Backbone",
    "CausalMix",
    "ConvBlock",
    "FeedForward",
    "KeyValue",
    "PairReader",
    "SpatialAttention",
    "TemporalAttention",
    "embed_level",
    "pack",
    "rotate",
    "shrink",
    "unpack",
]
