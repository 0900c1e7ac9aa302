"""How worlds are read from disk, and their weights put back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from torch import Tensor, nn

from worldline.core.artifact import Artifact
from worldline.core.config import Config, config_from_json
from worldline.core.errors import ArtifactError
from worldline.world.folders import find_folder

__all__ = ["build_stored", "gather_tensors", "load_parts", "open_artifact"]

_MOST = 100_000
"""More than any width, depth, size or count of a world: building one of more would fill the memory
or never end."""


def open_artifact(name_or_folder: str | Path) -> Artifact:
    """A bundled artifact by name, or any by folder. Raises `ArtifactError` as `find_folder`."""
    return Artifact.load(find_folder(name_or_folder))


_NOT_BUILT = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


def build_stored(artifact: Artifact, kind: type[Config], name: str | Path) -> Any:
    """Build what a stored config describes, without weights.

    Raises:
        ArtifactError: the config cannot be read, is of another kind, or its numbers make nothing
            that can be built; says why.
    """
    try:
        config = config_from_json(artifact.config)
    except ArtifactError as error:
        raise ArtifactError(f"{name}: config.json: {error}") from None
    if not isinstance(config, kind):
        raise ArtifactError(f"{name}: holds a {config.type_name}, not a world")
    _require_moderate(config, name)
    try:
        return config.build()  # type: ignore[attr-defined]
    except ArtifactError:
        raise
    except _NOT_BUILT as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ArtifactError(f"{name}: its config cannot be built ({reason})") from None


def _require_moderate(config: Any, name: str | Path) -> None:
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(item):
                _require_moderate(item, name)
            elif type(item) is int and not -1 <= item <= _MOST:
                raise ArtifactError(
                    f"{name}: {config.type_name} has {field.name} {item}, at most {_MOST} can be"
                )


def gather_tensors(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """State of all parts, each tensor named after its part."""
    return {
        f"{name}.{key}": value
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }


def load_parts(
    parts: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], name: str | Path
) -> None:
    """Put stored weights back into all parts, computing in single precision from here on.

    Raises:
        ArtifactError: a tensor is missing, left over, damaged or of another shape; says which, and
            the name of the world.
    """
    for part_name, part in parts.items():
        try:
            _load_part(part, tensors, part_name)
        except ArtifactError as error:
            raise ArtifactError(f"{name}: {error}") from None


def _load_part(part: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    prefix = name + "."
    state = {
        key.removeprefix(prefix): value.float() if value.is_floating_point() else value
        for key, value in tensors.items()
        if key.startswith(prefix)
    }
    for key, value in state.items():
        if not torch.isfinite(value).all():
            raise ArtifactError(f"weights of the {name} are damaged: {key} is not finite")
    try:
        part.load_state_dict(state, strict=True)
    except RuntimeError as error:
        first = shorten(str(error).splitlines()[-1], 200, placeholder=" …")
        raise ArtifactError(f"weights of the {name} do not fit the config: {first}") from None
