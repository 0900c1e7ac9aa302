"""Where the files of recipes lie: recipes are beside the package, not in it."""

from __future__ import annotations

from pathlib import Path

from worldline.core.errors import InputError

__all__ = ["find_recipe", "shipped_recipes"]

_FOLDER = "recipes"


def shipped_recipes() -> Path | None:
    """The folder of the project's own recipes; None where the package is installed without them."""
    root = Path(__file__).resolve().parents[3]
    # An installed copy lies in site-packages, above which a folder of this name could be anybody's.
    is_ours = (root / "pyproject.toml").is_file() and (root / _FOLDER / "small.py").is_file()
    return root / _FOLDER if is_ours else None


def find_recipe(name_or_path: str) -> Path:
    """The file that a recipe's name means.

    A path is taken as it is, and `.py` may be left out. A bare name, and `recipes/NAME`, mean a
    file of the folder `recipes` in the working directory, or else of the project's own.

    Raises:
        InputError: there is no such file; says where recipes lie.
    """
    path = Path(name_or_path)
    if path.suffix != ".py":
        folder = path.parent if len(path.parts) > 1 else Path(_FOLDER)
        path = folder / f"{path.name}.py"
    shipped = shipped_recipes()
    places = [path]
    if shipped is not None and path.parts[:-1] == (_FOLDER,):
        places.append(shipped / path.name)
    for place in places:
        if place.is_file():
            return place
    reason = f"{path}: no such recipe; give a Python file that defines recipe()"
    if shipped is None:
        raise InputError(
            f"{reason}; Worldline's own lie in the folder recipes/ of its repository, which is "
            "not part of the installed package"
        )
    names = ", ".join(sorted(file.stem for file in shipped.glob("*.py")))
    raise InputError(f"{reason}, or one of {shipped}: {names}")
