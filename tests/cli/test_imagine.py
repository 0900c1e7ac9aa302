"""`worldline imagine`: marked videos and one record, twice alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core import Origin
from worldline.data import read_clip
from worldline.data.text import TextEncoder
from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World

TEXT = "a red ball rolls into a tower of blocks"


def encode(self: TextEncoder, sentences: Sequence[str]) -> Float[Tensor, "n 768"]:
    """Stands in for the sentence model, which is an extra."""
    return torch.stack([torch.full((768,), len(s) / 1000) for s in sentences])


@pytest.fixture(scope="module")
def dreamer(tmp_path_factory: pytest.TempPathFactory) -> str:
    config = World.Config(
        name="dreamer",
        tokenizer=ContinuousTokenizer.Config(fine_width=8, coarse_width=16),
        dynamics=FlowDynamics.Config(
            stem_width=16,
            width=32,
            depth=3,
            heads=2,
            controls=ControlEncoder.Config(text_size=768),
            start_share=0.5,
        ),
        readout=LatentReadout.Config(width=16, depth=1),
        trajectory=None,
    )
    folder = tmp_path_factory.mktemp("dreamer")
    config.build().save(folder)
    return str(folder)


def test_imagine(dreamer: str, tmp_path: Path, call, monkeypatch):
    monkeypatch.setattr(TextEncoder, "encode", encode)
    arguments = ["imagine", TEXT, "--world", dreamer, "--json", "--horizon", "5", "--seed", "3"]
    arguments += ["--samples", "2", "--steps", "2", "--guidance", "1.5"]
    stale = tmp_path / "a" / "sample-7.mp4"
    stale.parent.mkdir()
    stale.write_bytes(b"of a run before")
    answer = call(*arguments, "--out", tmp_path / "a").answer
    assert set(answer["files"]) == {file.name for file in (tmp_path / "a").iterdir()}
    assert answer["files"] == ["imagined.json", "sample-0.mp4", "sample-1.mp4"]
    assert (answer["caption"], answer["world"], answer["trust"]) == (TEXT, "dreamer", 0.0)
    assert "not calibrated for text" in answer["trust_reason"]
    assert len(answer["scenes"]) == 2
    assert json.loads((tmp_path / "a" / "imagined.json").read_text()) == answer
    for i in range(2):
        clip = read_clip(tmp_path / "a" / f"sample-{i}.mp4")
        assert clip.provenance.origin is Origin.GENERATED
        assert dict(clip.provenance.details)["caption"] == TEXT
        assert (clip.num_frames, clip.size_px) == (5, (256, 256))
        np.testing.assert_allclose(clip.time_s, answer["time_s"], atol=2e-5)
    call(*arguments, "--out", tmp_path / "b")
    for name in answer["files"][1:]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    shown = call(*arguments[:4], "--horizon", "2", "--samples", "1", "--out", tmp_path / "c").out
    assert "imagined by dreamer" in shown
    assert "not calibrated for text" in shown
    assert "1 clip of 2 frames" in shown


def test_a_sentence_is_enough(tmp_path: Path, call, monkeypatch):
    monkeypatch.setattr(TextEncoder, "encode", encode)
    monkeypatch.chdir(tmp_path)
    answer = call("imagine", TEXT, "--horizon", "2", "--samples", "1", "--json").answer
    assert (answer["world"], answer["trust"]) == ("imagine", 0.0)
    assert read_clip(tmp_path / "out" / "imagined" / "sample-0.mp4").num_frames == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([TEXT, "--world", "small"], "world small has not learned to start from nothing"),
        ([TEXT, "--world", "small", "--steps", "0"], "--steps is 0; it must be at least 1"),
        ([TEXT, "--world", "dreams"], "no world 'dreams': give the folder of a saved world"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], reason: str, tmp_path: Path, call):
    done = call("imagine", *arguments, "--out", tmp_path / "x")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert reason in line
    assert not (tmp_path / "x").exists()
