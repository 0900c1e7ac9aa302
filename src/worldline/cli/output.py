"""What every command shares: answers on standard output, all else on standard error, exit codes."""

from __future__ import annotations

import json as json_library
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import tyro

from worldline.cli.places import check_folder
from worldline.cli.process import complain
from worldline.core.errors import InputError
from worldline.core.wording import printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "EXIT_BAD_INPUT",
    "EXIT_BUG",
    "EXIT_CLOSED_PIPE",
    "EXIT_INTERRUPTED",
    "EXIT_OK",
    "Answer",
    "Command",
    "JsonFlag",
    "Seed",
    "Videos",
    "WorldName",
    "execute",
    "for_each_file",
    "print_error",
    "progress",
    "strict",
    "to_text",
    "track",
]

EXIT_OK, EXIT_BUG, EXIT_BAD_INPUT, EXIT_INTERRUPTED, EXIT_CLOSED_PIPE = 0, 1, 2, 130, 141

JsonFlag = Annotated[
    bool, tyro.conf.arg(help="Print one JSON document on standard output; logs go elsewhere.")
]
"""Type of the field `json` of every command."""

Seed = Annotated[int, tyro.conf.arg(help="Random seed; the same seed gives the same answer.")]
"""Type of the field `seed` of every command."""

Videos = Annotated[
    tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="VIDEO...", help="Video files.")
]
"""Type of the field `videos` of the commands that read some."""

WorldName = Annotated[
    str, tyro.conf.arg(metavar="WORLD", help="Name of a bundled world, or folder of a saved one.")
]
"""Type of the field `world` of the commands that use one."""

_MAX_SEED = 2**63

Answer = dict[str, Any]
"""What a command found. A batch is `{"results": [...]}`; a result with an "error" has failed."""

T = TypeVar("T")


@runtime_checkable
class Command(Protocol):
    """A frozen dataclass whose fields are the command's arguments."""

    @property
    def json(self) -> bool:
        """Print the answer as JSON."""
        ...

    def run(self) -> Answer:
        """Do the work. Raises `InputError` (or `OSError`) when the input cannot be used."""
        ...

    def show(self, answer: Answer, console: Console) -> None:
        """Print an answer for a person to read."""
        ...


def execute(command: Command) -> int:
    """Run a command and print its answer.

    Returns:
        exit code: 0, or 2 where the input or one of its files could not be used, or 1 where one
        of its files met a bug.
    """
    try:
        check_numbers(command)
        check_folders(command)
        # Libraries that print must not end up inside the JSON document.
        with redirect_stdout(sys.stderr):
            answer = command.run()
    except (InputError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        return print_error(_place_of(error, command) or describe(error), as_json=command.json)
    if command.json:
        print(to_text(answer))
    else:
        from worldline.cli.console import AnswerConsole

        command.show(answer, AnswerConsole())
    failed = [r for r in answer.get("results", ()) if "error" in r]
    if any(r.get("bug") for r in failed):
        return EXIT_BUG
    return EXIT_BAD_INPUT if failed else EXIT_OK


def _place_of(error: InputError | OSError, command: Command) -> str:
    """The same error, if it is that of a folder to write to, with the name of the option."""
    if isinstance(error, InputError) or not error.filename:
        return ""
    failed = Path(str(error.filename))
    for name in ("out", "overlay"):
        path = getattr(command, name, None)
        if path is not None and (failed.is_relative_to(path) or Path(path).is_relative_to(failed)):
            reason = (error.strerror or str(error)).lower()
            return f"--{name} {path}: {failed} cannot be used ({reason}); give another folder"
    return ""


def check_numbers(command: Command) -> None:
    """Check what many commands take: a seed, and moments of a video.

    Raises:
        InputError: one of them is out of range; names the option.
    """
    seed = getattr(command, "seed", None)
    if seed is not None and not 0 <= seed < _MAX_SEED:
        raise InputError(f"--seed is {seed}; it must be from 0 to {_MAX_SEED - 1}")
    for name in ("start_s", "end_s"):
        moment = getattr(command, name, None)
        if moment is not None and not math.isfinite(moment):
            option = name.replace("_", "-")
            raise InputError(f"--{option} is {moment}; it must be a number of seconds")


def check_folders(command: Command) -> None:
    """Check that what is to be written to is a folder, or can become one. Makes nothing.

    Raises:
        InputError: names the option and the path.
    """
    for name in ("out", "overlay"):
        path = getattr(command, name, None)
        if path is not None:
            check_folder(f"--{name}", path)


def require_text(path: str) -> None:
    """Raise `InputError` for a file name that is not valid text."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
        raise InputError(f"{shown}: its name is not valid UTF-8; rename it") from None


def print_error(reason: str, *, as_json: bool) -> int:
    """Say in one line why nothing could be done. Returns the exit code for bad input."""
    reason = printable(" ".join(reason.split()))
    complain(f"worldline: error: {reason}")
    if as_json:
        print(to_text({"error": reason}))
    return EXIT_BAD_INPUT


def describe(error: InputError | OSError) -> str:
    """One line for an error that a user can act on."""
    if isinstance(error, OSError) and error.strerror:
        name = printable(str(error.filename)) if error.filename else ""
        return f"{name}: {error.strerror}" if name else error.strerror
    return str(error)


def for_each_file(
    paths: Sequence[str | os.PathLike[str]],
    work: Callable[[str, Callable[[float], None]], Answer],
    *,
    doing: str,
) -> Answer:
    """Work on files one after another; one that cannot be used fails alone.

    Args:
        paths: files, in the order of the results.
        work: given a file and a function to report the done part of it in [0, 1], returns its
            result without the "source". A result may hold an "error" beside what could be found.
        doing: verb for the progress bar.

    Raises:
        InputError: no file was given.
    """
    if not paths:
        raise InputError("no video given; name at least one file")
    results: list[Answer] = []
    with progress(doing, len(paths)) as set_done:
        for index, path in enumerate(map(str, paths)):
            set_done(index)
            try:
                require_text(path)
                result = work(path, lambda part, index=index: set_done(index + part))
            except BrokenPipeError:
                raise
            except (InputError, OSError) as error:
                result = {"error": describe(error)}
            except Exception as error:  # a bug costs one file, not the whole batch
                traceback.print_exc()
                reason = f"unexpected {type(error).__name__}: {error}; please report this"
                result = {"error": reason, "bug": True}
            if "error" in result:
                reason, name = printable(" ".join(result["error"].split())), printable(path)
                result["error"] = reason if name in reason else f"{name}: {reason}"
                complain(f"worldline: error: {result['error']}")
            results.append({"source": path, **result})
    return {"results": results}


@contextmanager
def progress(
    doing: str, total: float | None, *, lines: bool = False
) -> Iterator[Callable[[float], None]]:
    """A progress bar on standard error, where that is a terminal.

    Args:
        doing: verb for the bar.
        total: what all of it is; None where that is not known.
        lines: where standard error is no terminal, say in a line of each further twentieth that
            it is done.

    Yields:
        a function that sets how much of `total` is done.
    """
    if not sys.stderr.isatty():
        yield _tell_twentieths(doing, total) if lines and total else lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda done: bar.update(task, completed=done)


def _tell_twentieths(doing: str, total: float) -> Callable[[float], None]:
    """Nothing is said before something is heard of, so that bad input is answered by its error."""
    told = -1

    def tell(done: float) -> None:
        nonlocal told
        reached = int(20 * min(done / total, 1.0) + 1e-6)
        if reached > told:
            told = reached
            complain(f"{doing}: {5 * reached} %")

    return tell


def track(items: Iterable[T], doing: str, *, total: int | None = None) -> Iterator[T]:
    """Go through items with a progress bar; `total` where the items cannot be counted."""
    if total is None and isinstance(items, Sequence):
        total = len(items)
    with progress(doing, total) as set_done:
        for done, item in enumerate(items, start=1):
            yield item
            set_done(done)


def to_text(answer: Mapping[str, Any]) -> str:
    """One line of strict JSON."""
    return json_library.dumps(strict(answer), allow_nan=False, ensure_ascii=False)


def strict(value: Any) -> Any:
    """The same value out of what JSON has: NaN and infinity become null, arrays lists."""
    if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    match value:
        case Enum():
            return strict(value.value)
        case float():
            return value if math.isfinite(value) else None
        case np.generic() | np.ndarray():
            return strict(value.tolist())
        case PurePath():
            return str(value)
        case Mapping():
            return {str(key): strict(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [strict(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
