"""Typed configuration: a frozen dataclass beside each class, stored as plain JSON.

A stored config names a registered type, never an import path, so that opening an artifact cannot
run code that was not already part of the program.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

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
        ArtifactError: unknown type, other version, unknown or missing field, or a value of another
            kind than the field's.
    """
    try:
        return _read(record)
    except RecursionError:
        raise ArtifactError("the config is nested too deep") from None


def _read(record: Mapping[str, Any]) -> Any:
    fields = dict(record)
    type_name, version = fields.pop("type", None), fields.pop("version", None)
    cls = _REGISTRY.get(str(type_name))
    if cls is None:
        raise ArtifactError(f"config type {type_name!r} is not known; known: {sorted(_REGISTRY)}")
    while type(version) is int and version != cls.version and version in cls.upgrades:
        fields = {**cls.upgrades[version], **fields}
        version += 1
    if type(version) is not int or version != cls.version:
        raise ArtifactError(f"{type_name} has version {version}, this program reads {cls.version}")
    names = [item.name for item in dataclasses.fields(cls)]
    if unknown := sorted(set(fields) - set(names)):
        raise ArtifactError(f"{type_name} has unknown fields: {', '.join(unknown)}")
    # Also those that have a default: it may have changed since the record was written.
    if missing := [name for name in names if name not in fields]:
        raise ArtifactError(f"{type_name} lacks fields: {', '.join(missing)}")
    values = {key: _typed(value) for key, value in fields.items()}
    for name, hint in _hints(cls).items():
        if name in values and not _fits(values[name], hint):
            raise ArtifactError(f"{type_name}: {name} is {_short(fields[name])}, not {_say(hint)}")
    try:
        return cls(**values)
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
            return _read(value)
        case list():
            return tuple(_typed(item) for item in value)
    return value


@cache
def _hints(cls: type[Config]) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(cls).items() if name not in _OF_CLASS}


_OF_CLASS = ("type_name", "version")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value read from JSON is of the kind that a field is annotated with."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if kind is tuple:
        if not isinstance(value, tuple):
            return False
        if len(parts) == 2 and parts[1] is Ellipsis:
            return all(_fits(item, parts[0]) for item in value)
        return len(value) == len(parts) and all(map(_fits, value, parts))
    if hint is Any:
        return True
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    if hint in (int, bool, str):
        return type(value) is hint
    return isinstance(value, kind or hint)


def _say(hint: Any) -> str:
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        return " or ".join(_say(part) for part in parts)
    if kind is tuple:
        return f"a list of {_say(parts[0])}"
    if hint is type(None):
        return "null"
    known = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return known.get(hint, f"a config {getattr(hint, 'type_name', '')}".strip())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
