"""Weights that come with the package: their version, and how they are opened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worldline.core.config import Config
from worldline.core.errors import ArtifactError

__all__ = ["name_of_weights", "open_network"]


def name_of_weights(kind: str, folder: Path) -> str:
    """ "KIND/digest": other weights, other name.

    Raises:
        ArtifactError: there are no weights.
    """
    file = folder / "model.safetensors"
    try:
        return f"{kind}/{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be read ({error.strerror}); install again") from None


def open_network(folder: Path, fits: Callable[[Config], bool], what: str) -> Any:
    """The network of a folder, in single precision, ready to answer.

    Args:
        folder: an artifact.
        fits: whether a config is that of the network that is wanted.
        what: that network in words, for the refusal.

    Raises:
        ArtifactError: it is missing, damaged, or another one.
    """
    from worldline.core.artifact import Artifact
    from worldline.core.config import config_from_json

    artifact = Artifact.load(folder)
    config = config_from_json(artifact.config)
    if not fits(config):
        raise ArtifactError(f"{folder}: not {what}")
    network = config.build()
    try:
        network.load_state_dict({name: t.float() for name, t in artifact.tensors.items()})
    except RuntimeError as error:
        raise ArtifactError(f"{folder}: weights do not fit the config ({error})") from None
    return network.eval()
