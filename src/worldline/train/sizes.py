"""One dial for the size of a world: everything that is wide or deep follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worldline.core.errors import InputError

__all__ = ["SIZES", "Size", "size_named"]


@dataclass(frozen=True)
class Size:
    """Widths and depths of the parts.

    Attributes:
        stem_width, width, depth, heads: of the dynamics.
        fine_width, coarse_width, blocks: of a convolutional tokenizer.
        view_width, view_depth: of a representation tokenizer.
        readout_width, readout_depth: of the readout.
    """

    stem_width: int
    width: int
    depth: int
    heads: int
    fine_width: int
    coarse_width: int
    blocks: int
    view_width: int
    view_depth: int
    readout_width: int
    readout_depth: int

    def of_dynamics(self) -> dict[str, Any]:
        """Fields of a dynamics' config."""
        names = ("stem_width", "width", "depth", "heads")
        return {name: getattr(self, name) for name in names}

    def of_tokenizer(self) -> dict[str, Any]:
        """Fields of a convolutional tokenizer's config."""
        return {
            "fine_width": self.fine_width,
            "coarse_width": self.coarse_width,
            "fine_depth": self.blocks,
            "coarse_depth": self.blocks,
        }

    def of_view(self) -> dict[str, Any]:
        """Fields of a representation tokenizer's config, with a decoder for looking."""
        return {
            "width": self.view_width,
            "depth": self.view_depth,
            "decoder_width": self.coarse_width,
            "decoder_depth": self.blocks,
        }

    def of_readout(self) -> dict[str, Any]:
        """Fields of a readout's config."""
        return {"width": self.readout_width, "depth": self.readout_depth}


SIZES = {
    "nano": Size(32, 64, 6, 2, 32, 64, 1, 64, 3, 32, 1),
    "small": Size(128, 256, 9, 4, 64, 128, 2, 192, 6, 128, 3),
    "base": Size(256, 768, 18, 12, 96, 256, 3, 768, 12, 256, 4),
    "large": Size(512, 2048, 48, 32, 128, 512, 4, 1024, 24, 256, 4),
}
"""From a world that learns in minutes on a laptop to one of billions of parameters."""


def size_named(name: str) -> Size:
    """The size of a name. Raises `InputError` if there is none."""
    if name not in SIZES:
        raise InputError(f"size {name!r} is not known; there are {', '.join(SIZES)}")
    return SIZES[name]
