"""Recorded episodes as a set of training clips: what was played, not what was simulated for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from worldline.core.clip import Clip
from worldline.core.config import Config, register
from worldline.core.errors import InputError
from worldline.data.actions import ActionSpec
from worldline.data.episode import Episode, Quarantine
from worldline.data.folder import read_folder
from worldline.data.lerobot import read_lerobot
from worldline.data.lerobot_layout import INFO_PATH, UNFINISHED, is_unfinished
from worldline.data.shards import Shards, write_shards
from worldline.data.symmetry import NUM_SYMMETRIES, images_of
from worldline.data.windows import count_windows, cut_windows, mark_changes

__all__ = ["Recorded", "Recording", "open_recording"]


@register("data/recorded", version=2, upgrades={1: {"images": 1}})
@dataclass(frozen=True)
class Recorded(Config):
    """Episodes of a LeRobot dataset (as `worldline record` writes it), or of a folder of videos
    with their tables of actions.

    The last episodes are held out: they calibrate and judge the world, and never train it.

    Attributes:
        name: of the set and of its folder in a run.
        folder: the dataset.
        num_frames: of each clip.
        stride: frames from the start of a clip to that of the next.
        fps: frame rate of the clips; the episodes' own if 0.
        held_out: share of the episodes that is not trained on.
        images: so many of the eight that quarter turns and a mirror make of each training clip,
            itself included; see `worldline.data.symmetry`.
    """

    name: str = "data"
    folder: str = ""
    num_frames: int = 32
    stride: int = 24
    fps: float = 0.0
    held_out: float = 0.1
    images: int = 1

    def __post_init__(self) -> None:
        if self.num_frames < 4 or self.stride < 1 or not self.fps >= 0:
            raise ValueError(
                f"data {self.name}: num_frames is {self.num_frames}, stride {self.stride} and fps "
                f"{self.fps}; at least 4, 1 and 0 are needed"
            )
        if not 0 < self.held_out < 1:
            raise ValueError(f"data {self.name}: held_out is {self.held_out}, not between 0 and 1")
        if not 1 <= self.images <= NUM_SYMMETRIES:
            raise ValueError(
                f"data {self.name}: images is {self.images}; a clip has 1 to {NUM_SYMMETRIES}"
            )


@dataclass(frozen=True, eq=False)
class Recording:
    """A dataset, looked through once.

    Attributes:
        config: where it lies and how it is cut.
        spec: what its actions mean, limits measured where none were stated; None without actions.
        fps: frame rate of the clips.
        num_episodes, num_held_out: that can be used, and how many of them, at the end, are held
            out.
        has_rewards: every episode tells what it earned.
        has_ends: some episode was ended by its task, not cut off.
        most_reward: size of the largest reward, either way; 0 where none is told.
        left_out: episodes that cannot be used, and why.
        times_s: time stamps of each episode.
        places: where each lies among all episodes, those that cannot be used included.
        state_names: of the columns of the state that every episode has.
    """

    config: Recorded
    spec: ActionSpec | None
    fps: float
    num_episodes: int
    num_held_out: int
    has_rewards: bool
    most_reward: float
    left_out: Quarantine
    times_s: tuple[Float[np.ndarray, " _"], ...] = field(repr=False)
    places: tuple[int, ...] = field(repr=False)
    state_names: tuple[str, ...] = ()
    has_ends: bool = False

    @property
    def tells_rewards(self) -> bool:
        """Whether there is anything to learn of them: a reward other than 0, or an end."""
        return self.has_rewards and (self.most_reward > 0 or self.has_ends)

    @property
    def action_size(self) -> int:
        """Numbers of an action as a world takes it."""
        return 0 if self.spec is None else self.spec.width

    def clips(
        self,
        size_px: int,
        *,
        held_out: bool,
        num_frames: int | None = None,
        most_episodes: int | None = None,
    ) -> Iterator[Clip]:
        """Clips `[T, size_px, size_px]` with actions in [-1, 1] or one-hot.

        Args:
            size_px: side of the frames.
            held_out: of the episodes that are held out, else of the others.
            num_frames: T, instead of the config's; held-out clips do not overlap.
            most_episodes: of the first so many of these episodes alone; all if absent.

        Every episode's last frames are in one of them, since that is where goals are reached.
        """
        config, first = self.config, self.num_episodes - self.num_held_out
        start, stop = (first, self.num_episodes) if held_out else (0, first)
        if most_episodes is not None:
            stop = min(stop, start + most_episodes)

        def chosen() -> Iterator[Episode]:
            if not _is_lerobot(config.folder):
                return islice(_episodes(config.folder, Quarantine()), start, stop)
            place = self.places[start]  # what lies before it is not even decoded
            return islice(_episodes(config.folder, Quarantine(), place), stop - start)

        frames = num_frames or config.num_frames
        for clip in cut_windows(
            chosen(),
            num_frames=frames,
            size_px=size_px,
            step_s=1 / config.fps if config.fps else None,
            stride=frames if held_out else config.stride,
            leftover="start" if held_out else "none",
            on_reject=Quarantine(),
        ):
            if clip.actions is not None and self.spec is not None:
                clip = replace(clip, actions=self.spec.normalised(clip.actions))
            yield clip

    def write(
        self, folder: Path, size_px: int, on_clip: Callable[[int, int], None] | None = None
    ) -> Shards:
        """Training clips as shards; those that are there already are kept.

        Raises:
            InputError: no clip is long enough, or the folder holds other data.
        """
        source = {
            "recorded": _fingerprint(Path(self.config.folder)),
            "size_px": size_px,
            "leftover": "none",
            **{
                key: getattr(self.config, key)
                for key in ("num_frames", "stride", "fps", "held_out")
            },
            # shards that were written before there were images are good still
            **({"images": self.config.images} if self.config.images > 1 else {}),
        }
        if (folder / "index.json").is_file():
            return write_shards(folder, iter(()), num_clips=0, recipe=source)
        config = self.config
        num = sum(
            count_windows(
                time_s,
                num_frames=config.num_frames,
                step_s=1 / config.fps if config.fps else None,
                stride=config.stride,
                leftover="none",
            )
            for time_s in self.times_s[: self.num_episodes - self.num_held_out]
        )
        if num == 0:
            raise InputError(
                f"{self.config.folder}: no episode has {self.config.num_frames} frames to train on"
            )

        num *= config.images
        rng = np.random.default_rng(0)

        def told() -> Iterator[Clip]:
            done = 0
            for clip in self.clips(size_px, held_out=False):
                for each in self._images(clip, rng):
                    yield mark_changes(each)
                    done += 1
                    if on_clip is not None:
                        on_clip(done, num)

        return write_shards(folder, told(), num_clips=num, recipe=source)

    def _images(self, clip: Clip, rng: np.random.Generator) -> Iterator[Clip]:
        """Raises `InputError` where clips without actions are to be turned."""
        if self.config.images == 1:
            yield clip
            return
        if self.spec is None:
            raise InputError(f"{self.config.folder}: clips without actions cannot be turned")
        yield from images_of(clip, self.spec, self.config.images, rng)


def open_recording(config: Recorded) -> Recording:
    """Look through a dataset; one that has been looked through and has not changed is remembered.

    Raises:
        InputError: there is none, it has fewer than two usable episodes, or they disagree about
            what their actions are.
    """
    folder = Path(config.folder)
    key = config, _fingerprint(folder) if folder.is_dir() else ""
    if key not in _KNOWN:
        found = _look_through(config)
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[key] = found
    return _KNOWN[key]


_MOST_KNOWN = 8
_KNOWN: dict[tuple[Recorded, str], Recording] = {}
"""What has been looked through: a training asks for its recording once per stage and more."""


def _look_through(config: Recorded) -> Recording:
    left_out = Quarantine()
    spec: ActionSpec | None = None
    num, rates, rewards, most = 0, [], [], 0.0
    times_s, places = [], []
    columns: list[tuple[str, ...]] = []
    low, high = np.inf, -np.inf
    has_ends = False
    for episode in _episodes(config.folder, left_out):
        if num and (spec is None) != (episode.spec is None):
            raise InputError(f"{config.folder}: some episodes have actions and others have none")
        if (
            num
            and spec is not None
            and episode.spec is not None
            and spec.names != episode.spec.names
        ):
            raise InputError(
                f"{config.folder}: actions are {', '.join(spec.names)} in one episode and "
                f"{', '.join(episode.spec.names)} in another"
            )
        spec = spec or episode.spec
        places.append(num + left_out.num)
        times_s.append(episode.time_s)
        num += 1
        rates.append(episode.fps)
        columns.append(() if episode.state is None else episode.state_names)
        rewards.append(episode.rewards is not None)
        has_ends |= episode.terminated
        if episode.rewards is not None and len(episode.rewards):
            most = max(most, float(np.abs(episode.rewards).max()))
        if episode.actions is not None:
            low = np.minimum(low, episode.actions.min(axis=0))
            high = np.maximum(high, episode.actions.max(axis=0))
    if num < 2:
        raise InputError(
            f"{config.folder}: {num} usable episodes; at least 2 are needed, one to train on and "
            f"one to judge by ({left_out.num} were left out)"
        )
    if spec is not None and not spec.is_discrete and not spec.low:
        low, high = np.atleast_1d(low), np.atleast_1d(high)
        high = np.where(high > low, high, low + 1.0)
        spec = replace(spec, low=tuple(map(float, low)), high=tuple(map(float, high)))
    return Recording(
        config=config,
        spec=spec,
        fps=config.fps or float(np.median(rates)),
        num_episodes=num,
        num_held_out=min(num - 1, max(1, round(config.held_out * num))),
        has_rewards=all(rewards),
        most_reward=most,
        left_out=left_out,
        times_s=tuple(times_s),
        places=tuple(places),
        state_names=tuple(name for name in columns[0] if all(name in each for each in columns)),
        has_ends=has_ends,
    )


def _episodes(folder: str, left_out: Quarantine, start: int = 0) -> Iterator[Episode]:
    """All of them; of a LeRobot dataset from a place on."""
    place = Path(folder)
    if not place.exists():
        raise InputError(f"{folder}: no such dataset; record one with worldline record")
    if is_unfinished(place):
        raise InputError(f"{folder}: {UNFINISHED}")
    if _is_lerobot(folder):
        return read_lerobot(place, strict=False, on_reject=left_out, start=start)
    return read_folder(place, strict=False, on_reject=left_out)


def _is_lerobot(folder: str) -> bool:
    return (Path(folder) / INFO_PATH).is_file()


def _fingerprint(folder: Path) -> str:
    """Hash of the names and sizes of a dataset's files, and of what its index says."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
    index: Any = folder / INFO_PATH
    if index.is_file():
        digest.update(index.read_bytes())
    return digest.hexdigest()[:16]
