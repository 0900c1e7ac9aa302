"""The launch of a team through Ray Train, on this machine or on a cluster."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from worldline.core.errors import InputError
from worldline.core.processes import num_cores
from worldline.scale.team import ALONE, Team

__all__ = ["WorkersLostError", "launch", "ray_session"]

_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray tells nobody that it is used
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "600",  # loading PyTorch may take long
}
_STORE_BYTES = 512 * 2**20
_KNOCK_S = 5.0


class WorkersLostError(InputError):
    """Workers died more often than they are started again; the last checkpoint is kept."""


@contextmanager
def ray_session(address: str, *, num_workers: int, use_gpu: bool = False) -> Iterator[None]:
    """A connection to Ray with room for `num_workers`; one that is there already is used.

    Args:
        address: "local" starts Ray in this process, for its time, bound to the loopback interface,
            without dashboard and with as many processors as workers; "HOST:PORT" or "auto" connects
            to a cluster of which this machine is a part.
        num_workers: that are to run at once, with a processor each.
        use_gpu: each of them takes a GPU too.

    Raises:
        InputError: Ray is not installed, there is no cluster at the address, or it, or this
            machine, is too small.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError("--ray needs Ray: pip install -e '.[scale]' in Worldline's folder")
    os.environ.update(_SETTINGS)
    import ray

    if ray.is_initialized():
        _check_room(ray.cluster_resources(), address, num_workers, use_gpu)
        yield
        return
    if address == "local":
        _check_room(
            {"CPU": num_cores(), "GPU": torch.cuda.device_count()},
            "this machine",
            num_workers,
            use_gpu,
        )
        options: dict[str, Any] = {
            "num_cpus": num_workers,
            "num_gpus": num_workers if use_gpu else 0,
            "object_store_memory": _STORE_BYTES,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
        }
    else:
        _knock(address)
        options = {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{address}: no Ray cluster can be reached there ({reason})") from None
    try:
        _check_room(ray.cluster_resources(), address, num_workers, use_gpu)
        yield
    finally:
        ray.shutdown()


def launch(
    work: Callable[[Team, str], Any],
    *,
    num_workers: int,
    folder: Path,
    use_gpu: bool = False,
    retries: int = 2,
) -> Any:
    """Run `work(team, device)` on each of `num_workers` at once; gives what the first one returns.

    Within `ray_session`. `work` and all that it refers to is pickled and sent. When a worker dies,
    all are started again and `work` is called anew: it has to go on from its own checkpoint. An
    `InputError` of the work is no accident and is raised here at once.

    Args:
        work: the same for all workers; one alone is not sharded.
        num_workers: N.
        folder: where Ray Train keeps its notes; shared by all machines.
        use_gpu: each worker takes a GPU.
        retries: how many times workers are started again.

    Raises:
        InputError: the work raised it.
        WorkersLostError: workers died again and again.
    """
    import ray.train
    from ray.train.torch import TorchConfig, TorchTrainer

    trainer = TorchTrainer(
        _run,
        train_loop_config={"work": work, "use_gpu": use_gpu},
        torch_config=TorchConfig(backend="nccl" if use_gpu else "gloo"),
        scaling_config=ray.train.ScalingConfig(
            num_workers=num_workers,
            use_gpu=use_gpu,
            resources_per_worker={"CPU": 1, "GPU": 1} if use_gpu else {"CPU": 1},
        ),
        run_config=ray.train.RunConfig(
            name="workers",
            storage_path=str(folder.absolute()),
            failure_config=ray.train.FailureConfig(
                max_failures=retries, controller_failure_limit=retries
            ),
            logging_config=ray.train.LoggingConfig(log_level="ERROR"),
        ),
    )
    try:
        with _own_interrupt():
            answer = trainer.fit().return_value
    except ray.train.TrainingFailedError as error:
        reason = str(error).strip().splitlines()[-1]
        raise WorkersLostError(
            f"{folder}: the workers died {retries + 1} times ({reason}); the same command goes on "
            "from the last checkpoint"
        ) from error
    if isinstance(answer, InputError):
        raise answer
    return answer


def _run(config: dict[str, Any]) -> Any:
    """What Ray Train calls in each worker, in a process group of all of them."""
    import ray.train
    import ray.train.torch

    from worldline.scale.sharded import Sharded

    torch.set_num_threads(1)
    device = str(ray.train.torch.get_device()) if config["use_gpu"] else "cpu"
    many = ray.train.get_context().get_world_size() > 1
    team: Team = Sharded("cuda" if config["use_gpu"] else "cpu") if many else ALONE
    try:
        return config["work"](team, device)
    except InputError as error:  # the same on all workers, and it would come again
        return error


def _check_room(room: dict[str, Any], where: str, num_workers: int, use_gpu: bool) -> None:
    for kind, name in (("CPU", "processors"), *((("GPU", "GPUs"),) if use_gpu else ())):
        if room.get(kind, 0) < num_workers:
            raise InputError(
                f"--workers is {num_workers}, but {where} has {room.get(kind, 0):.0f} {name}; "
                "each worker takes one"
            )


def _knock(address: str) -> None:
    """See whether somebody listens, because Ray itself waits for a minute before it gives up."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "/" in host:
        raise InputError(
            f"--ray is {address!r}; give local, auto, or HOST:PORT of a cluster of which this "
            "machine is a part"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()
    except OSError as error:
        raise InputError(f"{address}: no Ray cluster can be reached there ({error})") from None


@contextmanager
def _own_interrupt() -> Iterator[None]:
    """Take back the handler of Ctrl-C that Ray Train puts in place and leaves there.

    It stops the workers and then ends the process, without a word; whoever called is told of the
    interrupt instead.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
