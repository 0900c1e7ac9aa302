"""The laws as a page of documentation: `python -m worldline.audit.laws_page docs`."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import numpy as np

from worldline.audit.breaches import BREACHES
from worldline.audit.tolerances import DEFAULT_ALPHA, Tolerances, load_tolerances
from worldline.core.scene import Scene
from worldline.core.verdict import Outcome
from worldline.core.wording import plain, write_number
from worldline.physics import LAWS
from worldline.physics.laws.examples import EXAMPLES

__all__ = ["draw_examples", "render_laws", "write_pages"]

OVER_TIME = frozenset({"momentum", "interpenetration", "causality", "permanence", "continuity"})
"""Laws whose examples move along one line: drawn as world lines, time going down."""

WIDTH, HEIGHT, MARGIN = 300.0, 180.0, 16.0
_GOOD, _BAD = "#2a6f97", "#c1121f"

_HEAD = """# Laws: what motion has to obey

This page is made from the docstrings of `worldline/physics/laws/` and from the lawful films in
`worldline/audit/tolerances.json`: `python -m worldline.audit.laws_page docs`.

`worldline audit VIDEO` gives a verdict for each law: **pass**, **fail**, or **untestable** with the
reason. Laws are tested between touches and never across one. Where positions are known in metres
(simulated, or of known scale) the p-value is that of the measurement against its stated errors and
what is granted; it is corrected for the number of tests of a law (the first step of Holm 1979), so
that `alpha` bounds the chance of a false alarm for each law and scene.

A video is followed by a tracker, whose mistakes have no formula. There, lawful simulated films went
through the same renderer, H.264 and tracker, and the p-value is the share of them whose deviation
goes as far or farther, (1 + their number) / (n + 1): split conformal prediction, times the number
of films that the video is long. A lawful video of the same kind then fails a law with a chance of
at most `alpha`. Where the films are too few for `alpha`, a video fails only if it goes farther than
all of them and its own p-value is below `alpha` too. Videos unlike the films (people, cars and
hands push themselves; a camera that shakes) are not covered by that promise.

Deviations are compared as *excess*: the deviation over what is granted and two standard errors. The
table says how many films showed each law, and the excess beyond which a video fails: below 1 the
films are stricter than what is granted, 0 means that hardly any lawful film deviates at all.
"""

_POWER = """False alarms are counted on films that the other films calibrate (five-fold
cross-validation).

What the laws find is measured on films in which one body breaks a law, 64 to 192 px wide: any law
that fails counts. In pixels that is little beyond false alarms. A tracker that knows nothing of
what it follows loses a body that leaps or vanishes and takes it for an end of its way, as it does
in lawful films; what grows or goes through another has a box like any other. On the true scene, in
metres, the laws find most.
"""


def render_laws(tolerances: Tolerances) -> str:
    """Markdown with a table of the films and a section for each law."""
    alarms = tolerances.measured["false_alarms"]
    rows = [
        f"| law | films | fails beyond an excess of, alpha = {write_number(DEFAULT_ALPHA)} | "
        "false alarms |",
        "|---|---|---|---|",
    ]
    for law in LAWS:
        num, limit = tolerances.num_films(law), tolerances.limit(law, DEFAULT_ALPHA)
        said = write_number(limit) if np.isfinite(limit) else "its own p-value counts too"
        if not num:
            said = "never testable by motion alone"
        share = "{} of {}".format(*alarms[law]) if law in alarms else "-"
        rows.append(f"| [{plain(law)}](#{law}) | {num} | {said} | {share} |")
    rows += ["", _POWER, "| breach | found in pixels | found in metres |", "|---|---|---|"]
    rows.append("| none: lawful films | {} of {} | |".format(*alarms["any law"]))
    for kind, own in tolerances.measured["found"].items():
        pixels, metres = (
            "{} of {}".format(*own[name]) if own[name][1] else "not in the truth"
            for name in ("pixels", "metres")
        )
        rows.append(f"| {BREACHES[kind]} | {pixels} | {metres} |")
    return "\n".join([_HEAD, *rows, "", *(_section(law) for law in LAWS)])


def _section(law: str) -> str:
    check = LAWS[law]
    lines = [f"## {law}", "", inspect.cleandoc(check.__doc__ or ""), ""]
    lines += [f"![{plain(law)}, kept and broken](laws/{law}.svg)", ""]
    for scene, word in zip(EXAMPLES[law], ("Kept", "Broken"), strict=True):
        lines.append(f"- {word}: {check(scene, 0.01).reason}")
    return "\n".join([*lines, ""])


def draw_examples(law: str) -> str:
    """SVG of the scene that keeps a law, and of the one that breaks it, with their verdicts."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH:.0f} {HEIGHT:.0f}" '
        'font-family="sans-serif" font-size="11">'
    ]
    for number, scene in enumerate(EXAMPLES[law]):
        verdict = LAWS[law](scene, 0.01)
        color = _BAD if verdict.outcome is Outcome.FAIL else _GOOD
        parts.append(f'<g transform="translate({number * WIDTH:.0f} 0)">')
        parts.append(
            f'<rect x="2" y="2" width="{WIDTH - 4:.0f}" height="{HEIGHT - 4:.0f}" fill="#fff" '
            'stroke="#ccc"/>'
        )
        parts += _panel(scene, color, law)
        parts.append(f'<text x="10" y="18" fill="{color}">{verdict.outcome}</text></g>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _places(scene: Scene, *, over_time: bool) -> tuple[np.ndarray, np.ndarray]:
    """Way to the right in metres, and down in metres or seconds, of each object and frame."""
    assert scene.position_m is not None
    x = scene.position_m[..., 0]
    return x, np.broadcast_to(scene.time_s, x.shape) if over_time else -scene.position_m[..., 2]


def _panel(scene: Scene, color: str, law: str) -> list[str]:
    assert scene.extent_m is not None
    over_time = law in OVER_TIME
    x, down = _places(scene, over_time=over_time)
    # Both panels of a law have one scale.
    all_x, all_down = (
        np.concatenate([values.ravel() for values in axis])
        for axis in zip(*(_places(s, over_time=over_time) for s in EXAMPLES[law]), strict=True)
    )
    unit = (WIDTH - 2 * MARGIN) / (float(np.ptp(all_x)) + 0.4)
    drop = (HEIGHT - 2 * MARGIN) / (float(np.ptp(all_down)) + (0.0 if over_time else 0.4))
    unit = unit if over_time else min(unit, drop)
    drop = drop if over_time else unit
    left = all_x.min() - (WIDTH / unit - np.ptp(all_x)) / 2
    top = all_down.min() - (HEIGHT / drop - np.ptp(all_down)) / 2
    shapes = []
    for row in range(scene.num_objects):
        there = np.flatnonzero(scene.present[row])
        own = np.stack([(x[row] - left) * unit, (down[row] - top) * drop], axis=1)[there]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in own.tolist())
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{color}" opacity="0.5"/>')
        grown = scene.size_px[row, there, 0] / scene.size_px[row, there[0], 0]
        radius = 3.0 if over_time else unit * float(scene.extent_m[row, 0]) / 2
        for k, (a, b) in enumerate(own.tolist()):
            shade = 0.15 + 0.45 * k / max(len(own) - 1, 1)
            shapes.append(
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius * grown[k]:.1f}" fill="{color}" '
                f'opacity="{shade:.2f}"/>'
            )
    return shapes


def write_pages(folder: Path) -> None:
    """Write `laws.md`, and a drawing for each law under `laws/`."""
    (folder / "laws").mkdir(parents=True, exist_ok=True)
    (folder / "laws.md").write_text(_plain_names(render_laws(load_tolerances())))
    for law in LAWS:
        (folder / "laws" / f"{law}.svg").write_text(draw_examples(law))


def _plain_names(text: str) -> str:
    return re.sub(r"`worldline\.([a-z_.]+)`", r"`\1`", text)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
