"""What clips bring beside their frames, joined into arrays, with masks for what is absent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from worldline.core.camera import Camera
from worldline.core.errors import InputError
from worldline.core.readings import Readings
from worldline.core.rewards import Rewards
from worldline.core.scene import STATIC, Scene

__all__ = ["join_actions", "join_cameras", "join_rewards", "join_states", "touching"]


def join_actions(actions: Sequence[np.ndarray | None], clip_frames: int) -> dict[str, np.ndarray]:
    """The actions of all clips in one array, and which clips have any."""
    widths = {each.shape[1]: i for i, each in enumerate(actions) if each is not None}
    if len(widths) > 1:
        found = ", ".join(f"{width} in clip {i}" for width, i in widths.items())
        raise InputError(f"actions of different width: {found}; write them to different folders")
    joined = np.zeros((len(actions), clip_frames, max(widths, default=0)), np.float32)
    for i, each in enumerate(actions):
        if each is not None:
            joined[i] = each
    return {
        "actions": joined,
        "has_actions": np.array([each is not None for each in actions], dtype=bool),
    }


def join_rewards(rewards: Sequence[Rewards | None], clip_frames: int) -> dict[str, np.ndarray]:
    """What the actions of all clips earned and ended, and which clips tell; empty if none does."""
    if all(each is None for each in rewards):
        return {}
    earned = np.zeros((len(rewards), clip_frames), np.float32)
    ended = np.zeros(earned.shape, dtype=bool)
    for i, each in enumerate(rewards):
        if each is not None:
            earned[i], ended[i] = each.earned, each.ended
    has = np.array([each is not None for each in rewards], dtype=bool)
    return {"earned": earned, "ended": ended, "has_rewards": has}


def join_cameras(cameras: Sequence[Camera | None], clip_frames: int) -> dict[str, np.ndarray]:
    """Poses and focal lengths of all cameras, if there is any; NaN where a clip has none."""
    if all(camera is None for camera in cameras):
        return {}
    poses = np.full((len(cameras), clip_frames, 4, 4), np.nan, np.float32)
    ratio = np.full(len(cameras), np.nan, np.float32)
    for i, camera in enumerate(cameras):
        if camera is not None:
            poses[i] = camera.world_from_camera
            ratio[i] = camera.focal_px / camera.width_px
    return {"world_from_camera": poses, "focal_ratio": ratio}


def join_states(
    states: Sequence[Readings | None], clip_frames: int
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Names of all columns that any clip has, their values and which are known."""
    names = tuple(dict.fromkeys(name for each in states if each for name in each.names))
    if not names:
        return (), {}
    values = np.zeros((len(states), clip_frames, len(names)), np.float32)
    known = np.zeros(values.shape, dtype=bool)
    for i, each in enumerate(states):
        if each is not None:
            all_columns = each.columns(names)
            values[i], known[i] = all_columns.values, all_columns.known
    return names, {"state": values, "has_state": known}


def touching(scene: Scene, max_objects: int) -> Bool[np.ndarray, "t m m1"]:
    """Which objects touch around each frame: among each other, and in the last column what is
    static. A touch counts for the frames that it is nearest to or spans."""
    found = np.zeros((scene.num_frames, max_objects, max_objects + 1), dtype=bool)
    half_s = 0.5 * float(np.median(np.diff(scene.time_s))) if scene.num_frames > 1 else np.inf
    for contact in scene.contacts:
        near = scene.time_s >= contact.start_s - half_s
        near &= scene.time_s <= contact.end_s + half_s
        a = scene.index(contact.a)
        if contact.b == STATIC:
            found[near, a, max_objects] = True
        else:
            b = scene.index(contact.b)
            found[near, a, b] = found[near, b, a] = True
    return found
