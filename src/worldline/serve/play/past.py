"""`Past`: what a player can go back to, in bounded memory, exact to the frame."""

from __future__ import annotations

from collections import deque
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch

from worldline.world.session import Session, Snapshot

__all__ = ["Past", "count_bytes"]

_MOST_REPLAY = 16
"""Frames that are made anew, at most, to get to a moment between two snapshots."""

Action = np.ndarray | None


class Past:
    """Snapshots of a session and the actions between them.

    A snapshot holds a cache of attention, some megabytes in a large world. When they become too
    many, every second one goes, and the frames between are made again from the actions when
    somebody goes back to one; the noise is part of a snapshot, so they come out the same. When even
    that takes too much, the oldest go.
    """

    def __init__(self, start: Snapshot, most_frames: int, most_bytes: int) -> None:
        """Begin.

        Args:
            start: the first moment.
            most_frames: that one can go back.
            most_bytes: for snapshots; the newest two are kept whatever they take.
        """
        self._most_frames, self._most_bytes = most_frames, most_bytes
        self._every = 1
        self._actions: deque[Action] = deque()
        self._marks: deque[tuple[int, Snapshot, int]] = deque()
        self._mark(start)

    @property
    def oldest(self) -> int:
        """Number of the oldest frame that one can go back to."""
        return self._marks[0][0]

    @property
    def num_bytes(self) -> int:
        """Memory of the snapshots."""
        return sum(size for _, _, size in self._marks)

    def add(self, action: Action, now: Snapshot) -> None:
        """A step was taken: its action, and the moment after it."""
        self._actions.append(action)
        if now.num_steps % self._every == 0:
            self._mark(now)

    def return_to(self, session: Session, frame: int) -> list[Action]:
        """Take a session back to a frame, and forget what came after it.

        Args:
            session: that this is the past of.
            frame: between `oldest` and now.

        Returns:
            the actions after that frame, which are undone.
        """
        while len(self._marks) > 1 and self._marks[-1][0] > frame:
            self._marks.pop()
        at, snapshot, _ = self._marks[-1]
        session.restore(snapshot)
        first = at - self.oldest
        actions = list(self._actions)
        for action in actions[first : first + frame - at]:
            session.step(action)
        kept = frame - self.oldest
        self._actions = deque(actions[:kept])
        return actions[kept:]

    def _mark(self, now: Snapshot) -> None:
        self._marks.append((now.num_steps, now, count_bytes(now)))
        while len(self._marks) > 2:
            is_far = now.num_steps - self._marks[1][0] >= self._most_frames
            if is_far or (self._is_full() and self._every >= _MOST_REPLAY):
                first = self._marks.popleft()[0]
                for _ in range(self.oldest - first):
                    self._actions.popleft()
            elif self._is_full():
                self._every *= 2
                first, *rest = self._marks
                self._marks = deque([first, *(m for m in rest if m[0] % self._every == 0)])
            else:
                break

    def _is_full(self) -> bool:
        return self.num_bytes > self._most_bytes


def count_bytes(value: Any) -> int:
    """Memory of the tensors and arrays in a value; frames that were shown are not counted, because
    snapshots share them."""
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().nbytes()
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(map(count_bytes, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(count_bytes, value))
    if is_dataclass(value):
        names = [item.name for item in fields(value) if item.name != "recent"]
        return sum(count_bytes(getattr(value, name)) for name in names)
    return 0
