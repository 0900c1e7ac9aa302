"""The table of event types: one entry for each kind of thing that can happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from worldline.core import Event, Scene

__all__ = ["ONTOLOGY", "EventType", "define"]

Detector = Callable[[Scene], tuple[Event, ...]]
_AnyDetector = TypeVar("_AnyDetector", bound=Detector)


@dataclass(frozen=True)
class EventType:
    """One kind of event.

    Attributes:
        name: as it appears in `Event.type`.
        detect: finds all events of this kind in a scene.
        roles: role name to what plays it.
        quantities: name (with unit) to what it measures; not every event has all of them.
        version: raised whenever the definition changes, so that stored events can be told apart.
    """

    name: str
    detect: Detector
    roles: Mapping[str, str]
    quantities: Mapping[str, str]
    version: int

    @property
    def definition(self) -> str:
        """Docstring of the detector: definition, units, thresholds and source."""
        return self.detect.__doc__ or ""


ONTOLOGY: dict[str, EventType] = {}
"""Event name to its definition, in the order in which they are defined."""


def define(
    name: str, *, roles: Mapping[str, str], quantities: Mapping[str, str], version: int = 1
) -> Callable[[_AnyDetector], _AnyDetector]:
    """Decorator that puts a detector into `ONTOLOGY`.

    Raises:
        ValueError: the name is taken, or the detector has no docstring.
    """

    def enter(detect: _AnyDetector) -> _AnyDetector:
        if name in ONTOLOGY:
            raise ValueError(f"event {name} is defined twice")
        if not detect.__doc__:
            raise ValueError(f"event {name} needs a docstring with its definition")
        ONTOLOGY[name] = EventType(name, detect, dict(roles), dict(quantities), version)
        return detect

    return enter
