"""Episodes: what was seen and done from a start to an end, and those that cannot be used."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8

from worldline.core.camera import Camera
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.provenance import Provenance
from worldline.core.readings import Readings
from worldline.core.rewards import Rewards
from worldline.data.actions import ACTION_DETAIL, ActionSpec

__all__ = ["Episode", "EpisodeError", "FieldError", "OnReject", "Quarantine", "reject"]


class FieldError(ValueError):
    """What is wrong with one field of an episode; whoever reads the episode says which one it is.

    Attributes:
        field: such as "actions".
        reason: in a few words.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field} {reason}")


class EpisodeError(InputError):
    """An episode that cannot be used.

    Attributes:
        source: dataset, file or environment.
        episode: its number or name there.
        field: what of it is at fault.
        reason: in a few words.
    """

    def __init__(self, source: str, episode: str | int, field: str, reason: str) -> None:
        self.source, self.episode = source, str(episode)
        self.field, self.reason = field, reason
        super().__init__(f"{source}: episode {episode}: {field} {reason}")


OnReject = Callable[[EpisodeError], None]
"""Called with each episode that is left out."""


def reject(error: EpisodeError, *, strict: bool, on_reject: OnReject | None) -> None:
    """Deal with an episode that cannot be used: raise if `strict`, else tell `on_reject`.

    Where nobody listens it becomes a warning, so that nothing is ever left out in silence.
    """
    if strict:
        raise error
    if on_reject is None:
        warnings.warn(f"left out: {error}", stacklevel=3)
    else:
        on_reject(error)


class Quarantine:
    """Keeps the errors of episodes that were left out; to be given as `on_reject`."""

    def __init__(self) -> None:
        self.errors: list[EpisodeError] = []

    def __call__(self, error: EpisodeError) -> None:
        """Take one more."""
        self.errors.append(error)

    @property
    def num(self) -> int:
        """Episodes left out so far."""
        return len(self.errors)

    def to_json(self) -> dict[str, Any]:
        """`{"num": n, "fields": {field: n}, "episodes": [{"source", "episode", "field", ...}]}`."""
        names = ("source", "episode", "field", "reason")
        return {
            "num": self.num,
            "fields": dict(Counter(error.field for error in self.errors)),
            "episodes": [{name: getattr(error, name) for name in names} for error in self.errors],
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Episode:
    """T frames, and the action taken in each of them.

    Action t is taken when frame t is seen and acts until frame t + 1, as in `Clip`. So the last
    action's effect lies after the last frame: whoever records an episode stores no frame without
    an action.

    Attributes:
        frames: `[T, H, W, 3]` RGB.
        time_s: `[T]` increasing.
        spec: what the actions mean; None where there are none.
        actions: `[T, A]` float32, or `[T, D]` int64 numbers of choices, counted from 0.
        rewards: `[T]` what action t earned; None where there are none.
        terminated: the last action ended the task.
        truncated: the recording was cut off after the last action.
        state: `[T, S]` observation beside the frame, None where there is none that is a vector.
        state_names: what its S columns are called; `state_0` and so on if empty.
        camera: that took the frames, where it is known: of one pose or of T.
        task: one sentence.
        provenance: where it comes from.

    Raises:
        FieldError: lengths differ, actions are not finite or out of range.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    time_s: Float[np.ndarray, " t"]
    spec: ActionSpec | None = None
    actions: Float32[np.ndarray, "t a"] | Int64[np.ndarray, "t d"] | None = None
    rewards: Float32[np.ndarray, " t"] | None = None
    terminated: bool = False
    truncated: bool = False
    state: Float32[np.ndarray, "t s"] | None = None
    state_names: tuple[str, ...] = ()
    camera: Camera | None = None
    task: str = ""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        num = len(self.frames)
        if num == 0:
            raise FieldError("frames", "are missing")
        for name in ("time_s", "actions", "rewards", "state"):
            array = getattr(self, name)
            if array is None:
                continue
            if len(array) != num:
                raise FieldError(name, f"has {len(array)} rows, but there are {num} frames")
            bad = ~np.isfinite(array).reshape(num, -1).all(axis=1)
            if bad.any():
                raise FieldError(name, f"is not finite (NaN or infinite) at row {bad.argmax()}")
        if self.state_names and (
            self.state is None or len(self.state_names) != self.state.shape[1]
        ):
            raise FieldError("state", f"does not have the {len(self.state_names)} columns named")
        if len(set(self.state_names)) != len(self.state_names):
            raise FieldError("state", "has two columns of one name")
        if self.camera is not None and len(self.camera.world_from_camera) not in (1, num):
            poses = len(self.camera.world_from_camera)
            raise FieldError("camera", f"has {poses} poses, but there are {num} frames")
        if (np.diff(self.time_s) <= 0).any():
            raise FieldError("time_s", "does not increase from frame to frame")
        if (self.spec is None) != (self.actions is None):
            raise FieldError("actions", "and what they mean must come together")
        if self.spec is not None and self.actions is not None:
            _check_actions(self.spec, self.actions)

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.frames)

    @property
    def fps(self) -> float:
        """Frame rate by the median step; 0 for a single frame."""
        return 1.0 / float(np.median(np.diff(self.time_s))) if self.num_frames > 1 else 0.0

    def to_clip(self) -> Clip:
        """Everything as a `Clip`; discrete actions become one-hot vectors.

        What the columns mean goes into the provenance, as the detail "actions".
        """
        provenance = self.provenance
        actions = None
        if self.spec is not None and self.actions is not None:
            actions = self.spec.vectors(self.actions)
            details = {**dict(provenance.details), ACTION_DETAIL: self.spec.to_text()}
            provenance = replace(provenance, details=tuple(sorted(details.items())))
        state = None
        if self.state is not None:
            names = self.state_names or tuple(f"state_{i}" for i in range(self.state.shape[1]))
            state = Readings(names, self.state, np.ones(self.state.shape, dtype=bool))
        rewards = None
        if self.rewards is not None:
            ended = np.zeros(self.num_frames, dtype=bool)
            ended[-1] = self.terminated
            rewards = Rewards(self.rewards, ended)
        return Clip(
            frames=self.frames,
            time_s=self.time_s.astype(np.float64),
            provenance=provenance,
            actions=actions,
            rewards=rewards,
            camera=self.camera,
            state=state,
            caption=self.task,
        )


def _check_actions(spec: ActionSpec, actions: np.ndarray) -> None:
    if actions.ndim != 2 or actions.shape[1] != spec.num_columns:
        found = actions.shape[1] if actions.ndim == 2 else 0
        raise FieldError("actions", f"has {found} columns, expected {spec.num_columns}")
    if spec.is_discrete:
        if actions.dtype != np.int64:
            raise FieldError("actions", f"is {actions.dtype}, expected int64 for choices")
        beyond = (actions < 0) | (actions >= np.asarray(spec.num_actions))
        if beyond.any():
            row, column = np.argwhere(beyond)[0]
            most = spec.num_actions[column] - 1
            raise FieldError(
                "actions", f"is {actions[row, column]} at row {row}, expected 0 to {most}"
            )
    elif actions.dtype != np.float32:
        raise FieldError("actions", f"is {actions.dtype}, expected float32")
