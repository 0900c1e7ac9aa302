"""Where the files of recipes lie, beside the package and not in it, and reading them."""

from __future__ import annotations

import inspect
import runpy
from pathlib import Path

from worldline.core.errors import InputError
from worldline.train.recipe import Recipe

__all__ = ["find_recipe", "load_recipe", "shipped_recipes"]

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


_NEEDED = {
    "data": "it learns from recorded episodes; name them with --data FOLDER",
    "start": "it begins from weights that there are; name their world with --start WORLD",
}
"""What to answer where a recipe cannot do without an argument."""


def load_recipe(
    name_or_path: str,
    size: str | None = None,
    data: str | Path | None = None,
    steps: int | None = None,
    start: str | None = None,
) -> Recipe:
    """A recipe from a Python file that defines `recipe()`.

    The file is run, so it must be one that you trust.

    Args:
        name_or_path: of the recipe, as `find_recipe` reads it.
        size: passed to `recipe(size=...)` if given.
        data: folder of recorded episodes, passed to `recipe(data=...)` if given.
        steps: passed to `recipe(steps=...)` if given.
        start: passed to `recipe(start=...)` if given and taken; others begin from its weights too.

    Raises:
        InputError: there is no such file, or it does not define `recipe()`.
    """
    path = find_recipe(name_or_path)
    try:
        maker = runpy.run_path(str(path)).get("recipe")
        folder_of_data = None if data is None else str(data)
        given = {"size": size, "data": folder_of_data, "steps": steps}
        options = {name: value for name, value in given.items() if value is not None}
        takes = inspect.signature(maker).parameters if callable(maker) else {}
        if start is not None and "start" in takes:
            options["start"] = start
        if "size" in options and "size" not in takes:
            raise InputError("it has no dial for its size; leave --size out")
        if "steps" in options and "steps" not in takes:
            raise InputError("it has no dial for its steps; leave --steps out")
        if "data" in options and "data" not in takes:
            raise InputError("it makes its own data; leave --data out")
        for name, reason in _NEEDED.items():
            needed = name in takes and takes[name].default is inspect.Parameter.empty
            if needed and name not in options:
                raise InputError(reason)
        found = maker(**options) if callable(maker) else None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be run ({type(error).__name__}: {reason})") from None
    if not isinstance(found, Recipe):
        raise InputError(f"{path}: must define recipe() that returns a worldline.train.Recipe")
    return found
