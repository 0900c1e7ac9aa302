"""Files that commands read and write beside video."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worldline.cli.output import to_text
from worldline.core.errors import InputError
from worldline.core.scene import Scene

__all__ = ["read_scene", "write_json"]


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write strict JSON (NaN becomes null); a reader never sees half a file."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(to_text(record) + "\n", encoding="utf-8")
    partial.replace(path)


def read_scene(path: Path) -> Scene:
    """Read a scene that `worldline sim make` wrote, or `Scene.to_json` made.

    Raises:
        InputError: the file cannot be read as a scene; the message names it.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError("expected a JSON object")
        return Scene.from_json(record)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not a scene ({error})") from None
