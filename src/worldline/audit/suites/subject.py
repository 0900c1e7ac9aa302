"""What is under test: a world, or anybody's functions from frames to frames.

A model takes part in a suite with what it has of three functions:

- `predict(frames, horizon) -> frames`: continue a video;
- `surprise(frames) -> numbers`: how unexpected each frame is, from the frames before it alone;
- `encode(frames) -> vectors`: what it knows of each frame, from it and those before it.

One that cannot say how surprised it is can still be asked, by the error of its own predictions.
"""

from __future__ import annotations

import importlib.util
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.audit.baselines import ConstantVelocityWarp, CopyLast
from worldline.audit.finish import WorldPredictor
from worldline.core.errors import InputError
from worldline.core.modules import import_theirs, look_into
from worldline.core.wording import printable
from worldline.world import World
from worldline.world.expectation import weigh_evidence
from worldline.world.surprise import grade

__all__ = [
    "MAX_SIZE_PX",
    "Encode",
    "MissingFunctionError",
    "Predict",
    "Subject",
    "Surprised",
    "load_subject",
    "name_tested",
    "of_baseline",
    "of_world",
    "untrained",
]

T = TypeVar("T")

_BESIDE = frozenset(
    {
        "copy-last",
        "flow-warp",
        "untrained",
        "truth",
        "empty scene",
        "frozen mean",
        "object files alone",
        "pixel difference",
        "flow-warp error",
        "latent norm",
        "coarse pixels",
        "chance",
        "constant velocity of the true state",
        "state oracle (noise of the instrument)",
    }
)
"""Rows that suites set beside what is tested, which is told from them by its name."""

_FUNCTIONS = ("predict", "surprise", "encode")
_LONGEST_NAME = 60

MAX_SIZE_PX = 512
"""Largest side of frames that suites are drawn in: all scenarios of a suite are held at once."""

Frames = UInt8[np.ndarray, "t h w 3"]
Ahead = UInt8[np.ndarray, "n h w 3"]


class MissingFunctionError(InputError):
    """The subject has not what a suite asks for; it cannot take part."""


_ONE_AT_A_TIME = threading.Lock()


@runtime_checkable
class Predict(Protocol):
    """Continues a video."""

    def __call__(self, frames: Frames, horizon: int, seed: int) -> Ahead:
        """The `horizon` frames that follow."""
        ...


@runtime_checkable
class Surprised(Protocol):
    """Says how unexpected frames are."""

    def __call__(self, frames: Frames) -> Float[np.ndarray, " t"]:
        """One number for each frame, larger for what is less expected; it must not depend on later
        frames."""
        ...


@runtime_checkable
class Encode(Protocol):
    """Says what it knows of frames."""

    def __call__(self, frames: Frames) -> Float[np.ndarray, "t f"]:
        """One vector for each frame; it must not depend on later frames."""
        ...


@dataclass(frozen=True, eq=False)
class Subject:
    """Something under test.

    Attributes:
        name: for the tables.
        predict, surprise, encode: what it can do; None for what it cannot.
        size_px: side of the frames that it works in.
        world: where it is one, for suites that look inside.
        origin: makes it again in another process, and can be pickled; without it all that is asked
            of the subject is asked in this one.
    """

    name: str
    predict: Predict | None = None
    surprise: Surprised | None = None
    encode: Encode | None = None
    size_px: int = 64
    world: World | None = None
    origin: Callable[[], Subject] | None = None

    def __reduce__(self) -> tuple[Callable[[], Subject], tuple[()]]:
        """Its functions do not travel; how to make them again does."""
        if self.origin is None:
            raise pickle.PicklingError(f"{self.name} is known in this process alone")
        return self.origin, ()

    def need(self, what: str, suite: str) -> Any:
        """One of the functions. Raises `MissingFunctionError` where there is none."""
        found = getattr(self, what)
        if found is None:
            raise MissingFunctionError(
                f"{self.name} has no function {what}, which the suite {suite} asks for; see "
                "docs/suites.md"
            )
        return found

    def surprised(self, context: int = 8) -> Surprised:
        """Its own surprise, or else the mean squared error of predicting each frame."""
        if self.surprise is not None:
            return self.surprise
        predict = self.need("predict", "expectation")

        def error_of_predicting(frames: Frames) -> Float[np.ndarray, " t"]:
            found = np.zeros(len(frames))
            for t in range(2, len(frames)):
                ahead = predict(frames[max(0, t - context) : t], 1, 0)[0]
                found[t] = np.square((ahead.astype(float) - frames[t]) / 255).mean()
            return found

        return error_of_predicting


def of_world(world: World, name: str | None = None) -> Subject:
    """A world under test, in its own size and without controls."""
    predictor = WorldPredictor(world)

    def predict(frames: Frames, horizon: int, seed: int) -> Ahead:
        return predictor.predict(frames, horizon, seed)[0]

    @torch.no_grad()
    def encode(frames: Frames) -> Float[np.ndarray, "t f"]:
        return world.encode_frames(frames).tokens[0].flatten(1).double().numpy()

    @torch.no_grad()
    def surprise(frames: Frames) -> Float[np.ndarray, " t"]:
        steps = world.raw_surprise(world.encode_frames(frames), seed=0)
        told = weigh_evidence(frames)
        time_s, stride = np.arange(len(frames), dtype=float), world.tokenizer.time_stride
        return grade(time_s, steps, world.calibration, stride=stride, evidence=told).per_frame

    return Subject(
        name=name_tested(world.name) if name is None else name,
        predict=predict if world.tokenizer.can_decode else None,
        surprise=surprise,
        encode=encode,
        size_px=world.size_px,
        world=world,
        origin=partial(of_world, world, name),
    )


def name_tested(name: str) -> str:
    """A name for what is tested: on one line, short, and unlike those of the rows beside it."""
    short = printable(" ".join(name.split()))[:_LONGEST_NAME]
    return f"{short} (tested)" if short in _BESIDE else short


def untrained(world: World, seed: int = 0) -> Subject:
    """The same world as it was before training."""
    torch.manual_seed(seed)
    fresh = replace(world.config, name="untrained").build()
    return of_world(fresh, "untrained")


def of_baseline(name: str) -> Subject:
    """`copy-last` or `flow-warp`, as a subject."""
    predictor = {"copy-last": CopyLast(), "flow-warp": ConstantVelocityWarp()}[name]

    def predict(frames: Frames, horizon: int, seed: int) -> Ahead:
        return predictor.predict(frames, horizon, seed)[0]

    return Subject(name, predict=predict, origin=partial(of_baseline, name))


def load_subject(place: str, *, size_px: int = 64) -> Subject:
    """Somebody else's model: `FILE.py:NAME` or `package.module:NAME`.

    NAME is a function `predict(frames, n) -> frames`, or an object with any of the methods
    `predict(frames, n)`, `surprise(frames)`, `encode(frames)`; a class is instantiated without
    arguments. Frames are `uint8` `[T, H, W, 3]`, a copy for each call. As where Python runs a
    script or a module, what lies beside FILE.py, or in the working directory, can be imported.

    Raises:
        InputError: there is no such thing, it cannot be made, or it has none of the functions.
    """
    path, colon, name = place.rpartition(":")
    if not colon or not path or not name:
        raise InputError(f"{place}: name a model as FILE.py:NAME or package.module:NAME")
    found = getattr(_module(path), name, None)
    if found is None:
        raise InputError(f"{path}: has no {name}")
    model = _ask(place, found) if isinstance(found, type) else found
    # Looking runs their code, too, where they are properties.
    own = _ask(place, lambda: {what: getattr(model, what, None) for what in _FUNCTIONS})
    own = {what: function for what, function in own.items() if callable(function)}
    if not own and callable(model):
        own["predict"] = model
    if not own:
        raise InputError(
            f"{place}: has none of predict(frames, n), surprise(frames) and encode(frames)"
        )
    size_px = getattr(model, "size_px", size_px)
    whole = isinstance(size_px, (int, np.integer)) and not isinstance(size_px, bool)
    if not whole or not 16 <= size_px <= MAX_SIZE_PX:
        raise InputError(
            f"{place}: size_px is {size_px!r}; it must be a number from 16 to {MAX_SIZE_PX}"
        )
    return Subject(
        name=name_tested(str(getattr(model, "name", None) or name)),
        predict=_checked(own["predict"], place) if "predict" in own else None,
        surprise=_counted(own["surprise"], place, 1) if "surprise" in own else None,
        encode=_counted(own["encode"], place, 2) if "encode" in own else None,
        size_px=int(size_px),
        origin=partial(load_subject, place, size_px=size_px),
    )


def _module(path: str) -> ModuleType:
    file = Path(path)
    is_file = path.endswith(".py")
    if is_file and not file.is_file():
        raise InputError(f"{path}: there is no such file")
    if not is_file and (len(file.parts) > 1 or file.is_file()):
        raise InputError(f"{path}: is no Python file; name a model as FILE.py:NAME")
    try:
        if not is_file:
            return import_theirs(path)
        look_into(file.resolve().parent)
        spec = importlib.util.spec_from_file_location(f"worldline_subject_{file.stem}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look themselves up
        spec.loader.exec_module(module)
    except ImportError as error:
        raise InputError(f"{path}: {error}") from None
    except (Exception, SystemExit) as error:
        raise InputError(f"{path}: {_describe(error, path)}") from None
    return module


def _ask(place: str, work: Callable[[], T]) -> T:
    """What somebody's code gives; what it raises is theirs to mend.

    Suites ask from several threads, which not every model bears.
    """
    try:
        with _ONE_AT_A_TIME:
            return work()
    except (Exception, SystemExit) as error:
        told = _describe(error, place.rpartition(":")[0])
        raise InputError(f"{place}: {told}") from error


def _describe(error: BaseException, path: str) -> str:
    """An error of somebody's code, with the line of theirs that it came through last."""
    file = Path(getattr(sys.modules.get(path), "__file__", None) or path).resolve()
    steps = traceback.extract_tb(error.__traceback__)
    lines = [step.lineno for step in steps if Path(step.filename).resolve() == file]
    where = f"in line {lines[-1]} of {file.name}, " if lines else ""
    return f"{where}{type(error).__name__}: {error}"


# Arrays are copied on the way in and out: a model may write into what it is shown, and into what
# it returned before.


def _checked(function: Callable[..., Any], place: str) -> Predict:
    def predict(frames: Frames, horizon: int, seed: int) -> Ahead:
        found = _ask(place, lambda: np.array(function(frames.copy(), horizon)))
        wanted = (horizon, *frames.shape[1:])
        if found.shape != wanted or found.dtype != np.uint8:
            raise InputError(
                f"{place}: predict gave {found.dtype} {found.shape}, expected uint8 {wanted}"
            )
        return found

    return predict


def _counted(function: Callable[..., Any], place: str, num_axes: int) -> Callable[..., Any]:
    def call(frames: Frames) -> np.ndarray:
        found = _ask(place, lambda: np.array(function(frames.copy()), dtype=np.float64))
        if found.ndim != num_axes or len(found) != len(frames) or not np.isfinite(found).all():
            raise InputError(
                f"{place}: gave numbers of shape {found.shape} for {len(frames)} frames, expected "
                f"{'one finite number' if num_axes == 1 else 'one finite vector'} for each"
            )
        return found

    return call
