"""What a recording imports by name: the home of an environment, and who plays in it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, cast

import gymnasium
import numpy as np

from worldline.core.errors import InputError
from worldline.core.modules import import_theirs

__all__ = ["Policy", "gist", "import_home", "load_policy"]

Policy = Callable[[np.random.Generator], Callable[[Any], Any]]
"""Makes a player of one episode, who chooses an action, as the environment's action space has it,
from an observation."""

# Packages that register their environments only when they are imported. Others are named as
# Gymnasium does it, "module:ID".
_HOMES = (
    ("ALE/", "ale_py"),
    ("Vizdoom", "vizdoom.gymnasium_wrapper"),
    ("gym_pusht/", "gym_pusht"),
    ("highway-", "highway_env"),
    ("intersection-", "highway_env"),
    ("merge-", "highway_env"),
    ("parking-", "highway_env"),
    ("racetrack-", "highway_env"),
    ("roundabout-", "highway_env"),
)

_IN_GAMES = "install the extra games (pip install -e '.[games]' in Worldline's folder)"
_ALONE = {"gym_pusht": "CONTRIBUTING.md says how it is installed"}


def import_home(env_id: str) -> None:
    """Import what registers an environment: a known package, or the module of `MODULE:ENV_ID`.

    Raises:
        InputError: it cannot be imported.
    """
    theirs, colon, _ = env_id.partition(":")
    if colon:
        try:
            import_theirs(theirs)
        except (Exception, SystemExit) as error:  # whatever a foreign module raises
            raise InputError(f"{env_id}: {_tell(theirs, error)}") from None
        return
    home = next((module for start, module in _HOMES if env_id.startswith(start)), None)
    if home is None or env_id in gymnasium.registry:
        return
    try:
        importlib.import_module(home)
    except ImportError as error:
        package = home.partition(".")[0]
        raise InputError(
            f"{env_id}: needs the package {package}, which cannot be imported ({error}); "
            f"{_ALONE.get(package, _IN_GAMES)}"
        ) from None


def load_policy(name: str) -> Policy:
    """The policy that a name means, `MODULE:NAME`.

    Raises:
        InputError: there is none.
    """
    module, colon, attribute = name.partition(":")
    if not module or not colon or not attribute:
        raise InputError(f"policy {name}: name it as MODULE:NAME")
    try:
        home = import_theirs(module)
    except (Exception, SystemExit) as error:  # whatever a foreign module raises
        raise InputError(f"policy {name}: {_tell(module, error)}") from None
    found: Any = getattr(home, attribute, None)
    if found is None:
        raise InputError(f"policy {name}: there is none in {module}")
    if not callable(found):
        raise InputError(f"policy {name}: is a {type(found).__name__}, not a function")
    return cast("Policy", found)


def gist(error: BaseException) -> str:
    """An error of somebody's code in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _tell(module: str, error: BaseException) -> str:
    told = f"the module {module} cannot be imported ({gist(error)})"
    if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
        told += "; it is looked for in the working directory and among what is installed"
    return told
