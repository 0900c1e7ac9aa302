"""Where a session may begin: clips beside a world's weights, a clip, a scene, a sentence."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from worldline.core.clip import Clip
from worldline.core.errors import ArtifactError, InputError
from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Scene
from worldline.world.arguments import require_clip
from worldline.world.folders import OPENINGS, find_openings

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["as_clip", "load_openings", "save_openings"]

_SANDBOX = "worldline/Sandbox-v0"
"""The environment that can be set up."""

_ENDING = ".scene.json"


def save_openings(folder: str | Path, clips: Sequence[Clip]) -> Path:
    """Write short clips beside a world's weights, for sessions to begin with.

    Args:
        folder: of the saved world.
        clips: of one length, size and frame spacing; all with actions of one width, or none.

    Returns:
        the file that was written.

    Raises:
        InputError: no clips, or they differ in what they have to share.
    """
    if not clips:
        raise InputError("openings: there are no clips to save")
    if len({clip.frames.shape for clip in clips}) > 1:
        raise InputError("openings: clips must be of one length and size")
    given = [clip.actions for clip in clips if clip.actions is not None]
    if len(given) not in (0, len(clips)) or len({actions.shape for actions in given}) > 1:
        raise InputError("openings: all clips need actions of one width, or none of them any")
    steps = np.concatenate([np.diff(clip.time_s) for clip in clips])
    if not len(steps) or steps.max() - steps.min() > 0.5 * steps.min():
        raise InputError("openings: clips need two frames or more, all at one frame spacing")
    arrays: dict[str, Any] = {"frames": np.stack([clip.frames for clip in clips])}
    if given:
        arrays["actions"] = np.stack(given).astype(np.float32)
    arrays["step_s"] = np.float64(np.median(steps))
    arrays["origin"] = np.str_(str(clips[0].provenance.origin))
    file = Path(folder) / OPENINGS
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{OPENINGS}.partial")
    with partial.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    partial.replace(file)
    return file


def load_openings(name_or_folder: str | Path) -> list[Clip]:
    """The clips that sessions of a world may begin with.

    Args:
        name_or_folder: of a bundled world, or folder of a saved one.

    Raises:
        ArtifactError: there is no such world, it has no openings, or they are damaged.
    """
    file = find_openings(name_or_folder)
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(file, str(error)) from None
    return _to_clips(arrays, file, f"{Path(name_or_folder).name}/{OPENINGS}")


def as_clip(world: World, source: Clip | Scene | Path | str, context: int, seed: int) -> Clip:
    """What a session begins with, as a clip of `context` frames unless a clip is given.

    Args:
        world: of the session.
        source: a clip; a scene, or the path of one that was written as JSON; or a sentence (text
            that ends in ".scene.json" is a path). Worlds that learned from an environment which can
            be set up have it set up and filmed by the simulator; others imagine sentences, if they
            have learned to start from words.
        context: frames.
        seed: of what is imagined, or left open by a sentence.

    Raises:
        InputError: a world that can start from no such thing, or a source that is of no use.
    """
    if isinstance(source, Clip):
        return source
    if isinstance(source, Path) or (isinstance(source, str) and source.endswith(_ENDING)):
        source = Scene.read(source)
    environment = (world.calibration.get("play") or {}).get("environment")
    filmed = {"num_frames": context, "size_px": world.size_px, "step_s": world.step_s}
    if isinstance(source, Scene):
        if environment != _SANDBOX:
            raise InputError(
                f"a Scene says where things are and not what they look like, and the world "
                f"{world.name} knows no simulator that would draw it; give a Clip that shows them, "
                "such as one of worldline.sim.make_clip or Clip.read(video)"
            )
        return _sandbox().film_scene(source, **filmed)
    if not isinstance(source, str):
        require_clip(source)
    assert isinstance(source, str)
    if environment == _SANDBOX:
        sandbox = _sandbox()
        from worldline.sim.sandbox_words import read_sentence

        return sandbox.film_scene(read_sentence(source, seed, world.size_px), **filmed)
    if not getattr(world.dynamics, "can_start", False):
        raise InputError(
            f"a sentence begins sessions of the sandbox, which a simulator sets up, and of worlds "
            f"that learned to start from words; the world {world.name} is neither: leave --text "
            "out for its own openings, or give a clip"
        )
    made = world.imagine(source, horizon=context, samples=1, seed=seed)
    return Clip(frames=made.frames[0], time_s=made.time_s, provenance=made.provenance)


def _sandbox() -> ModuleType:
    """What sets the sandbox up; it needs Gymnasium, which playing from clips does not."""
    try:
        from worldline.sim import sandbox_scene
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("worldline"):
            raise
        raise InputError(
            f"setting up the sandbox needs {error.name}: pip install -e '.[record]' in Worldline's "
            "folder"
        ) from None
    return sandbox_scene


def _to_clips(arrays: dict[str, np.ndarray], file: Path, source: str) -> list[Clip]:
    frames, actions = arrays.get("frames"), arrays.get("actions")
    if frames is None or frames.dtype != np.uint8 or frames.ndim != 5 or frames.shape[-1] != 3:
        raise _damaged(file, "frames must be uint8 [N, K, h, w, 3]")
    if 0 in frames.shape:
        raise _damaged(file, "there is no clip in it")
    step = arrays.get("step_s")
    if step is None or step.shape != () or step.dtype.kind != "f" or not 0 < step < np.inf:
        raise _damaged(file, "step_s must be a positive number")
    if actions is not None:
        good = actions.dtype.kind == "f" and actions.ndim == 3
        if not good or actions.shape[:2] != frames.shape[:2] or not np.isfinite(actions).all():
            raise _damaged(file, "actions must be finite numbers [N, K, A]")
    try:
        origin = Origin(str(arrays.get("origin", Origin.RECORDED)))
    except ValueError as error:
        raise _damaged(file, str(error)) from None
    time_s = float(step) * np.arange(frames.shape[1])
    return [
        Clip(
            frames=clip,
            time_s=time_s,
            provenance=Provenance(origin, source, details=(("opening", str(number)),)),
            actions=None if actions is None else actions[number],
        )
        for number, clip in enumerate(frames)
    ]


def _damaged(file: Path, reason: str) -> ArtifactError:
    return ArtifactError(f"{file}: damaged openings ({' '.join(reason.split())})")
