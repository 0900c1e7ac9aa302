"""Controls as tokens: one vector per frame, and one per coarse cell for what has a place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from worldline.core.config import Config, register
from worldline.core.latents import Controls

__all__ = ["ControlEncoder"]

_RAY_SIZE = 6

_PLACED = ("rays", "maps", "text")
"""What is added to cells. Words are about all of them, and so reach each without attention."""


class ControlEncoder(nn.Module):
    """Adds up learned embeddings of whatever is known, and learned stand-ins for what is not.

    In training each control is dropped per clip with a fixed probability, so that every
    combination works and the difference between with and without can be exaggerated when sampling
    (classifier-free guidance, Ho and Salimans 2022, arXiv 2207.12598).
    """

    @register("dynamics/controls")
    @dataclass(frozen=True)
    class Config(Config):
        """Which controls there are; a size of 0 means that there is none of the kind.

        Attributes:
            action_size: numbers per action.
            num_embodiments: bodies whose actions mean different things; each has its embedding.
            rays: camera rays are given.
            map_size: numbers per latent cell of the sensor maps.
            state_size: numbers per reading of the state.
            text_size: numbers of a sentence's embedding, which is a unit vector.
            dropout: probability of dropping each control of a clip in training.
            everywhere: what is known of a frame as a whole is added to all its cells too, which
                then need no attention to learn what it does.
        """

        action_size: int = 0
        num_embodiments: int = 1
        rays: bool = False
        map_size: int = 0
        state_size: int = 0
        text_size: int = 0
        dropout: float = 0.1
        everywhere: bool = False

        @property
        def any(self) -> bool:
            """Whether there is any control at all."""
            sizes = self.action_size, self.map_size, self.state_size, self.text_size
            return self.rays or any(sizes)

    def __init__(self, config: ControlEncoder.Config, width: int) -> None:
        super().__init__()
        if not config.any:
            raise ValueError("a control encoder needs at least one control")
        if config.num_embodiments < 1:
            raise ValueError(f"num_embodiments is {config.num_embodiments}, must be at least 1")
        self.config = config
        sizes = {
            "actions": config.action_size,
            "rays": 4 * _RAY_SIZE * config.rays,
            "maps": 4 * config.map_size,
            "state": config.state_size,
            "text": config.text_size,
        }
        self.sizes = {name: size for name, size in sizes.items() if size}
        self.read = nn.ModuleDict(
            {name: nn.Linear(size, width) for name, size in self.sizes.items() if name != "actions"}
        )
        if config.action_size:
            shape = config.num_embodiments, config.action_size, width
            self.act = nn.Parameter(torch.randn(shape) * config.action_size**-0.5)
            self.body = nn.Parameter(torch.zeros(config.num_embodiments, width))
        self.absent = nn.ParameterDict({name: torch.zeros(width) for name in self.sizes})

    def forward(
        self,
        controls: Controls,
        shape: tuple[int, int],
        *,
        generator: torch.Generator | None = None,
        dropped: Bool[Tensor, " b"] | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, "b t m d"] | None]:
        """Embeddings per frame, and per coarse cell (2x2 latent cells) if any control has a place.

        Where text or what is added everywhere alone has one, a single cell stands for all.

        Args:
            controls: what is known.
            shape: (B, T) of the clips.
            generator: drops controls at random, in training.
            dropped: clips that are treated as if nothing were known.

        Raises:
            ValueError: a control is of another width than this world takes, or of another length.
        """
        batch, num_frames = shape
        frame_BTD: Tensor | None = None
        cells_BTMD: Tensor | None = None
        for name in self.sizes:
            absent = self.absent[name]
            value = getattr(controls, name)
            if value is None:
                embedded = absent.expand(batch, num_frames, -1)
                embedded = embedded[:, :, None] if name in _PLACED else embedded
            else:
                embedded = self._embed(name, value.to(absent.dtype), controls, shape)
                gone = self._gone(batch, absent.device, generator, dropped)
                if gone is not None:
                    gone = gone.reshape(batch, *(1,) * (embedded.dim() - 1))
                    embedded = torch.where(gone, absent, embedded)
            if embedded.dim() == 4:
                cells_BTMD = embedded if cells_BTMD is None else cells_BTMD + embedded
            else:
                frame_BTD = embedded if frame_BTD is None else frame_BTD + embedded
        assert frame_BTD is not None or cells_BTMD is not None
        if frame_BTD is None:
            assert cells_BTMD is not None
            frame_BTD = torch.zeros_like(cells_BTMD[:, :, 0])
        elif self.config.everywhere:
            whole = frame_BTD[:, :, None]
            cells_BTMD = whole if cells_BTMD is None else cells_BTMD + whole
        return frame_BTD, cells_BTMD

    def _embed(
        self, name: str, value: Tensor, controls: Controls, shape: tuple[int, int]
    ) -> Tensor:
        batch, num_frames = shape
        placed = name in ("rays", "maps")
        per_cell = 4 if placed else 1
        size = self.sizes[name] // per_cell
        lead = (batch,) if name == "text" else (batch, num_frames)
        if tuple(value.shape[: len(lead)]) != lead or value.shape[-1] != size:
            raise ValueError(
                f"controls.{name} is {tuple(value.shape)}; this world takes "
                f"{size} numbers for each of {lead} (batch, frames)"
            )
        if placed:
            rows = round(value.shape[2] ** 0.5)
            value = rearrange(
                value, "b t (y p x q) c -> b t (y x) (p q c)", p=2, q=2, y=rows // 2, x=rows // 2
            )
        if name == "actions":
            body = controls.embodiment
            which = body if body is not None else torch.zeros(batch, dtype=torch.long)
            which = which.to(value.device)
            return torch.einsum("bta,bad->btd", value, self.act[which]) + self.body[which][:, None]
        if name == "text":
            value = value * size**0.5  # a unit vector's numbers are small; of unit variance now
        embedded = self.read[name](value)
        if name == "text":
            return embedded[:, None, None].expand(-1, num_frames, -1, -1)
        return embedded

    def _gone(
        self,
        batch: int,
        device: torch.device,
        generator: torch.Generator | None,
        dropped: Tensor | None,
    ) -> Tensor | None:
        if generator is None:
            return dropped
        drawn = torch.rand(batch, generator=generator, device=generator.device).to(device)
        gone = drawn < self.config.dropout
        return gone if dropped is None else gone | dropped
