"""`worldline eval control`: whether a world that takes actions follows them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from worldline.cli.eval_suites import answer_alone, show
from worldline.cli.output import Answer
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from worldline.audit.inverse import InverseModel
    from worldline.cli.eval import Eval
    from worldline.core.clip import Clip
    from worldline.world import World

__all__ = ["evaluate", "show"]

_MOST_INVERSE = 200
_QUICK = 4

_READING, _FITTING = 0.05, 0.3
"""About how far the run is when the clips are read, and when the inverse model is fitted."""


def evaluate(command: Eval, set_done: Callable[[float], None]) -> Answer:
    """Measure on held-out episodes of `--data`, or on the clips beside the world's weights.

    A quick run reads no actions off the frames: an inverse model takes most of the time to fit, and
    one that is fitted less tells nothing.

    Raises:
        InputError: an option of another suite is given, the world takes no actions, or there is
            nothing to measure on.
    """
    from worldline.audit.suites.control import Settings, run_control
    from worldline.audit.suites.running import part
    from worldline.audit.suites.runs import Run, RunSettings
    from worldline.world import World

    for name in ("model", "contexts", "videos"):
        if getattr(command, name) is not None:
            raise InputError(f"--{name}: is for suites of physics; control takes --world alone")
    name = command.world or "sandbox"
    world = World.from_pretrained(name)
    if not world.action_size:
        raise InputError(f"the world {world.name} takes no actions; name another with --world")
    begun = Run.begin(world.name, RunSettings(command.seed, command.quick))
    set_done(0.0)
    judged, inverse = _open(command, world, name, set_done)
    if command.quick:
        judged = judged[:_QUICK]
    result = run_control(
        world,
        judged,
        Settings(seed=command.seed),
        inverse=inverse,
        on_progress=part(set_done, _FITTING, 1.0),
    )
    return answer_alone(command, begun, result)


def _open(
    command: Eval, world: World, name: str, set_done: Callable[[float], None]
) -> tuple[list[Clip], InverseModel | None]:
    """What is measured on, and an inverse model that was fitted to other clips."""
    from worldline.audit.held_out import held_out_clips
    from worldline.audit.inverse import fit_inverse
    from worldline.audit.suites.running import part
    from worldline.data.recorded import Recorded, open_recording
    from worldline.world.openings import load_openings

    told = world.calibration.get("actions") or {}
    discrete = bool(told.get("num_actions"))
    if command.data is not None:
        recording = open_recording(Recorded(folder=str(command.data)))
        if recording.action_size != world.action_size:
            raise InputError(
                f"--data {command.data}: actions of {recording.action_size} numbers, but "
                f"{world.name} takes {world.action_size}"
            )
        judged = held_out_clips(
            recording, size_px=world.size_px, context=world.context, seed=command.seed
        )
        learned = list(islice(recording.clips(world.size_px, held_out=False), _MOST_INVERSE))
    else:
        clips = load_openings(name)
        judged, learned = clips[: len(clips) // 2], clips[len(clips) // 2 :]
    set_done(_READING)
    if command.quick:
        return judged, None
    return judged, fit_inverse(
        learned,
        is_discrete=discrete,
        seed=command.seed,
        on_progress=part(set_done, _READING, _FITTING),
    )
