"""Write the report to a folder: `index.html` and `report.json`, from the same facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from worldline.report.facts import ReportFacts
from worldline.report.page import build_page
from worldline.report.words import state_findings

__all__ = ["describe_report", "replace_file", "write_report"]


def describe_report(facts: ReportFacts) -> dict[str, Any]:
    """What `report.json` holds: the facts and the findings in words, as strict JSON data."""
    return {"findings": list(state_findings(facts)), **facts.to_json()}


def write_report(folder: str | Path, facts: ReportFacts) -> Path:
    """Write `index.html` and `report.json`, each complete or not at all.

    Args:
        folder: made if need be; other files in it are left alone.
        facts: what to say.

    Returns:
        path of `index.html`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(describe_report(facts), indent=1, ensure_ascii=False, allow_nan=False)
    replace_file(folder / "report.json", data + "\n")
    return replace_file(folder / "index.html", build_page(facts))


def replace_file(path: Path, text: str) -> Path:
    """Write a text file, complete or not at all. Returns its path."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    return partial.replace(path)
