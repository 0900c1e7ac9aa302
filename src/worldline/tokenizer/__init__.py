"""Tokenizers: frames to latents and back."""

from worldline.tokenizer.base import Tokenizer, from_unit, to_unit
from worldline.tokenizer.continuous import ContinuousTokenizer

__all__ = ["ContinuousTokenizer", "Tokenizer", "from_unit", "to_unit"]
