"""Exported graphs are run by ONNX Runtime, by the loop that the documentation shows."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from jaxtyping import config as checking

from worldline.cli.main import main
from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.dynamics import (
    AutoregressiveDynamics,
    ControlEncoder,
    FlowDynamics,
    JepaDynamics,
)
from worldline.readout.latent import LatentReadout
from worldline.tokenizer import ContinuousTokenizer, DiscreteTokenizer, RepresentationTokenizer
from worldline.world import World
from worldline.world.export import export_world
from worldline.world.graphs import list_graphs

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
CELLS = {"channels": 4, "rows": 4}
NETWORK = {**CELLS, "stem_width": 8, "width": 16, "depth": 3, "heads": 2, "window": 6}
FLOW = FlowDynamics.Config(**NETWORK, num_steps=2, shortcut_doublings=2)
JEPA = JepaDynamics.Config(**NETWORK, shrinkage=0.1)


def make(tokenizer, dynamics) -> World:
    """Weights are shaken, because many layers start at zero and would hide mistakes."""
    config = World.Config(
        name="nano",
        tokenizer=tokenizer,
        dynamics=dynamics,
        readout=LatentReadout.Config(channels=dynamics.channels, rows=4, width=8, depth=1),
        trajectory=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for part in world.parts.values():
                for parameter in part.parameters():
                    parameter.add_(0.05 * torch.randn_like(parameter))
    return world


@contextmanager
def unchecked() -> Iterator[None]:
    """Without the check of annotations: sizes are symbols while a graph is traced, not numbers."""
    checking.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        checking.update("jaxtyping_disable", False)


def continuous(size_px: int = 32) -> ContinuousTokenizer.Config:
    return ContinuousTokenizer.Config(
        size_px=size_px, channels=4, fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
    )


def seeing_only() -> RepresentationTokenizer.Config:
    return RepresentationTokenizer.Config(size_px=32, channels=4, width=16, depth=1, heads=2)


@pytest.fixture(scope="module")
def flow(tmp_path_factory) -> tuple[World, Path]:
    world, folder = make(continuous(), FLOW), tmp_path_factory.mktemp("flow")
    world.tokenizer.measure_latents(some_frames(2, 3))
    with unchecked():
        export_world(world, folder)
    return world, folder


@pytest.fixture(scope="module")
def jepa(tmp_path_factory) -> tuple[World, Path]:
    """By the command line."""
    folder = tmp_path_factory.mktemp("jepa")
    make(seeing_only(), JEPA).save(folder / "world")
    with unchecked():
        assert main(["export", str(folder / "world"), "--out", str(folder / "onnx")]) == 0
    return World.from_pretrained(folder / "world"), folder / "onnx"


def some_frames(batch: int, num: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randint(256, (batch, num, 32, 32, 3), generator=generator).to(torch.uint8)


def run(folder: Path, name: str, **given: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"))
    return list(session.run(None, given))


def documented_loop():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names = {"__name__": "page"}
    exec(compile(code, "export.md", "exec"), names)
    return names["continue_tokens"]


def test_encode_and_decode_are_those_of_pytorch(flow):
    world, folder = flow
    frames = some_frames(3, 5)
    with torch.no_grad():
        latents = world.tokenizer.encode(frames)
        unit = world.tokenizer.decode_unit(latents)
    (tokens,) = run(folder, "tokenizer_encode", frames=frames.numpy())
    np.testing.assert_allclose(tokens, latents.tokens.numpy(), atol=1e-5)
    assert abs(tokens.std() - 1) < 0.5, "tokens are normalised"
    decoded, real = run(folder, "tokenizer_decode", tokens=latents.tokens.numpy())
    np.testing.assert_allclose(real, unit.numpy(), atol=1e-5)
    truth = world.tokenizer.decode(latents).numpy()
    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - truth).max() <= 1


@pytest.mark.parametrize("num_seen", [1, 7])
@pytest.mark.parametrize("family", ["flow", "jepa"])
def test_a_rollout_with_its_cache_is_that_of_pytorch(family, num_seen, request):
    """From one frame, and from more than the cache holds."""
    world, folder = request.getfixturevalue(family)
    (tokens,) = run(folder, "tokenizer_encode", frames=some_frames(2, num_seen).numpy())
    context = Latents(torch.from_numpy(tokens), (4, 4))
    expected = world.dynamics.rollout(
        context, Controls(), torch.Generator().manual_seed(3), horizon=4
    )
    again = torch.Generator().manual_seed(3)
    shapes = [tokens.shape] + [(2, 1, 16, 4)] * 4
    noise = torch.cat([torch.randn(shape, generator=again) for shape in shapes], dim=1)
    found = documented_loop()(folder, tokens, noise.numpy())
    assert found.shape == (2, 4, 16, 4)
    moved = np.abs(found - tokens[:, -1:]).max()
    assert moved > 0.1, "the world does not just copy"
    np.testing.assert_allclose(found, expected.tokens.numpy(), atol=1e-3 * moved)


def test_the_manifest_says_what_the_files_are(flow):
    world, folder = flow
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {p.name for p in folder.iterdir()} == {
        "manifest.json",
        *(record["file"] for record in manifest["graphs"].values()),
    }
    for record in manifest["graphs"].values():
        session = onnxruntime.InferenceSession(str(folder / record["file"]))
        ports = [(port["name"], port["shape"]) for port in record["inputs"]]
        assert ports == [(port.name, port.shape) for port in session.get_inputs()]
        assert [p["name"] for p in record["outputs"]] == [p.name for p in session.get_outputs()]
        assert record["difference_to_pytorch"] < 1e-3
    assert manifest["sampling"]["passes"] == [
        {"level": 0.0, "gain": 0.5, "step_size": 0.5},
        {"level": 0.5, "gain": 1.0, "step_size": 0.5},
    ]
    assert manifest["cache"]["most_frames"] == 5
    assert manifest["cache"]["layers"] == [
        {
            "key": "cache_0_key",
            "value": "cache_0_value",
            "new_key": "new_0_key",
            "new_value": "new_0_value",
        }
    ]
    mean = world.tokenizer.latent_mean.tolist()
    assert manifest["normalisation"]["latent_mean"] == pytest.approx(mean)
    assert (manifest["family"], manifest["world"]) == ("flow", "nano")
    assert "never a recording" in manifest["licence_of_use"]


def test_a_world_without_a_decoder_has_no_decoder_graph(jepa):
    _, folder = jepa
    names = {path.name for path in folder.iterdir()}
    assert names == {"manifest.json", "tokenizer_encode.onnx", "step.onnx"}


def test_controls_are_inputs_of_the_pass():
    controls = ControlEncoder.Config(action_size=2, num_embodiments=3, rays=True, text_size=5)
    world = make(continuous(), replace(JEPA, controls=controls))
    step = list_graphs(world)[-1]
    shapes = {port.name: port.shape for port in step.inputs}
    assert shapes["actions"] == ("batch", 1, 2)
    assert shapes["rays"] == ("batch", 1, 16, 6)
    assert (shapes["text"], shapes["embodiment"]) == (("batch", 5), ("batch",))
    generator = torch.Generator().manual_seed(0)
    given = [port.draw({"batch": 2, "cached": 3}, generator) for port in step.inputs]
    with torch.no_grad():
        frame, *fresh = step.module(*given)
    assert frame.shape == (2, 1, 16, 4)
    assert [tuple(x.shape) for x in fresh] == [(2, 6, 2, 1, 8)] * 2


def test_what_cannot_be_exported_is_refused(tmp_path):
    tokens = {name: size for name, size in NETWORK.items() if name != "channels"}
    levels = (4, 3)
    small = {"fine_width": 8, "coarse_width": 8, "fine_depth": 1, "coarse_depth": 1}
    discrete = DiscreteTokenizer.Config(size_px=32, levels=levels, **small)
    words = make(discrete, AutoregressiveDynamics.Config(**tokens, levels=levels))
    with pytest.raises(InputError, match="only flow and JEPA dynamics can be exported"):
        export_world(words, tmp_path)
    controls = ControlEncoder.Config(action_size=2)
    guided = make(continuous(), replace(FLOW, controls=controls, guidance=2.0))
    with pytest.raises(InputError, match="export a copy whose config has guidance 1"):
        export_world(guided, tmp_path)
    kept = make(continuous(), replace(FLOW, sink=1))
    with pytest.raises(InputError, match="export a copy whose config has sink 0"):
        export_world(kept, tmp_path)
    short = make(continuous(), replace(JEPA, window=2))
    with pytest.raises(InputError, match="looks back 2 frames"):
        export_world(short, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    world = make(continuous(), JEPA)
    with pytest.raises(InputError, match=r"onnxscript: pip install -e '\.\[export\]'"):
        export_world(world, tmp_path / "out")
    assert not (tmp_path / "out").exists()
