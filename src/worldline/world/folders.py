"""Where worlds lie on disk. Knows no torch, so that a wrong name is told at once."""

from __future__ import annotations

from pathlib import Path

from worldline.core.errors import ArtifactError

__all__ = ["OPENINGS", "find_folder", "find_openings"]

OPENINGS = "openings.npz"
"""Lies in the folder of a world: `frames` `[N, K, h, w, 3]`, `actions` `[N, K, A]` where there are
any, `step_s`, and `origin` of the pictures."""

_PRETRAINED = Path(__file__).parent / "pretrained"
_CONFIG = "config.json"
_RUN = "recipe.json"
"""Lies in the folder of a training run, whose world is in `world` below it."""


def find_folder(name_or_folder: str | Path) -> Path:
    """Where a bundled artifact lies, or any by folder.

    Raises:
        ArtifactError: there is none, and says which are bundled; or the folder is that of a run,
            and says where its world lies.
    """
    folder = Path(name_or_folder)
    if not (folder / _CONFIG).is_file() and len(folder.parts) == 1:
        bundled = _PRETRAINED / folder
        folder = bundled if bundled.is_dir() or not folder.is_dir() else folder
    if not folder.is_dir():
        known = sorted(p.name for p in _PRETRAINED.glob("*") if p.is_dir())
        raise ArtifactError(
            f"no world {str(name_or_folder)!r}: give the folder of a saved world or one of "
            f"{', '.join(known) or '(none is bundled)'}"
        )
    if not (folder / _CONFIG).is_file() and (folder / _RUN).is_file():
        world = folder / "world"
        if (world / _CONFIG).is_file():
            raise ArtifactError(f"{folder}: is the folder of a run; its world is {world}")
        raise ArtifactError(
            f"{folder}: is the folder of a run that has not ended; {world} is written at its end"
        )
    return folder


def find_openings(name_or_folder: str | Path) -> Path:
    """The file of the clips that sessions of a world may begin with.

    Raises:
        ArtifactError: there is no such world, or it has no openings.
    """
    file = find_folder(name_or_folder) / OPENINGS
    if file.is_file():
        return file
    if not (file.parent / _CONFIG).is_file():
        raise ArtifactError(f"{name_or_folder}: is not the folder of a world (no {_CONFIG})")
    raise ArtifactError(
        f"{name_or_folder}: no {OPENINGS}, so nothing says where a session begins; give a video "
        "with --clip, or a Clip to World.open"
    )
