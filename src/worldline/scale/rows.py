"""Functions that work row by row, and the split of their work over the workers of a team.

A loss is a function of the whole batch: it draws noise for it, normalises over it, compares its
clips. What costs time, though, are the passes of networks, and those treat each row of a batch on
its own. So every worker evaluates the same loss on the same whole batch, and only what is declared
`rowwise` is divided: each worker takes its share of the rows and the results are put together
again. The loss is then the same number with any number of workers, up to the order of sums.

Gradients follow as in the sequence parallelism of Korthikanti et al. (2022, arXiv 2205.05198,
section 4.2.2). Outside of rowwise functions everything is there on every worker, its gradient too.
Within them each worker's parameters get the gradient of its own rows alone. The rows' gradients
are multiplied by the number of workers on their way in and divided by it on their way out, so the
mean over workers, which sharded training takes anyway, is the gradient of the loss for every
parameter, wherever it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, cast, overload

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["Split", "map_tensors", "rowwise", "splitting"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Split:
    """Who takes which rows: worker `rank` of `size` the rank-th of equally many.

    Where rows do not divide evenly, the last workers repeat row 0 and their results are dropped, so
    that all workers do the same operations on the same shapes.
    """

    rank: int
    size: int

    def share(self, whole: Tensor, *, blank: bool = False) -> Tensor:
        """This worker's rows; those that are missing are copies of row 0, or `blank`: zeros."""
        num = len(whole)
        each = -(-num // self.size)
        start, stop = self.rank * each, (self.rank + 1) * each
        own = whole[start : min(stop, num)]
        if len(own) == each:
            return own
        rest = torch.zeros_like(whole[:1]) if blank else whole[:1]
        return torch.cat([own, rest.expand(each - len(own), *whole.shape[1:])])

    def join(self, share: Tensor, num: int) -> Tensor:
        """All `num` rows from the shares of all workers."""
        own = share.contiguous()
        whole = own.new_empty((self.size * len(own), *own.shape[1:]))
        dist.all_gather_into_tensor(whole, own)
        return whole[:num]


_ACTIVE: ContextVar[Split | None] = ContextVar("_ACTIVE", default=None)


@contextmanager
def splitting(split: Split | None) -> Iterator[None]:
    """Within, rowwise functions divide their work by `split`; not at all if that is None."""
    token = _ACTIVE.set(split)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


@overload
def rowwise(function: Callable[P, R], /) -> Callable[P, R]:
    """All of the result is put together again."""


@overload
def rowwise(*, only: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """One member of the result is."""


def rowwise(function: Callable[..., Any] | None = None, /, *, only: int | None = None) -> Any:
    """Declare that row i of the result depends on row i of the arguments alone.

    Rows are the first dimension of every tensor that has dimensions, however they are nested in
    tuples, lists, dictionaries and dataclasses. Everything else is passed on as it is. Such a
    function draws no random numbers while it is divided, because they would be others with another
    number of workers: the caller draws them and hands them over.

    Outside of `splitting`, and in rowwise functions that call each other, nothing is changed.

    Args:
        function: to be declared.
        only: of a tuple that is returned, the member that is put together again; the others stay
            this worker's share. For carries and caches, which training has no use for.

    Raises:
        ValueError: while its work is divided, if the arguments differ in their numbers of rows or
            hold a generator.
    """
    if function is None:
        return partial(_declare, only=only)
    return _declare(function, only=None)


def _declare(function: Callable[..., Any], *, only: int | None) -> Callable[..., Any]:
    @wraps(function)
    def divided(*args: Any, **kwargs: Any) -> Any:
        split = _ACTIVE.get()
        num = 0 if split is None else _count_rows((args, kwargs), function.__qualname__)
        if split is None or not num:
            return function(*args, **kwargs)

        def share(x: Tensor) -> Tensor:
            return cast(Tensor, _Share.apply(x, split)) if x.dim() else x

        def join(x: Tensor) -> Tensor:
            return cast(Tensor, _Join.apply(x, split, num))

        own_args, own_kwargs = map_tensors(share, (args, kwargs))
        with splitting(None):
            result = function(*own_args, **own_kwargs)
        if only is None:
            return map_tensors(join, result)
        return (*result[:only], map_tensors(join, result[only]), *result[only + 1 :])

    return divided


def map_tensors(function: Callable[[Tensor], Any], value: Any) -> Any:
    """A copy with a function applied to each tensor of tuples, lists, dicts and dataclasses."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, tuple | list):
        return type(value)(map_tensors(function, part) for part in value)
    if isinstance(value, Mapping):
        return {name: map_tensors(function, part) for name, part in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: map_tensors(function, getattr(value, f.name)) for f in fields(value)}
        return replace(value, **parts)
    return value


def _count_rows(arguments: Any, name: str) -> int:
    found: set[int] = set()

    def note(tensor: Tensor) -> Tensor:
        if tensor.dim():
            found.add(len(tensor))
        return tensor

    map_tensors(note, arguments)
    if len(found) > 1:
        raise ValueError(f"{name} works row by row, but was given {sorted(found)} rows")
    args, kwargs = arguments
    if any(isinstance(value, torch.Generator) for value in (*args, *kwargs.values())):
        raise ValueError(f"{name} is divided among workers, so it may not draw random numbers")
    return found.pop() if found else 0


class _Share(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, whole: Tensor, split: Split) -> Tensor:
        ctx.split, ctx.num = split, len(whole)
        return split.share(whole).contiguous()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.split.join(grads[0], ctx.num) / ctx.split.size, None


class _Join(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, share: Tensor, split: Split, num: int) -> Tensor:
        ctx.split = split
        return split.join(share, num)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return ctx.split.share(grads[0], blank=True) * ctx.split.size, None, None
