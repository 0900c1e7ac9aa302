"""Where worlds lie on disk, and how their weights are put back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from worldline.core.artifact import Artifact
from worldline.core.errors import ArtifactError

__all__ = ["gather_tensors", "load_part", "open_artifact"]

_PRETRAINED = Path(__file__).parent / "pretrained"


def open_artifact(name_or_folder: str | Path) -> Artifact:
    """A bundled artifact by name, or any by folder.

    Raises:
        ArtifactError: there is none; says which are bundled.
    """
    folder = Path(name_or_folder)
    if not (folder / "config.json").is_file() and len(folder.parts) == 1:
        folder = _PRETRAINED / folder
    if not folder.is_dir():
        known = sorted(p.name for p in _PRETRAINED.glob("*") if p.is_dir())
        raise ArtifactError(
            f"no world {str(name_or_folder)!r}: give the folder of a saved world or one of "
            f"{', '.join(known) or '(none is bundled)'}"
        )
    return Artifact.load(folder)


def gather_tensors(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """State of all parts, each tensor named after its part."""
    return {
        f"{name}.{key}": value
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }


def load_part(part: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Put stored weights back into a part, computing in single precision from here on.

    Raises:
        ArtifactError: a tensor is missing, left over or of another shape.
    """
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
        first = str(error).splitlines()[-1].strip()
        raise ArtifactError(f"weights of the {name} do not fit the config: {first}") from None
