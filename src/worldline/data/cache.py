"""Results of encoding, kept by what was encoded and by what: a folder of safetensors files."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from worldline.core.errors import InputError, MediaError

__all__ = ["LatentCache", "fingerprint", "hash_file", "hash_frames"]

_KEY = "worldline.key"


class LatentCache:
    """Tensors by key, computed at most once per key as long as the folder lives.

    Many processes may use one folder at the same time. A file appears under its name only when it
    is complete, so that a reader finds all of it or nothing; two that compute the same key write
    the same file twice, and either is good. A file that is damaged all the same is computed anew,
    with a warning.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder}: is a file; name a folder for the cache")
        self.folder.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def key(content: str, encoder: str) -> str:
        """Key for what was encoded (`hash_frames`, `hash_file`) by what (`fingerprint`)."""
        return hashlib.sha256(f"{content}\n{encoder}".encode()).hexdigest()

    def path(self, key: str) -> Path:
        """File of a key; 256 folders keep each of them small."""
        return self.folder / key[:2] / f"{key}.safetensors"

    def get(self, key: str, compute: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """What is kept under a key, or else what `compute` gives, which is then kept.

        Args:
            key: from `LatentCache.key`.
            compute: names and tensors; whatever it raises comes through, and nothing is kept.

        Returns:
            tensors on the CPU, the same whether they were kept or just computed.
        """
        kept = self._read(key)
        if kept is not None:
            return kept
        tensors = {name: t.detach().cpu().contiguous() for name, t in compute().items()}
        self._write(key, tensors)
        return tensors

    def _read(self, key: str) -> dict[str, Tensor] | None:
        path = self.path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            tensors = load(content)
        except (SafetensorError, ValueError, KeyError) as error:
            warnings.warn(f"{path}: damaged, computed anew ({error})", stacklevel=3)
            return None
        digest = tensors.pop(_KEY, None)
        if digest is None or not torch.equal(digest, _digest(key, tensors)):
            warnings.warn(f"{path}: damaged, computed anew (its checksum is wrong)", stacklevel=3)
            return None
        return tensors

    def _write(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        if _KEY in tensors:
            raise InputError(f"a tensor may not be called {_KEY}")
        path = self.path(key)
        path.parent.mkdir(exist_ok=True)
        # A name of its own for each writer; one that was killed leaves it behind, and no more.
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(save({**tensors, _KEY: _digest(key, tensors)}))
            partial.chmod(0o644)  # mkstemp lets only the owner read
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def fingerprint(module: nn.Module, config: Mapping[str, Any] | str = "") -> str:
    """SHA-256 over a network's parameters and buffers, by name, type, shape and value.

    Args:
        module: such as a tokenizer.
        config: whatever else the result depends on, as text or as JSON has it.
    """
    text = config if isinstance(config, str) else json.dumps(config, sort_keys=True)
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(module.state_dict().items()):
        _update(digest, name, tensor)
    return digest.hexdigest()


def hash_frames(frames: UInt8[np.ndarray, "*shape"]) -> str:
    """SHA-256 over the shape and the values of frames."""
    digest = hashlib.sha256(repr(frames.shape).encode())
    digest.update(np.ascontiguousarray(frames).data)
    return digest.hexdigest()


def hash_file(
    path: str | Path, *, start_s: float | None = None, end_s: float | None = None, note: str = ""
) -> str:
    """SHA-256 over a file's bytes and the part of it that is meant.

    Args:
        path: file.
        start_s, end_s: part of it.
        note: how it is read, where that matters, such as the size.

    Raises:
        MediaError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror})") from None
    return hashlib.sha256(repr((content, start_s, end_s, note)).encode()).hexdigest()


def _digest(key: str, tensors: Mapping[str, Tensor]) -> Tensor:
    digest = hashlib.sha256(key.encode())
    for name, tensor in sorted(tensors.items()):
        _update(digest, name, tensor)
    return torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8)


def _update(digest: Any, name: str, tensor: Tensor) -> None:
    digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    if flat.numel():  # as bytes, because NumPy has no bfloat16
        digest.update(flat.view(torch.uint8).numpy().data)
