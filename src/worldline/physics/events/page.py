"""The ontology as a page of documentation: `python -m worldline.physics.events.page`."""

from __future__ import annotations

import inspect
import re

from worldline.physics.events import ONTOLOGY, EventType

__all__ = ["render_ontology"]

_HEAD = """# Events: what can happen, by definition

This page is made from the docstrings of `worldline/physics/events/`:
`python -m worldline.physics.events.page > docs/events.md`. A *metric* scene has positions in metres
(simulated, or of known scale); a *pixel* scene has boxes in the image alone. Every event has an
interval and a confidence.
"""


def render_ontology() -> str:
    """Markdown with a section for each event: definition, roles, quantities, version."""
    parts = [_HEAD, "Known events: " + ", ".join(f"[{n}](#{n})" for n in sorted(ONTOLOGY)) + ".\n"]
    return "\n".join([*parts, *(_section(ONTOLOGY[name]) for name in sorted(ONTOLOGY))])


def _section(kind: EventType) -> str:
    lines = [f"## {kind.name}", "", inspect.cleandoc(kind.definition), ""]
    lines += [f"- **{role}**: {text}" for role, text in kind.roles.items()]
    lines += [f"- `{name}`: {text}" for name, text in kind.quantities.items() if text]
    lines += [f"- definition {kind.version}", ""]
    return re.sub(r"`worldline\.([a-z_.]+)`", r"`\1`", "\n".join(lines))


if __name__ == "__main__":
    print(render_ontology(), end="")
