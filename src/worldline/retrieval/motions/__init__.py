"""How things move, as vectors that no look, place, scale or side changes; learned by contrast."""

from worldline.retrieval.motions.embedding import (
    NUM_FEATURES,
    Kind,
    MotionVector,
    compare,
    compare_all,
    describe,
    describe_both,
    embedding_name,
)

__all__ = [
    "NUM_FEATURES",
    "Kind",
    "MotionVector",
    "compare",
    "compare_all",
    "describe",
    "describe_both",
    "embedding_name",
]
