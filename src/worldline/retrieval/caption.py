"""Words on pictures: the lines above a hit's clip, and tags beside its objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from worldline.core.scene import STATIC
from worldline.core.wording import (
    describe_asked,
    describe_quantities,
    plain,
    printable,
    tell_who,
)
from worldline.retrieval.schema import COMMON_QUANTITIES
from worldline.retrieval.weighing import BY_DEFINITION

__all__ = ["Caption", "draw_tag", "moving", "tell_event"]

_PAPER, _INK, _SOFT, _ACCENT = (17, 22, 29), (230, 233, 238), (118, 128, 142), (116, 198, 216)
_SIZE_PX, _LINE_PX, _PAD_PX, _BAR_PX = 14, 20, 8, 6
_MOST_EVENTS, _MOST_QUANTITIES, _MOST_LINES = 3, 2, 3
_DULL = {"num_frames", "duration_s", BY_DEFINITION}
_NOT_IN_FONT = {"\u202f": " ", "²": "^2", "·": " "}


def tell_event(event: Mapping[str, Any]) -> str:
    """An event in one line: what, when, who, and what was measured.

    Args:
        event: record as in a hit's `why["events"]`.
    """
    parts = [f"{plain(event['type'])} {event['start_s']:.2f} to {event['end_s']:.2f} s"]
    parts.append(tell_who({role: _name(who) for role, who in event["roles"].items()}))
    told: set[str] = set()
    for asked in event["comparisons"]:
        name = asked["quantity"]
        told |= {name, f"{name}_std"}
        limit = asked["op"], asked["threshold"]
        parts.append(describe_asked(name, asked["value"], *limit, asked.get("std")))
    measured = event["quantities"]
    first = [name for name in COMMON_QUANTITIES if name in measured]
    rest = {k: measured[k] for k in dict.fromkeys([*first, *measured]) if k not in told | _DULL}
    parts += list(describe_quantities(rest))[: max(0, _MOST_QUANTITIES - len(told) // 2)]
    text = ", ".join(filter(None, parts))
    for sign, plainer in _NOT_IN_FONT.items():
        text = text.replace(sign, plainer)
    return printable(text)


def _name(who: Mapping[str, Any]) -> str | None:
    if who["track"] == STATIC:
        return None
    return " ".join(str(w) for w in (who["color"], who["label"], who["track"]) if w is not None)


def moving(event: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """An event's roles without those of what never moves."""
    return {role: who for role, who in event["roles"].items() if who["track"] != STATIC}


@dataclass(frozen=True)
class Caption:
    """What stands above each frame of a clip, where a player's controls do not hide it.

    Attributes:
        band: the words, with the events' intervals marked on a bar below them.
        clip_s: start and end of the clip.
    """

    band: UInt8[np.ndarray, "h w 3"]
    clip_s: tuple[float, float]

    @classmethod
    def fit(
        cls, events: Sequence[Mapping[str, Any]], clip_s: tuple[float, float], width_px: int
    ) -> Caption:
        """Set the words of some events to a width."""
        told = [_wrap(tell_event(event), width_px - 2 * _PAD_PX) for event in events[:_MOST_EVENTS]]
        lines = [line for text in told for line in _cut(text)]
        if len(events) > _MOST_EVENTS:
            lines.append(f"and {len(events) - _MOST_EVENTS} more")
        height = 3 * _PAD_PX + len(lines) * _LINE_PX + _BAR_PX
        image = Image.new("RGB", (width_px, height + height % 2), _PAPER)
        pen = ImageDraw.Draw(image)
        for number, line in enumerate(lines):
            pen.text((_PAD_PX, _PAD_PX + number * _LINE_PX), line, fill=_INK, font=_font())
        top = image.height - _PAD_PX - _BAR_PX
        pen.rectangle((_PAD_PX, top + 2, width_px - _PAD_PX, top + _BAR_PX - 3), fill=_SOFT)
        for event in events:
            left, right = (_place(event[end], clip_s, width_px) for end in ("start_s", "end_s"))
            box = (left, top, max(right, left + 2), top + _BAR_PX - 1)
            pen.rectangle(box, fill=_ACCENT)
        return cls(np.asarray(image).copy(), clip_s)

    def at(self, time_s: float) -> UInt8[np.ndarray, "h w 3"]:
        """The band with a mark at a moment."""
        band = self.band.copy()
        x = _place(time_s, self.clip_s, band.shape[1])
        top = band.shape[0] - _PAD_PX - _BAR_PX - 3
        band[top : top + _BAR_PX + 6, max(0, x - 1) : x + 2] = _INK
        return band


def _place(time_s: float, clip_s: tuple[float, float], width_px: int) -> int:
    share = (time_s - clip_s[0]) / max(clip_s[1] - clip_s[0], 1e-9)
    return round(_PAD_PX + float(np.clip(share, 0, 1)) * (width_px - 2 * _PAD_PX))


def draw_tag(
    image: UInt8[np.ndarray, "h w 3"],
    text: str,
    center: Float[np.ndarray, " 2"],
    half: Float[np.ndarray, " 2"],
    color: tuple[int, int, int],
) -> None:
    """Write a word under a box, or above it where there is no room; changes the image.

    Args:
        image: RGB.
        text: one short line.
        center, half: middle of the box and half its size, in pixels of the image.
        color: of the tag's ground.
    """
    tag = _tag(printable(text), color)
    high, wide = min(tag.shape[0], image.shape[0]), min(tag.shape[1], image.shape[1])
    x = int(np.clip(center[0] - wide / 2, 0, image.shape[1] - wide))
    y = int(center[1] + half[1]) + 3
    if y + high > image.shape[0]:
        y = int(center[1] - half[1]) - high - 3
    y = int(np.clip(y, 0, image.shape[0] - high))
    image[y : y + high, x : x + wide] = tag[:high, :wide]


@lru_cache(maxsize=64)
def _tag(text: str, color: tuple[int, int, int]) -> np.ndarray:
    width = int(_font().getlength(text)) + 8
    image = Image.new("RGB", (width, _LINE_PX - 2), color)
    ImageDraw.Draw(image).text((4, 1), text, fill=_PAPER, font=_font())
    return np.asarray(image)


@lru_cache(maxsize=1)
def _font() -> Any:
    return ImageFont.load_default(_SIZE_PX)


def _wrap(text: str, width_px: float) -> list[str]:
    """Lines that are no wider; a word that is wider alone is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if _font().getlength(longer) <= width_px or not line:
            line = longer
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def _cut(lines: list[str]) -> list[str]:
    """The first lines, with a mark where some are left out."""
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], f"{lines[2]} ..."]
