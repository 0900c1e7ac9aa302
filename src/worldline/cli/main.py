"""`worldline`: finds the command, loads only that one, and turns what goes wrong into one line."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import worldline
from worldline.cli.process import (
    Terminated,
    complain,
    discard_output,
    open_streams,
    terminable,
)

__all__ = ["COMMANDS", "Entry", "help_text", "main"]


@dataclass(frozen=True)
class Entry:
    """A command as the help lists it.

    Attributes:
        name: one or two words.
        home: "module:Class" of the frozen dataclass that is the command.
        group: heading in the help.
        summary: what it does, in one line.
        if_stopped: what becomes of its work where it is stopped.
    """

    name: str
    home: str
    group: str
    summary: str
    if_stopped: str = ""


_START, _SEE, _FIND = "Start here", "See what happens in video", "Find clips by what happens"
_IMAGINE, _MAKE = "Imagine what happens next", "Make data and worlds"

_GOES_ON = "the same command goes on where it was"
_JOBS_GO_ON = "what it brought into the library stays; a job goes on when it is asked for again"

COMMANDS = (
    Entry("demo", "worldline.cli.demo:Demo", _START, "everything on real footage, as one page"),
    Entry("perceive", "worldline.cli.perceive:Perceive", _SEE, "objects, trajectories, events"),
    Entry("audit", "worldline.cli.audit:Audit", _SEE, "is it physics? a verdict per law"),
    Entry("predict", "worldline.cli.predict:Predict", _IMAGINE, "sampled futures, and their trust"),
    Entry("imagine", "worldline.cli.imagine:Imagine", _IMAGINE, "clips from a sentence alone"),
    Entry("surprise", "worldline.cli.surprise:Surprise", _IMAGINE, "how unexpected each frame is"),
    Entry("play", "worldline.cli.play:Play", _IMAGINE, "step into a world, in a browser"),
    Entry(
        "plan",
        "worldline.cli.plan:Plan",
        _IMAGINE,
        "reach goals by imagining what leads there",
        "rows that are told above were played to the end, nothing else is kept",
    ),
    Entry("info", "worldline.cli.info:Info", _IMAGINE, "what a world is: cost, metrics, limits"),
    Entry("ingest", "worldline.cli.ingest:Ingest", _FIND, "bring videos into a library", _GOES_ON),
    Entry("search", "worldline.cli.search:Search", _FIND, "ask it in words; hits say why"),
    Entry("eval", "worldline.cli.eval:Eval", _FIND, "how good it is, beside baselines"),
    Entry(
        "eval diff", "worldline.cli.eval_diff:EvalDiff", _FIND, "two results, by more than chance"
    ),
    Entry(
        "serve", "worldline.cli.serve:Serve", _FIND, "a library over HTTP, with a page", _JOBS_GO_ON
    ),
    Entry("sim make", "worldline.cli.sim_make:SimMake", _MAKE, "simulated clips with their truth"),
    Entry("record", "worldline.cli.record:Record", _MAKE, "a Gymnasium environment as a dataset"),
    Entry(
        "train", "worldline.cli.train:Train", _MAKE, "make a world by a recipe, resumable", _GOES_ON
    ),
    Entry("adapt", "worldline.cli.adapt:Adapt", _MAKE, "a controller for a world of bare video"),
    Entry(
        "distill",
        "worldline.cli.distill:Distill",
        _MAKE,
        "a flow world that needs fewer steps",
        _GOES_ON,
    ),
    Entry("export", "worldline.cli.export:Export", _MAKE, "a world as ONNX graphs"),
)
"""Every command, in the order of the help; adding one is adding a line."""

_TAKE_TEXT = ("search", "imagine", "plan", "sim make", "eval")
"""Commands whose own arguments are no paths; they say themselves what is wrong with them."""

_FOLDERS = ("--library", "--out", "--overlay")

EXAMPLE = """\
  worldline sim make drop collide --clips 4 --out clips
  worldline perceive clips/*.mp4 --json
  worldline predict clips/drop-0-0000.mp4 --horizon 24 --samples 8 --out futures"""


def help_text() -> str:
    """What `worldline --help` prints."""
    width = max(len(entry.name) for entry in COMMANDS)
    lines = [
        "usage: worldline COMMAND [ARGUMENTS]",
        "",
        "Learn how the world moves from video; perceive, predict, search and audit it.",
    ]
    for group in dict.fromkeys(entry.group for entry in COMMANDS):
        lines += ["", group]
        lines += [f"  {e.name:{width}}  {e.summary}" for e in COMMANDS if e.group == group]
    lines += ["", "Example", EXAMPLE, ""]
    lines += ["`worldline COMMAND --help` lists the arguments of a command; all of them take"]
    lines += ["--json (one JSON document on standard output) and --seed."]
    lines += ["Exit code: 0 success, 2 bad input, 1 a bug."]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: command line without the program's name; that of the process if absent.

    Returns:
        exit code: 0 success, 2 bad input, 130 interrupted, 141 nobody reads the output any more,
        143 asked to end.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    open_streams()
    try:
        with terminable():
            code = _dispatch(words)
            sys.stdout.flush()
            return code
    except (KeyboardInterrupt, Terminated) as stop:
        entry = _find(words)
        advice = f"; {entry.if_stopped}" if entry and entry.if_stopped else ""
        complain(f"worldline: stopped{advice}")
        return 130 if isinstance(stop, KeyboardInterrupt) else 143
    except BrokenPipeError:
        discard_output()
        return 141
    except OSError as error:  # out of printing the answer: commands see to their own files
        reason = (error.strerror or str(error)).lower()
        complain(f"worldline: error: standard output cannot be written ({reason}); redirect it")
        discard_output()
        return 2


def _dispatch(words: list[str]) -> int:
    if not words:
        print(help_text(), file=sys.stderr)
        return 2
    if words[0] in ("-h", "--help") or (_is_group(words[0]) and words[1:] in (["-h"], ["--help"])):
        print(help_text())
        return 0
    if words[0] == "--version":
        print(f"worldline {worldline.__version__}")
        return 0

    import tyro

    from worldline.cli.complaint import explain
    from worldline.cli.output import execute, print_error

    as_json = "--json" in words
    entry = _find(words)
    if entry is None:
        return print_error(_advice(words), as_json=as_json)
    num_words = len(entry.name.split())
    module, _, name = entry.home.partition(":")
    command_type = getattr(importlib.import_module(module), name)
    if complaint := _complain_of_empty(words[num_words:], entry, command_type):
        return print_error(complaint, as_json=as_json)
    prog = f"worldline {entry.name}"
    style = (
        tyro.conf.FlagCreatePairsOff,
        tyro.conf.EnumChoicesFromValues,
        tyro.conf.DisallowNone,
    )
    stderr = io.StringIO()
    try:
        with contextlib.redirect_stderr(stderr):
            command = tyro.cli(
                command_type,
                prog=prog,
                args=words[num_words:],
                config=style,
            )
    except SystemExit as stop:
        if not stop.code:
            return 0
        if sys.stderr.isatty():
            print(stderr.getvalue(), file=sys.stderr)
        reason = explain(stderr.getvalue(), words[num_words:])
        return print_error(f"{reason}; see `{prog} --help`", as_json=as_json)
    return execute(command)


def _complain_of_empty(words: Sequence[str], entry: Entry, command_type: Any) -> str:
    """What to say of an empty word, which `Path` would take for the current folder; mostly ""."""
    flags = {
        f"--{field.name.replace('_', '-')}"
        for field in fields(command_type)
        if field.type in ("JsonFlag", "bool")
    }
    for before, word in itertools.pairwise(["", *words]):
        option, equals, value = word.partition("=")
        if not word:
            option = "" if before in flags or "=" in before else before
        elif not equals or value:
            continue
        if option.startswith("--"):
            return f"{option} is empty; give {'a folder' if option in _FOLDERS else 'a value'}"
        if not word and entry.name not in _TAKE_TEXT:
            return "a path is empty; name a file or folder"
    return ""


def _is_group(word: str) -> bool:
    """Whether a word is the first of several commands, and none by itself."""
    names = [entry.name for entry in COMMANDS]
    return word not in names and any(name.startswith(f"{word} ") for name in names)


def _find(words: Sequence[str]) -> Entry | None:
    """The command that the words begin with; `eval diff` before `eval`."""
    found = [e for e in COMMANDS if list(words[: len(e.name.split())]) == e.name.split()]
    return max(found, key=lambda entry: len(entry.name.split()), default=None)


def _advice(words: Sequence[str]) -> str:
    members = [entry.name for entry in COMMANDS if entry.name.startswith(f"{words[0]} ")]
    if members:
        return f"`{words[0]}` needs one more word: {', '.join(members)}; see `worldline --help`"
    close = difflib.get_close_matches(words[0], [entry.name for entry in COMMANDS], n=1)
    guess = f"did you mean `{close[0]}`?" if close else "see `worldline --help`"
    return f"no command `{words[0]}`; {guess}"


if __name__ == "__main__":
    sys.exit(main())
