"""Independent pieces of work, spread over a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from worldline.core.processes import WorkerLostError

__all__ = ["spread_by_ray"]

T = TypeVar("T")
R = TypeVar("R")

_RETRIES = 2


def spread_by_ray(
    work: Callable[[T], R], items: Iterable[T]
) -> Iterator[tuple[T, R | WorkerLostError]]:
    """Do independent pieces of work as Ray tasks of one processor each; gives each as it is done.

    Within `ray_session`. A piece whose worker or machine is lost is done again by Ray, twice at
    most, and then given with a `WorkerLostError`. When the iterator is closed, what is under way is
    given up.

    Args:
        work: is pickled and sent, with all that it refers to; what it raises is raised here.
        items: drawn as there is room for them.
    """
    import ray
    from ray.exceptions import RayError, RayTaskError

    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_call)
    shared, more = ray.put(work), iter(items)
    flying: dict[Any, T] = {}
    try:
        while True:
            # Machines may join and leave meanwhile.
            room = 2 * max(1, int(ray.cluster_resources().get("CPU", 1))) - len(flying)
            for item in islice(more, max(0, room)):
                flying[task.remote(shared, item)] = item
            if not flying:
                return
            (done, *_), _ = ray.wait(list(flying), num_returns=1)
            item = flying.pop(done)
            try:
                answer = ray.get(done)
            except RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except RayError as error:
                reason = str(error).strip().splitlines()[0]
                times = _RETRIES + 1
                answer = WorkerLostError(f"its worker was lost {times} times ({reason})")
            yield item, answer
    finally:
        for reference in flying:
            ray.cancel(reference, force=True)


def _call(work: Callable[[T], R], item: T) -> R:
    return work(item)
