"""Every bundled world answers to its name in every command that takes one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worldline import Clip, World
from worldline.audit.checks import hold_script, known_of
from worldline.audit.control import seeded_untrained
from worldline.world import storage
from worldline.world.openings import load_openings

FOLDER = Path(storage.__file__).parent / "pretrained"
NAMES = sorted(folder.name for folder in FOLDER.glob("*"))
PLAYED = ("sandbox", "pusht", "doom")
PLANNED = ("tworoom", "walls", "catch", "pusht-plan")
MOST_MB = {"small": 40, "small-jepa": 12, "imagine": 12}
MOST_MB |= dict.fromkeys(PLANNED, 5) | dict.fromkeys(PLAYED, 12)
IN_TABLES = dict.fromkeys((*PLAYED, *PLANNED), "true actions are worth")
"""Words of a card's tables; "psnr db" where none are given."""
WITH_OPENINGS = ("small", *PLANNED, *PLAYED)
OF_ONE_PLACE = PLANNED
"""Worlds that know nothing but what was recorded there, and trust themselves with nothing else."""


@pytest.fixture(scope="module", params=NAMES)
def world(request) -> World:
    return World.from_pretrained(request.param)


def test_info_tells_data_cost_metrics_and_limits(world: World, call):
    done = call("info", world.name, "--json")
    assert done.code == 0
    told = done.answer
    assert told["name"] == world.name
    assert {"data", "cost", "metrics", "limits"} <= set(told["sections"])
    assert told["calibration"]["surprise_quantiles"]
    assert told["calibration"]["trust"]


def test_info_shows_a_person_limits_first_and_tables_when_asked(world: World, call):
    short, full = call("info", world.name).out, call("info", world.name, "--full").out
    assert short.index("Limits") < short.index("Data") < short.index("Cost")
    assert f"worldline info {world.name} --full" in short
    words = IN_TABLES.get(world.name, "psnr db")
    assert words not in short
    assert words in full


def test_it_predicts_by_its_name(world: World, videos: Path, tmp_path: Path, call):
    source = videos / "ball.mp4"
    done = call(
        "predict", source, "--world", world.name, "--horizon", 2, "--samples", 1,
        "--out", tmp_path, "--json",
    )  # fmt: skip
    assert done.code == 0
    forecast = world.predict(Clip.read(source), horizon=2, samples=1, seed=0)
    with np.load(tmp_path / "ball" / "forecast.npz") as stored:
        assert stored["frames"].shape == forecast.frames.shape == (1, 2, *(world.size_px,) * 2, 3)
    assert (0 if world.name in OF_ONE_PLACE else 1e-9) <= forecast.trust < 1


def test_it_is_surprised_by_its_name(world: World, videos: Path, call):
    done = call("surprise", videos / "ball.mp4", "--world", world.name, "--json")
    assert done.code == 0
    (found,) = done.answer["results"]
    assert found["max"] == pytest.approx(max(found["per_frame"]))
    assert found["max"] > 0
    assert 0.0 <= found["quantile"] <= 1.0


def test_its_latents_tell_pictures_apart(world: World):
    """A collapsed representation would be the same for every picture."""
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (6, 1, 1, 3))
    flat = np.broadcast_to(color, (6, world.size_px, world.size_px, 3)).astype(np.uint8)
    if world.name in OF_ONE_PLACE:
        flat = np.stack([clip.frames[0] for clip in load_openings(world.name)[:6]])
    assert float(world.encode_frames(flat).tokens[0].std(dim=0).mean()) > 0.2


def test_its_files_are_few_and_of_bounded_size(world: World):
    files = list((FOLDER / world.name).iterdir())
    wanted = {"SHA256SUMS", "calibration.json", "card.md", "config.json", "model.safetensors"}
    if world.name in WITH_OPENINGS:
        wanted.add("openings.npz")
    assert {path.name for path in files} == wanted
    assert sum(path.stat().st_size for path in files) < MOST_MB[world.name] * 1e6


@pytest.mark.parametrize("name", PLAYED)
def test_played_worlds_answer_to_actions(name: str):
    """What keys must do happens in them, and in untrained ones hardly; nothing of the environment
    itself is needed."""
    world, clips = World.from_pretrained(name), load_openings(name)
    known = known_of(world, clips)
    assert known is not None
    assert world.calibration["play"]["scheme"] in ("stick", "pointer", "keys")
    assert world.reward is not None
    passed = {}
    for who, each in (("trained", world), ("untrained", seeded_untrained(world, 0))):
        hits = [hold_script(each, clip, s, 0) for s in known.scripts for clip in clips[:3]]
        passed[who] = np.nanmean(hits)
    assert passed["trained"] > passed["untrained"] + 0.2
