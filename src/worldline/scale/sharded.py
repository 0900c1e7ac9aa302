"""A team whose workers each keep a part of every parameter.

A module of its own, because it takes a while to load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, Replicate, distribute_tensor

from worldline.scale.rows import Split, splitting

__all__ = ["Sharded", "find_blocks"]

_NO_FORWARD = cast(Any, nn.Module).forward


class Sharded:
    """The workers of the default process group, parameters sharded over them by FSDP2.

    `fully_shard` (PyTorch's second fully sharded data parallel, after Zhao et al. 2023, arXiv
    2304.11277) keeps a part of each parameter on each worker, gathers them block by block when they
    are needed and leaves the mean of the gradients in parts. Parameters without dimensions stay
    whole on every worker. Gradients are summed up in fp32 whatever the parameters are kept in.

    The optimiser works on plain tensors, the parts of `local`, since AdamW and clipping need
    nothing of the others but one norm.
    """

    def __init__(self, device_type: str = "cpu") -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.mesh: DeviceMesh = init_device_mesh(device_type, (self.size,))
        self._roots: dict[nn.Module, _Root] = {}

    def shard(self, *modules: nn.Module) -> None:
        """Divide by `fully_shard`: each block of a stack by itself, the rest together."""
        for module in modules:
            if module in self._roots:
                continue
            root = _Root(module)
            scalars = {p for p in module.parameters() if p.dim() == 0}
            policy = MixedPrecisionPolicy(reduce_dtype=torch.float32, cast_forward_inputs=False)
            for part in (*find_blocks(module), root):
                fully_shard(part, mesh=self.mesh, mp_policy=policy, ignored_params=scalars)
            self._roots[module] = root

    def run(self, function: Callable[..., Any], module: nn.Module, *args: Any) -> Any:
        """Through the root's `forward`, which is where FSDP gathers parameters."""
        return self._roots[module](function, Split(self.rank, self.size), args)

    def local(self, tensor: Tensor) -> Tensor:
        """The part that lies here; a parameter stays one."""
        if not isinstance(tensor, DTensor):
            return tensor
        own = cast(DTensor, tensor.detach()).to_local()
        return nn.Parameter(own) if tensor.requires_grad else own

    def gradient(self, parameter: nn.Parameter) -> Tensor | None:
        """The part of the mean over workers; whole parameters are averaged here."""
        grad = parameter.grad
        if isinstance(grad, DTensor):
            return grad.to_local()
        if grad is not None:
            grad = grad.float()
            dist.all_reduce(grad)
            grad = grad / self.size
        return grad

    def clip_grad_norm(self, parameters: Sequence[Tensor], max_norm: float) -> float:
        """By the norm over the parts of all workers; parameters that all have count once."""
        grads = [p.grad for p in parameters if p.grad is not None]
        parts = [g for g in grads if g.dim() or self.rank == 0]
        device = self.mesh.device_type
        squares = [g.float().square().sum() for g in parts]
        square = torch.stack(squares).sum() if squares else torch.zeros((), device=device)
        dist.all_reduce(square)
        scale = (max_norm / (square.sqrt() + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(scale.to(grad.dtype))
        return float(square.sqrt())

    def whole(self, part: Tensor, like: Tensor) -> Tensor:
        """Gathered, in the main memory of every worker."""
        if not isinstance(like, DTensor) or not part.dim():
            return part.detach().cpu()
        if not isinstance(part, DTensor):
            part = DTensor.from_local(
                part,
                like.device_mesh,
                like.placements,
                run_check=False,
                shape=like.shape,
                stride=like.stride(),
            )
        everywhere = [Replicate()] * like.device_mesh.ndim
        gathered = cast(DTensor, part.detach()).redistribute(placements=everywhere)
        return gathered.to_local().cpu()

    def part(self, whole: Tensor, like: Tensor) -> Tensor:
        """Cut out here, without communication: every worker reads the same checkpoint."""
        if not isinstance(like, DTensor) or not whole.dim():
            return whole
        whole = whole.to(like.device)
        return distribute_tensor(whole, like.device_mesh, like.placements, src_data_rank=None)

    def total(self, value: float) -> float:
        """Sum by all-reduce."""
        tensor = torch.tensor(value, dtype=torch.float64, device=self.mesh.device_type)
        dist.all_reduce(tensor)
        return float(tensor)


class _Root(nn.Module):
    """Gives a module a `forward` that can be anything, so that FSDP's hooks run around it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, function: Callable[..., Any], split: Split, args: tuple[Any, ...]) -> Any:
        with splitting(split):
            found = function(self.inner, *args)
        return dict(found) if isinstance(found, Mapping) else found


def find_blocks(module: nn.Module) -> list[nn.Module]:
    """Members of stacks (lists or sequences of two or more alike), outermost ones only."""
    found: list[nn.Module] = []
    for child in module.children():
        members = list(child.children())
        stacked = isinstance(child, nn.ModuleList | nn.Sequential) and len(members) > 1
        alike = stacked and len({type(member) for member in members}) == 1
        forward = cast(Any, type(members[0])).forward if alike else None
        if alike and forward is not _NO_FORWARD and next(members[0].parameters(), None) is not None:
            found += members
        else:
            found += find_blocks(child)
    return found
