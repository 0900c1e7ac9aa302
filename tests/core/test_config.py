"""`Config`: strict both ways."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from worldline.core import ArtifactError, Config, config_from_json, register


@register("test/wheel", version=2)
@dataclass(frozen=True)
class Wheel(Config):
    radius_m: float = 0.3
    spokes: tuple[tuple[int, int], ...] = ((1, 2), (3, 4))


@register("test/cart")
@dataclass(frozen=True)
class Cart(Config):
    name: str
    wheel: Wheel = field(default_factory=Wheel)
    spares: tuple[Wheel, ...] = ()
    load_kg: float | None = None


@dataclass(frozen=True)
class Stranger(Config):
    x: int = 0


@dataclass(frozen=True)
class Child(Cart):
    pass


def test_nested_round_trip():
    cart = Cart("a", Wheel(0.5, ((5, 6),)), (Wheel(), Wheel(0.1)), 3.5)
    record = json.loads(json.dumps(cart.to_json()))
    assert record["type"] == "test/cart"
    assert record["wheel"] == {
        "type": "test/wheel",
        "version": 2,
        "radius_m": 0.5,
        "spokes": [[5, 6]],
    }
    assert config_from_json(record) == cart


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "test/unknown"}, "'test/unknown' is not known"),
        ({"type": None}, "not known"),
        ({"type": ["test/wheel"]}, "not known"),
        ({"version": 1}, "version 1, this program reads 2"),
        ({"version": None}, "version None"),
        ({"colour": "red", "axle": 1}, "unknown fields: axle, colour"),
    ],
)
def test_what_does_not_match_is_refused(change: dict, message: str):
    with pytest.raises(ArtifactError, match=message):
        config_from_json({**Wheel().to_json(), **change})


def test_a_missing_field_is_refused_though_it_has_a_default():
    record = Wheel().to_json()
    del record["radius_m"]
    with pytest.raises(ArtifactError, match="lacks fields: radius_m"):
        config_from_json(record)


def test_a_fault_inside_a_nested_config_is_found():
    record = Cart("a", spares=(Wheel(),)).to_json()
    record["spares"][0]["version"] = 3
    with pytest.raises(ArtifactError, match="test/wheel has version 3"):
        config_from_json(record)


@pytest.mark.parametrize("config", [Stranger(), Child("a")])
def test_an_unregistered_config_is_not_written(config: Config):
    with pytest.raises(ValueError, match="not a registered config type"):
        config.to_json()


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match="registered twice"):
        register("test/wheel")(Stranger)


def test_older_records_are_brought_up_to_date():
    @register("test/old", version=3, upgrades={1: {"teeth": 5}, 2: {"depth_m": 0.5}})
    @dataclass(frozen=True)
    class Gear(Config):
        teeth: int = 9
        depth_m: float = 1.0

    assert config_from_json({"type": "test/old", "version": 1}) == Gear(5, 0.5)
    assert config_from_json({"type": "test/old", "version": 2, "teeth": 7}) == Gear(7, 0.5)
    with pytest.raises(ArtifactError, match="lacks fields: teeth, depth_m"):
        config_from_json({"type": "test/old", "version": 3})
    with pytest.raises(ArtifactError, match="version 0"):
        config_from_json({"type": "test/old", "version": 0})
