"""`worldline distill` from end to end, at the smallest size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from worldline.audit.card import families_on
from worldline.dynamics import FlowDynamics, JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World

CARD = "# nano\n\n## Data\n\nClips in equal shares of: disc_uniform. Colours are random.\n"
SMALL = ["--clips", "2", "--updates", "2", "--batch", "2", "--length", "3", "--held-out", "2"]


def saved(folder: Path, dynamics, card: str = "") -> str:
    config = World.Config(
        name="nano",
        tokenizer=ContinuousTokenizer.Config(
            channels=4, fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
        ),
        dynamics=dynamics,
        readout=LatentReadout.Config(channels=4, width=8, depth=1),
        trajectory=None,
        context=4,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for parameter in world.dynamics.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    world.finished({}, card).save(folder, dtype=None)
    return str(folder)


SHAPE = {"channels": 4, "stem_width": 8, "width": 16, "depth": 3, "heads": 1}


@pytest.fixture(scope="module")
def flow(tmp_path_factory) -> str:
    return saved(tmp_path_factory.mktemp("flow"), FlowDynamics.Config(**SHAPE), CARD)


def test_distill_ends_with_what_was_lost_and_gained(flow: str, tmp_path: Path, call):
    options = ["--teacher-steps", "2", "--out", tmp_path, *SMALL]
    answer = call("distill", flow, *options, "--json").answer
    student = World.from_pretrained(answer["world"])
    assert student.config.dynamics.num_steps == answer["steps"] == 1
    assert student.name == "nano-1-step"
    assert list(answer["ledgers"]) == ["distil-2-to-1"]
    assert answer["ledgers"]["distil-2-to-1"]["steps"] == 2

    record = json.loads((tmp_path / "comparison.json").read_text())
    assert record == answer["comparison"]
    rows = ["teacher, 2 steps", "teacher, 1 step", "student, 1 step"]
    assert list(record["speed"]) == rows
    assert [record[name] for name in ("teacher", "same_steps", "student")] == rows
    quality = record["quality"]
    found = {row["predictor"]: row for row in quality["rows"] if row["family"] == "all"}
    assert list(found) == [*rows, "copy-last", "truth"]
    assert quality["horizons"] == [1, 4, 8, 16]
    for name, speed in record["speed"].items():
        assert speed["step_s"] > 0, name
        assert speed["frame_s"] > speed["step_s"] * 0.1
        assert (speed["num_steps_timed"], speed["num_forecasts_timed"]) == (20, 5)
    psnr = {name: row["psnr_db"]["4"]["value"] for name, row in found.items()}
    lost = found["student, 1 step"]["psnr_db"]["4"]["minus"]["teacher, 2 steps"][0]
    assert lost == pytest.approx(psnr["student, 1 step"] - psnr["teacher, 2 steps"], abs=2e-4)

    assert answer["card"] in student.card
    assert (
        "--teacher-steps 2 --clips 2 --updates 2 --batch 2 --length 3 --held-out 2`" in student.card
    )
    for text in ("## Distillation", "## Cost", "distil-2-to-1", "times as fast", *rows):
        assert text in student.card
    assert families_on(student.card) == ("disc_uniform",), "of the teacher's card"


def test_what_cannot_be_distilled_is_refused_in_one_line(flow: str, tmp_path: Path, call):
    jepa = saved(tmp_path / "jepa", JepaDynamics.Config(**SHAPE), CARD)
    bare = saved(tmp_path / "bare", FlowDynamics.Config(**SHAPE))
    out = ["--out", tmp_path / "out"]
    for world, options, reason in (
        (jepa, [], "only flow worlds have a number of them"),
        (bare, [], "names no simulator families; give some by --families"),
        (flow, ["--families", "nonsense"], "no simulator family 'nonsense'"),
        (flow, ["--steps", "3"], "must be fewer and divide the teacher's"),
        (flow, ["--held-out", "1"], "--held-out is 1; trust is calibrated on 2 clips or more"),
        (flow, ["--updates", "0"], "--updates is 0; it must be at least 1"),
    ):
        done = call("distill", world, *out, *options)
        assert done.code == 2
        (line,) = done.error_lines
        assert reason in line
    assert not (tmp_path / "out").exists()
