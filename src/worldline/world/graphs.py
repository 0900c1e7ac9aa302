"""The parts of a world as functions of tensors alone, with the names and shapes of all they take.

What an exported world needs: state that PyTorch keeps in objects (the cache of keys and values, the
number of the frame) comes in and goes out as tensors.

Shape legend: B batch, T frames, N latent cells a frame, C channels, M tokens a frame in the cache,
H heads, S cached frames, E numbers per head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from worldline.core.errors import InputError
from worldline.core.latents import Controls, Latents
from worldline.dynamics import ControlEncoder, FlowDynamics, JepaDynamics
from worldline.nn import KeyValue, shrink
from worldline.tokenizer import Tokenizer, from_unit
from worldline.world.world import World

__all__ = ["Graph", "Port", "list_graphs"]

_MOST_BATCH, _MOST_FRAMES = 4096, 4096


@dataclass(frozen=True)
class Port:
    """A tensor that goes into a graph or comes out of it.

    Attributes:
        name: of the tensor.
        shape: sizes; one that may vary has a name instead of a number.
        meaning: what it holds, in a few words.
        dtype: number type.
    """

    name: str
    shape: tuple[int | str, ...]
    meaning: str
    dtype: torch.dtype = torch.float32

    def draw(self, sizes: Mapping[str, int], generator: torch.Generator) -> Tensor:
        """A random tensor that fits, with the varying sizes as given."""
        shape = [size if isinstance(size, int) else sizes[size] for size in self.shape]
        if self.dtype == torch.float32:
            return torch.rand(shape, generator=generator)
        most = 256 if self.dtype == torch.uint8 else 1
        return torch.randint(most, shape, generator=generator).to(self.dtype)

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        dtype = str(self.dtype).removeprefix("torch.")
        return {
            "name": self.name,
            "shape": list(self.shape),
            "type": dtype,
            "meaning": self.meaning,
        }


@dataclass(frozen=True, eq=False)
class Graph:
    """A function that takes and gives tensors, in the order of its ports.

    Attributes:
        name: of the graph and of its file.
        module: the function.
        inputs, outputs: its ports.
        most: largest value of each varying size.
    """

    name: str
    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    most: Mapping[str, int]


def list_graphs(world: World) -> tuple[Graph, ...]:
    """Encoder, decoder if there is one, and a network pass of the dynamics.

    Raises:
        InputError: the dynamics are of a family, or have a window, that has no such pass.
    """
    step = _step_graph(world)
    encode, decode = _encode_graph(world.tokenizer), _decode_graph(world.tokenizer)
    return (encode, decode, step) if world.tokenizer.can_decode else (encode, step)


class _Encode(nn.Module):
    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Tokens of frames."""
        return (self.tokenizer.encode(given[0]).tokens,)


class _Decode(nn.Module):
    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Frames of tokens, rounded and not."""
        unit = self.tokenizer.decode_unit(Latents(given[0], self.tokenizer.grid))
        return from_unit(unit), unit


class _Step(nn.Module):
    """One pass, from tensors by name.

    Args:
        dynamics: whose pass it is.
        names: of what `forward` takes, in order.
        num_layers: blocks over time.
    """

    def __init__(
        self, dynamics: FlowDynamics | JepaDynamics, names: tuple[str, ...], num_layers: int
    ) -> None:
        super().__init__()
        self.dynamics, self.names, self.num_layers = dynamics, names, num_layers

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """What is expected, then the keys and values of this frame, layer by layer."""
        x = dict(zip(self.names, given, strict=True))
        past = tuple(
            KeyValue(x[f"cache_{i}_key"].flatten(0, 1), x[f"cache_{i}_value"].flatten(0, 1))
            for i in range(self.num_layers)
        )
        given_controls: dict[str, Any] = {name: x[name] for name in _CONTROLS if name in x}
        controls = Controls(**given_controls)
        earlier, before = x["last"][:, :1], x["last"][:, 1:]
        if isinstance(self.dynamics, FlowDynamics):
            clean, fresh = self.dynamics.clean(
                torch.cat([x["noised"], before, before - earlier], dim=-1),
                controls,
                level=x["level"],
                step=x.get("step_size"),
                start=x["number"],
                past=past,
            )
            config = self.dynamics.config
            frame = before + shrink(clean - before, config.shrinkage, config.onset)
            found = (clean, frame)
        else:
            clean, fresh = self.dynamics.expect(x["last"], controls, start=x["number"], past=past)
            found = (self.dynamics.settled(clean, before),)
        batch = x["last"].shape[0]
        kept = (t.unflatten(0, (batch, -1)) for kv in fresh for t in (kv.key, kv.value))
        return *found, *kept


_CONTROLS = ("actions", "embodiment", "rays", "maps", "state", "text")


def _encode_graph(tokenizer: Tokenizer) -> Graph:
    return Graph(
        "tokenizer_encode",
        _Encode(tokenizer),
        (_frames_port(tokenizer),),
        (_tokens_port(tokenizer),),
        {"batch": _MOST_BATCH, "frames": _MOST_FRAMES},
    )


def _decode_graph(tokenizer: Tokenizer) -> Graph:
    frames = _frames_port(tokenizer)
    unit = Port("unit", frames.shape, "the same in about [-1, 1], not rounded")
    return Graph(
        "tokenizer_decode",
        _Decode(tokenizer),
        (_tokens_port(tokenizer),),
        (frames, unit),
        {"batch": _MOST_BATCH, "frames": _MOST_FRAMES},
    )


def _frames_port(tokenizer: Tokenizer) -> Port:
    side = tokenizer.size_px
    return Port("frames", ("batch", "frames", side, side, 3), "RGB, 0 to 255", torch.uint8)


def _tokens_port(tokenizer: Tokenizer) -> Port:
    num_cells = tokenizer.grid[0] * tokenizer.grid[1]
    shape = ("batch", "frames", num_cells, tokenizer.channels)
    return Port("tokens", shape, "latent cells, row by row")


def _step_graph(world: World) -> Graph:
    dynamics = world.dynamics
    if not isinstance(dynamics, FlowDynamics | JepaDynamics):
        raise InputError(
            f"the world {world.name} has dynamics of the type {dynamics.config.type_name}, which "
            "sample cell by cell in many passes; only flow and JEPA dynamics can be exported"
        )
    config = dynamics.config
    if isinstance(dynamics, FlowDynamics) and dynamics.config.guidance != 1:
        raise InputError(
            f"the world {world.name} samples with guidance {dynamics.config.guidance}, which takes "
            "two passes and two caches; export a copy whose config has guidance 1"
        )
    if isinstance(dynamics, FlowDynamics) and dynamics.config.sink:
        raise InputError(
            f"the world {world.name} keeps its first frames in its cache, which a host that "
            "appends and forgets cannot; export a copy whose config has sink 0"
        )
    if config.window < 4:
        raise InputError(
            f"the world {world.name} looks back {config.window} frames; a cache can be exported "
            "for a window of 4 or more"
        )
    num_cells = config.rows**2
    frame = ("batch", 1, num_cells, config.channels)
    ports = []
    outputs = [Port("frame", frame, "the frame that follows")]
    if isinstance(dynamics, FlowDynamics):
        outputs = [
            Port("clean", frame, "the clean frame as expected by this pass"),
            Port("frame", frame, "the frame that follows, if this was the last pass"),
        ]
        ports += [
            Port("noised", frame, "the frame in the making; standard normal noise at first"),
            Port("level", ("batch", 1), "noise level of it: 0 noise, 1 clean"),
        ]
        if config.shortcut_doublings:
            ports.append(Port("step_size", ("batch", 1), "size of the denoising step"))
    ports += [
        Port("last", ("batch", 2, num_cells, config.channels), "the two newest frames, old first"),
        Port("number", (), "of this frame, counted from the first that was seen", torch.int64),
        *_control_ports(config.controls, num_cells),
    ]
    entries = _measure_cache(dynamics)
    most = config.window - 1
    for i, (num_tokens, heads, size) in enumerate(entries):
        for kind in ("key", "value"):
            shape = "batch", num_tokens, heads, "cached", size
            ports.append(Port(f"cache_{i}_{kind}", shape, f"{kind}s of at most {most} frames"))
            shape = "batch", num_tokens, heads, 1, size
            outputs.append(Port(f"new_{i}_{kind}", shape, f"{kind} of this frame, to be appended"))
    names = tuple(port.name for port in ports)
    return Graph(
        "step",
        _Step(dynamics, names, len(entries)),
        tuple(ports),
        tuple(outputs),
        {"batch": _MOST_BATCH, "cached": most},
    )


def _control_ports(config: ControlEncoder.Config, num_cells: int) -> list[Port]:
    if not config.any:
        return []
    found = {
        "actions": (("batch", 1, config.action_size), config.action_size),
        "rays": (("batch", 1, num_cells, 6), config.rays),
        "maps": (("batch", 1, num_cells, config.map_size), config.map_size),
        "state": (("batch", 1, config.state_size), config.state_size),
        "text": (("batch", config.text_size), config.text_size),
    }
    ports = [
        Port(name, shape, "control, as in worldline's Controls")
        for name, (shape, there) in found.items()
        if there
    ]
    if config.action_size:
        ports.append(Port("embodiment", ("batch",), "number of the body that acts", torch.int64))
    return ports


@torch.no_grad()
def _measure_cache(dynamics: FlowDynamics | JepaDynamics) -> list[tuple[int, int, int]]:
    """Tokens, heads and numbers per head of each layer of the cache."""
    config = dynamics.config
    seen = Latents(torch.zeros(1, 1, config.rows**2, config.channels), (config.rows, config.rows))
    carry = dynamics.init(seen, Controls(), torch.Generator().manual_seed(0))
    return [(kv.key.shape[0], kv.key.shape[1], kv.key.shape[3]) for kv in carry.cache]
