"""Where benchmark results go: one JSON file per benchmark, with date, commit and machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def rows_of_today(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of the last record if it is of today and of the same facts: a run may do a part."""
    path = FOLDER / f"{name}.json"
    record = json.loads(path.read_text()) if path.is_file() else {}
    same = record.get("date") == datetime.now(UTC).date().isoformat()
    same = same and all(record.get(key) == value for key, value in facts.items())
    return record["rows"] if same else {}


def write_record(name: str, facts: Mapping[str, Any]) -> None:
    """Write `results/NAME.json`."""
    git = ["git", "-C", str(FOLDER.parent), "rev-parse", "--short", "HEAD"]
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": subprocess.run(git, capture_output=True, text=True).stdout.strip(),
        "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "load_average": round(os.getloadavg()[0], 1),
        **facts,
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
