"""Typed configuration: a frozen dataclass beside each class, stored as plain JSON.

A stored config names a registered type, never an import path, so that opening an artifact cannot
run code that was not already part of the program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from worldline.core.errors import ArtifactError

__all__ = ["Config", "config_from_json", "register"]

_REGISTRY: dict[str, type[Config]] = {}


@dataclasses.dataclass(frozen=True)
class Config:
    """Base of every config. Subclasses add `build()` and are decorated with `register`."""

    type_name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    upgrades: ClassVar[Mapping[int, Mapping[str, Any]]] = {}

    def to_json(self) -> dict[str, Any]:
        """`{"type": ..., "version": ..., field: value}` with nested configs written likewise.

        Raises:
            ValueError: the class was not registered, so that nothing could read the record.
        """
        if _REGISTRY.get(self.type_name) is not type(self):
            raise ValueError(f"{type(self).__qualname__} is not a registered config type")
        record: dict[str, Any] = {"type": self.type_name, "version": self.version}
        for item in dataclasses.fields(self):
            record[item.name] = _plain(getattr(self, item.name))
        return record


C = TypeVar("C", bound=type[Config])


def register(
    type_name: str, *, version: int = 1, upgrades: Mapping[int, Mapping[str, Any]] | None = None
) -> Callable[[C], C]:
    """Class decorator that names a config type, as in `@register("dynamics/flow")`.

    Args:
        type_name: under which records name it.
        version: of the fields.
        upgrades: by older version, the fields that came with the next one, each with the value
            that means what older records meant.
    """

    def mark(cls: C) -> C:
        known = _REGISTRY.get(type_name, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"config type {type_name} is registered twice")
        cls.type_name, cls.version, cls.upgrades = type_name, version, upgrades or {}
        _REGISTRY[type_name] = cls
        return cls

    return mark


def config_from_json(record: Mapping[str, Any]) -> Any:
    """Inverse of `Config.to_json`; strict about names, and versions that have no upgrade.

    Raises:
        ArtifactError: unknown type, other version, unknown or missing field.
    """
    fields = dict(record)
    type_name, version = fields.pop("type", None), fields.pop("version", None)
    cls = _REGISTRY.get(str(type_name))
    if cls is None:
        raise ArtifactError(f"config type {type_name!r} is not known; known: {sorted(_REGISTRY)}")
    while version != cls.version and version in cls.upgrades:
        fields = {**cls.upgrades[version], **fields}
        version += 1
    if version != cls.version:
        raise ArtifactError(f"{type_name} has version {version}, this program reads {cls.version}")
    names = [item.name for item in dataclasses.fields(cls)]
    if unknown := sorted(set(fields) - set(names)):
        raise ArtifactError(f"{type_name} has unknown fields: {', '.join(unknown)}")
    # Also those that have a default: it may have changed since the record was written.
    if missing := [name for name in names if name not in fields]:
        raise ArtifactError(f"{type_name} lacks fields: {', '.join(missing)}")
    try:
        return cls(**{key: _typed(value) for key, value in fields.items()})
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"{type_name}: {error}") from None


def _plain(value: Any) -> Any:
    match value:
        case Config():
            return value.to_json()
        case tuple():
            return [_plain(item) for item in value]
    return value


def _typed(value: Any) -> Any:
    match value:
        case {"type": _}:
            return config_from_json(value)
        case list():
            return tuple(_typed(item) for item in value)
    return value
