"""Table of the suite `drift`: is what leaves the picture still the same when it comes back?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from worldline.audit.straying import unrelated_error
from worldline.audit.suites.result import Better, Report, Row, RowKind, Table, mean_cell
from worldline.audit.visual import psnr
from worldline.core.clip import Clip

__all__ = ["AWAY", "BACK", "find_returns", "return_table"]

AWAY, BACK = 0.5, 0.25
"""A true picture is away from the last one of the context where it differs from that by more than
one half of what unrelated pictures differ by, and back where by less than a quarter."""

Films = UInt8[np.ndarray, "c t h w 3"]


def find_returns(
    truth: UInt8[np.ndarray, "t h w 3"], context: int, usual: float
) -> tuple[int, int] | None:
    """Of true frames, the number of that which is farthest away from the context's last one, and
    of the first that is back after being away; None where it does not go and come back.

    Args:
        truth: the context's frames, then those after it.
        context: how many.
        usual: mean square difference of unrelated pictures.
    """
    last = truth[context - 1].astype(np.float64)
    apart = np.square(truth[context:] - last).mean(axis=(1, 2, 3)) / usual
    gone = np.flatnonzero(apart > AWAY)
    if not len(gone):
        return None
    back = np.flatnonzero((apart < BACK) & (np.arange(len(apart)) > gone[0]))
    if not len(back):
        return None
    return context + int(np.argmax(apart[: back[0]])), context + int(back[0])


def return_table(
    films: Mapping[str, Films], subject: str, clips: Sequence[Clip], context: int, seed: int
) -> Table | None:
    """Pictures that are away and back, beside the true ones of the same moments.

    Args:
        films: by name of a row, the frames after the context of every clip.
        subject: name of the row that is under test.
        clips: of held-out episodes, all of one length, in whose true frames it is looked what
            leaves and comes back.
        context: their frames that were seen.
        seed: of resampling.

    Returns:
        None where nothing comes back in any clip.
    """
    usual = unrelated_error(clips, seed)
    found = [find_returns(clip.frames, context, usual) for clip in clips]
    moments = [(i, pair) for i, pair in enumerate(found) if pair is not None]
    if not moments:
        return None
    still = np.stack([np.repeat(c.frames[context - 1][None], len(c.frames), 0) for c in clips])
    rows = []
    for name, each in {**films, "copy-last": still[:, context:]}.items():
        cells = {}
        for k, column in enumerate(("away", "back")):
            values = np.full(len(clips), np.nan)
            for i, pair in moments:
                true = clips[i].frames[pair[k] : pair[k] + 1]
                values[i] = psnr(each[i][pair[k] - context][None], true)[0]
            cells[column] = mean_cell(values, seed=seed)
        kind = RowKind.SUBJECT if name == subject else RowKind.BASELINE
        rows.append(Row(name, kind, cells))
    ahead = [pair[1] - context + 1 for _, pair in moments]
    return Table(
        name="return",
        title="What leaves the picture and comes back",
        report=Report.VISUAL,
        unit="dB",
        better=Better.HIGHER,
        columns=("away", "back"),
        rows=tuple(rows),
        note=f"PSNR against the truth under the true actions, where that goes away from the last "
        f"picture that was seen and comes back: in {len(moments)} of {len(clips)} clips, back "
        f"after {min(ahead)} to {max(ahead)} frames (median {np.median(ahead):.0f}). Copying that "
        "picture is right when it is back and wrong when it is away; who remembers is right in "
        "both.",
    )
