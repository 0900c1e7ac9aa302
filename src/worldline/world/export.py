"""Write a world as ONNX graphs with a manifest, so that other programs can run it."""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worldline.core.errors import InputError
from worldline.dynamics import FlowDynamics
from worldline.world.graphs import Graph, list_graphs
from worldline.world.world import World

__all__ = ["MANIFEST", "export_world"]

MANIFEST = "manifest.json"
_LIMIT = 1e-3
"""Largest difference between ONNX and PyTorch, as a share of the largest number."""

_USE = (
    "Everything that these graphs put out is generated and never a recording. Say so wherever it "
    "is shown, stored or passed on."
)


def export_world(
    world: World, folder: str | Path, *, on_graph: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Write `tokenizer_encode.onnx`, `tokenizer_decode.onnx`, `step.onnx` and `manifest.json`.

    Batch, number of frames and number of cached frames may vary in all of them. Each graph is run
    by ONNX Runtime and compared with PyTorch; the manifest, which is written last, holds the
    largest difference. A world without a decoder has no `tokenizer_decode.onnx`. What
    `World.predict` adds to the dynamics (trajectories, readout, audit, trust) is not exported.

    Args:
        world: any with flow or JEPA dynamics.
        folder: made if it does not exist.
        on_graph: told the name of each graph before it is written.

    Returns:
        the manifest.

    Raises:
        InputError: the dynamics cannot be exported, or the packages that write ONNX are missing.
    """
    if world.tokenizer.time_stride > 1:
        raise InputError(
            f"the world {world.name} folds {world.tokenizer.time_stride} frames into a latent step "
            "and remembers a stream, which the exported graphs cannot; only worlds with an image "
            "tokenizer can be exported"
        )
    _require_packages()
    graphs = list_graphs(world)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    records: dict[str, Any] = {}
    opset = 0
    for graph in graphs:
        if on_graph is not None:
            on_graph(graph.name)
        path = folder / f"{graph.name}.onnx"
        opset = _write(graph, path)
        records[graph.name] = {
            "file": path.name,
            "inputs": [port.to_json() for port in graph.inputs],
            "outputs": [port.to_json() for port in graph.outputs],
            "largest_sizes": dict(graph.most),
            "difference_to_pytorch": _compare(graph, path),
        }
    manifest = {**_describe(world), "opset": opset, "graphs": records}
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=2) + "\n")
    partial.replace(folder / MANIFEST)
    return manifest


def _require_packages() -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(name)
        except ImportError:
            raise InputError(
                f"exporting needs {name}: pip install -e '.[export]' in Worldline's folder"
            ) from None


def _write(graph: Graph, path: Path) -> int:
    """Returns the version of the ONNX operators that were used."""
    generator = torch.Generator().manual_seed(0)
    sizes = {name: min(3, most) for name, most in graph.most.items()} | {"batch": 2}
    given = tuple(port.draw(sizes, generator) for port in graph.inputs)
    dims = {name: torch.export.Dim(name, max=most) for name, most in graph.most.items()}
    shapes = tuple(
        {i: dims[size] for i, size in enumerate(port.shape) if isinstance(size, str)}
        for port in graph.inputs
    )
    with _quiet():
        program = torch.onnx.export(
            graph.module.eval(),
            given,
            dynamo=True,
            verbose=False,
            dynamic_shapes={"given": shapes},
            input_names=[port.name for port in graph.inputs],
            output_names=[port.name for port in graph.outputs],
        )
    assert program is not None
    program.model.metadata_props["use"] = _USE
    program.save(str(path))
    return int(program.model.opset_imports[""])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on its own insides and on packages that are not needed."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, module="copyreg")
            warnings.filterwarnings("ignore", message="# The axis name: .* will not be used")
            yield
    finally:
        log.setLevel(level)


def _compare(graph: Graph, path: Path) -> float:
    """Largest difference between ONNX Runtime and PyTorch, as a share of the largest number.

    Tried at the ends of what may vary, which are not the sizes that the graph was traced with.

    Raises:
        RuntimeError: it is more than rounding explains.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(1)
    worst = 0.0
    for sizes in ({"batch": 1, "frames": 1, "cached": 0}, {"batch": 3, "frames": 2}):
        sizes = {"cached": graph.most.get("cached", 0), **sizes}
        given = [port.draw(sizes, generator) for port in graph.inputs]
        with torch.no_grad():
            expected = graph.module(*given)
        named = {p.name: x.numpy() for p, x in zip(graph.inputs, given, strict=True)}
        found = [np.asarray(x) for x in session.run([p.name for p in graph.outputs], named)]
        for own, other in zip(found, expected, strict=True):
            scale = 255.0 if own.dtype == np.uint8 else float(other.abs().max()) + 1e-6
            gap = np.abs(own.astype(np.float64) - other.double().numpy()).max() / scale
            limit = 1 / 255 if own.dtype == np.uint8 else _LIMIT
            if not gap <= limit:
                raise RuntimeError(f"{path}: differs from PyTorch by {gap:.2g} of the largest")
            worst = max(worst, float(gap) if own.dtype != np.uint8 else 0.0)
    return worst


def _describe(world: World) -> dict[str, Any]:
    config, dynamics, tokenizer = world.config, world.dynamics, world.tokenizer
    normalisation: dict[str, Any] = {
        "frames": "encode takes and decode gives 0 to 255; scaling to [-1, 1] is in the graphs",
        "tokens": "about unit variance; scaling is in the graphs",
    }
    for name in ("latent_mean", "latent_std"):
        if isinstance(value := getattr(tokenizer, name, None), torch.Tensor):
            normalisation[name] = value.tolist()
    window = dynamics.config.window
    graph = next(graph for graph in list_graphs(world) if graph.name == "step")
    keys = [p.name for p in graph.inputs if p.name.startswith("cache_") and p.name.endswith("key")]
    return {
        "format": "worldline-onnx",
        "version": 1,
        "world": world.name,
        "family": dynamics.config.type_name.removeprefix("dynamics/"),
        "licence_of_use": _USE,
        "torch": torch.__version__,
        "num_parameters": {
            "tokenizer": sum(p.numel() for p in tokenizer.parameters()),
            "dynamics": sum(p.numel() for p in dynamics.parameters()),
        },
        "size_px": world.size_px,
        "grid": list(tokenizer.grid),
        "channels": tokenizer.channels,
        "context": world.context,
        "frame_spacing_s": [config.step_min_s, config.step_max_s],
        "normalisation": normalisation,
        "cache": {
            "window": window,
            "most_frames": window - 1,
            "frame_axis": 3,
            "layers": [_cache_names(key) for key in keys],
            "rule": "empty before the first frame; after a frame's last pass append new_* to "
            "cache_* along frame_axis and keep the newest most_frames",
        },
        "sampling": _describe_sampling(world),
        "left_out": ["trajectories", "readout", "rendering", "audit", "trust"],
    }


def _cache_names(key: str) -> Mapping[str, str]:
    value = key.removesuffix("key") + "value"
    new = {name: name.replace("cache_", "new_", 1) for name in (key, value)}
    return {"key": key, "value": value, "new_key": new[key], "new_value": new[value]}


def _describe_sampling(world: World) -> dict[str, Any]:
    """How passes make a frame; see `FlowDynamics.step` and `FlowDynamics.init`."""
    dynamics = world.dynamics
    common = {"ensemble_noise": world.config.ensemble_noise}
    if not isinstance(dynamics, FlowDynamics):
        return {"passes": [{}], "rule": "one pass gives the next frame", **common}
    num_steps = dynamics.config.num_steps
    passes = []
    for k in range(num_steps):
        level, size = k / num_steps, 1 / num_steps
        one = {"level": level, "gain": size / (1 - level)}
        passes.append({**one, "step_size": size} if dynamics.config.shortcut_doublings else one)
    return {
        "num_steps": num_steps,
        "passes": passes,
        "rule": "noised starts as standard normal noise; after each pass "
        "noised += gain * (clean - noised); the last pass gives the frame. A frame that was seen "
        "runs the last pass only, on level * frame + (1 - level) * noise",
        "shrinkage": dynamics.config.shrinkage,
        "onset": dynamics.config.onset,
        **common,
    }
