"""`worldline eval drift`: what becomes of a played world's frames in the long run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from worldline.cli.eval_suites import answer_alone, show
from worldline.cli.output import Answer
from worldline.core.errors import InputError

if TYPE_CHECKING:
    from worldline.cli.eval import Eval
    from worldline.core.clip import Clip

__all__ = ["evaluate", "show"]

_QUICK_MARKS = (1, 10, 30)


def evaluate(command: Eval, set_done: Callable[[float], None]) -> Answer:
    """Play on from held-out episodes of `--data`, or from the clips beside the world's weights.

    Raises:
        InputError: an option of another suite is given, or there is nothing to begin with.
    """
    from worldline.audit.held_out import held_out_clips
    from worldline.audit.straying import long_clips
    from worldline.audit.suites.drift import Settings, run_drift
    from worldline.audit.suites.runs import Run, RunSettings
    from worldline.data.recorded import Recorded, open_recording
    from worldline.world import World
    from worldline.world.openings import load_openings

    for name in ("model", "contexts", "videos"):
        if getattr(command, name) is not None:
            raise InputError(f"--{name}: is for suites of physics; drift takes --world alone")
    name = command.world or "sandbox"
    world = World.from_pretrained(name)
    begun = Run.begin(world.name, RunSettings(command.seed, command.quick))
    longer: list[Clip] = []
    if command.data is None:
        clips = load_openings(name)
        if not all(clip.num_frames > world.context for clip in clips):
            raise InputError(
                f"--world {name}: the clips beside it only show how to begin; give recorded "
                "episodes with --data, or a world to step into, such as sandbox, pusht or doom"
            )
    else:
        recording = open_recording(Recorded(folder=str(command.data)))
        size = {"size_px": world.size_px, "context": world.context}
        clips = held_out_clips(recording, **size, seed=command.seed)
        longer = long_clips(recording, world, seed=command.seed)
    settings = Settings(seed=command.seed)
    if command.quick:
        settings = Settings(seed=command.seed, num_clips=2, marks=_QUICK_MARKS, num_judged=2)
    result = run_drift(world, clips, settings, longer=longer, on_progress=set_done)
    return answer_alone(command, begun, result)
