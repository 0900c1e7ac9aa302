"""`worldline train`: a world with its card, and one on the parts of another."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from worldline.world import World

RECIPE = """
from dataclasses import replace
from tests.train.test_recipe import nano

def recipe():
    whole = nano(steps=2)
    tokenizer, dynamics, readout, _ = whole.stages
    return replace(
        whole,
        held_out=2,
        world=replace(whole.world, trajectory=None),
        data=whole.data[:2],
        stages=(tokenizer, replace(dynamics, name="{name}"), readout),
    )
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the card would be told; calibration and evaluation have tests of their own."""
    kept = []

    def finish(world: World, *, facts: dict[str, Any], **_: Any) -> tuple[World, Any]:
        kept.append(facts)
        return world.finished({"ledgers": facts["ledgers"]}, ""), SimpleNamespace(to_json=dict)

    monkeypatch.setattr("worldline.audit.finish.finish_world", finish)
    return kept


def test_a_world_is_trained_and_another_takes_its_parts_over(tmp_path: Path, call, told):
    for name, more in (("dynamics", ()), ("openings", ("--reuse", tmp_path / "dynamics/world"))):
        (tmp_path / f"{name}.py").write_text(RECIPE.format(name=name))
        out = tmp_path / name
        answer = call("train", tmp_path / f"{name}.py", "--out", out, *more, "--json").answer
        assert answer["world"] == str(out / "world")
        assert set(answer["ledgers"]) == {"tokenizer", name, "readout"}
        assert World.from_pretrained(out / "world").num_parameters == answer["num_parameters"]
    first, second = told
    assert first["reused"] == []
    assert second["reused"] == ["tokenizer", "readout"]
    assert second["command"].endswith(f"--reuse {tmp_path / 'dynamics/world'}")
