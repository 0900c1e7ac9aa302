"""A team of workers that train one module together, and the one who works alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

__all__ = ["ALONE", "Alone", "Team"]


@runtime_checkable
class Team(Protocol):
    """What a training loop asks of the workers that it runs on."""

    @property
    def rank(self) -> int:
        """Number of this worker, from 0."""
        ...

    @property
    def size(self) -> int:
        """How many workers there are."""
        ...

    def shard(self, *modules: nn.Module) -> None:
        """Keep only this worker's part of the parameters of modules, in place."""
        ...

    def run(self, function: Callable[..., Any], module: nn.Module, *args: Any) -> Any:
        """`function(module, *args)` with all parameters there and rowwise work divided."""
        ...

    def local(self, tensor: Tensor) -> Tensor:
        """This worker's part of a tensor, in the same memory."""
        ...

    def gradient(self, parameter: nn.Parameter) -> Tensor | None:
        """This worker's part of a parameter's gradient after `backward`."""
        ...

    def clip_grad_norm(self, parameters: Sequence[Tensor], max_norm: float) -> float:
        """Scale the gradients of parts of parameters: their norm over all is at most `max_norm`.

        Returns the norm before.
        """
        ...

    def whole(self, part: Tensor, like: Tensor) -> Tensor:
        """All of what each worker has its part of, divided as `like` is."""
        ...

    def part(self, whole: Tensor, like: Tensor) -> Tensor:
        """What every worker has the whole of, divided as `like` is."""
        ...

    def total(self, value: float) -> float:
        """Sum over workers."""
        ...


@dataclass(frozen=True)
class Alone:
    """One process that keeps everything and shares nothing; nothing is changed by it."""

    rank: int = 0
    size: int = 1

    def shard(self, *modules: nn.Module) -> None:
        """Nothing to divide."""

    def run(self, function: Callable[..., Any], module: nn.Module, *args: Any) -> Any:
        """The plain call."""
        return function(module, *args)

    def local(self, tensor: Tensor) -> Tensor:
        """The tensor itself."""
        return tensor

    def gradient(self, parameter: nn.Parameter) -> Tensor | None:
        """The parameter's own."""
        return parameter.grad

    def clip_grad_norm(self, parameters: Sequence[Tensor], max_norm: float) -> float:
        """As PyTorch does it."""
        return float(nn.utils.clip_grad_norm_(parameters, max_norm))

    def whole(self, part: Tensor, like: Tensor) -> Tensor:
        """The tensor itself."""
        return part

    def part(self, whole: Tensor, like: Tensor) -> Tensor:
        """The tensor itself."""
        return whole

    def total(self, value: float) -> float:
        """The value itself."""
        return value


ALONE = Alone()
"""The team of a process by itself."""
