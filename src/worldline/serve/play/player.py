"""`Player`: one person's session in a world, and what is done with it. Knows nothing of sockets."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.provenance import Origin, Provenance
from worldline.readout.overlay import line_color
from worldline.serve.play.config import PlayConfig
from worldline.serve.play.pad import Pad
from worldline.serve.play.past import Past
from worldline.serve.play.pictures import Shown
from worldline.world import World
from worldline.world.session import Session

__all__ = ["Film", "Player", "look_back"]

_GAP_PX = 4
"""Between the two pictures of a fork in a recording."""

_LINES_S = 2.0
"""World lines go back so far."""


@dataclass(frozen=True, eq=False)
class Film:
    """A recording that is over.

    Attributes:
        frames: in order.
        fps: frames per second, as the world counts time.
        provenance: generated, by which world, from what.
    """

    frames: Sequence[UInt8[np.ndarray, "h w 3"]]
    fps: float
    provenance: Provenance


class Player:
    """A session with its past, at most one fork beside it, and at most one recording.

    One thread at a time calls it. `action` alone may be set at any time.

    Attributes:
        action: that the next frame takes.
        rest: the action while nobody touches anything.
        pad: how the world is played.
        seed: of the session.
    """

    def __init__(
        self, world: World, openings: Sequence[Clip], config: PlayConfig, seed: int
    ) -> None:
        self._world, self._openings, self._config = world, openings, config
        self.pad = Pad.of(world.calibration, world.action_size)
        self._tells_rewards = world.reward is not None
        self._film: list[np.ndarray] | None = None
        self._begin(seed)

    def _begin(self, seed: int) -> None:
        self.seed = seed
        number = int(np.random.default_rng(seed).integers(len(self._openings)))
        opening = self._openings[number]
        before = None
        if opening.actions is not None and self._world.action_size:
            before = opening.actions[-1].astype(np.float32)
        self.action: Float32[np.ndarray, " a"] | None = self.pad.rest(before)
        self.rest = self.action
        self._source = opening.provenance.source
        self._session = self._world.open(opening, seed=seed)
        config = self._config
        start = self._session.snapshot()
        self._past = Past(start, config.max_rewind, config.rewind_mb * 2**20)
        self._undone: deque[np.ndarray | None] = deque()
        self._taken = self.action
        self._twin: Session | None = None
        self._script: deque[np.ndarray | None] = deque()
        self._twin_action = self.action

    @property
    def frame(self) -> int:
        """Number of the newest frame."""
        return self._session.num_steps

    @property
    def is_forked(self) -> bool:
        """There is a second pane."""
        return self._twin is not None

    @property
    def is_recording(self) -> bool:
        """A recording goes on."""
        return self._film is not None

    def show(self, *, step_s: float = math.nan, is_cut: bool = False) -> Shown:
        """The newest frame."""
        sessions = [self._session] + ([] if self._twin is None else [self._twin])
        actions = [action for action in (self._taken, self._twin_action) if action is not None]
        return Shown(
            frame=self.frame,
            oldest=self._past.oldest,
            pictures=[session.snapshot().recent[-1].frame for session in sessions],
            actions=actions[: len(sessions)],
            step_s=step_s,
            reward=self._session.reward if self._tells_rewards else math.nan,
            end=self._session.end if self._tells_rewards else math.nan,
            is_recording=self.is_recording,
            is_cut=is_cut,
        )

    def advance(self) -> Shown:
        """Make the next frame, with the newest action."""
        started = time.perf_counter()
        self._taken = self.action
        self._session.step(self._taken)
        self._past.add(self._taken, self._session.snapshot())
        if self._undone:
            self._undone.popleft()
        if self._twin is not None:
            if self._script:
                self._twin_action = self._script.popleft()
            self._twin.step(self._twin_action)
        shown = self.show(step_s=time.perf_counter() - started)
        if self._film is not None:
            self._film.append(_side_by_side(shown.pictures))
        return shown

    @property
    def is_film_full(self) -> bool:
        """A recording has become as long as one may be."""
        return self._film is not None and len(self._film) >= self._config.max_film

    def rewind(self, frames: int) -> Shown:
        """Go back so many frames, or as far as one can; a fork ends."""
        self.join()
        target = max(self._past.oldest, self.frame - frames)
        undone = self._past.return_to(self._session, target)
        self._undone = deque([*undone, *self._undone])
        last = self._session.snapshot().recent[-1].action
        self._taken = self.rest if last is None else np.asarray(last, dtype=np.float32)
        return self.show(is_cut=True)

    def fork(self, other: str) -> Shown:
        """Begin a second pane from this moment, with the same noise to come.

        Args:
            other: `old` for the actions that were taken after this moment before it was rewound to,
                then the last of them (or the present one) held; `none` for none.
        """
        self._twin = self._session.fork()
        self._script = deque(self._undone) if other == "old" else deque()
        self._twin_action = self._taken if other == "old" else self.rest
        return self.show()

    def join(self) -> None:
        """End the second pane, if there is one."""
        if self._twin is not None:
            self._twin.close()
            self._twin = None

    def restart(self, seed: int | None) -> Shown:
        """Begin anew: another opening, other noise. Without a seed the next one."""
        self.close()
        self._begin(self.seed + 1 if seed is None else seed)
        return self.show(is_cut=True)

    def record(self) -> None:
        """Begin a recording. Raises `InputError` where one goes on."""
        if self._film is not None:
            raise InputError("a recording goes on already")
        self._film = []

    def cut(self) -> Film | None:
        """End the recording. None where there is none, or nothing on it."""
        film, self._film = self._film, None
        if not film:
            return None
        made = Provenance(
            Origin.GENERATED,
            self._source,
            f"worldline world {self._world.name}",
            self.seed,
            details=(("made_by", "worldline play"),),
        )
        return Film(film, 1 / self._world.step_s, made)

    def glance(self) -> Session:
        """The session as it is now, to be looked at elsewhere while this one goes on."""
        return self._session.fork()

    def close(self) -> None:
        """End the session; a second time does nothing."""
        self.join()
        self._session.close()


def look_back(session: Session) -> dict[str, Any]:
    """Trust in the last frames and the world lines in them, as it is sent.

    Points are (x, y) in shares of the picture's sides, null where a body was not seen.
    """
    trust, reason = session.judge()
    scene = session.state()
    recent = scene.time_s >= scene.time_s[-1] - _LINES_S - 1e-9
    size = np.array([scene.width_px, scene.height_px])
    lines = []
    for row in range(scene.num_objects):
        points = scene.center_px[row, recent] / size
        there = scene.present[row, recent] & np.isfinite(points).all(axis=1)
        if not there.any():
            continue
        lines.append(
            {
                "id": int(scene.ids[row]),
                "color": list(line_color(int(scene.ids[row]))),
                "points": [
                    point.round(4).tolist() if seen else None
                    for point, seen in zip(points, there, strict=True)
                ],
            }
        )
    return {"frame": session.num_steps, "trust": trust, "reason": reason, "lines": lines}


def _side_by_side(pictures: Sequence[UInt8[np.ndarray, "h w 3"]]) -> UInt8[np.ndarray, "h wide 3"]:
    if len(pictures) == 1:
        return pictures[0]
    gap = np.zeros((pictures[0].shape[0], _GAP_PX, 3), np.uint8)
    return np.concatenate([pictures[0], gap, pictures[1]], axis=1)
