"""What becomes of a key that is held down for seconds, as people hold keys.

Sessions begin with clips of held-out episodes and take one action for two seconds of the sandbox's
time. In truth the agent is at the picture's edge long before that, leans on it and stays in sight,
and the ground behind it is as plain as before. Where the clips tell their state, the environment
itself is played on from the same moment under the same action and goes through the same instrument,
for a body may stand in the way. Keys are written down by environment, beside the scripts that look
at a few frames (`worldline.audit.scripts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from worldline.audit.long_play import play_together
from worldline.audit.scripts import SANDBOX_COLORS, find_color
from worldline.core.clip import Clip
from worldline.world import World

__all__ = [
    "HELD",
    "HELD_STEPS",
    "HeldResult",
    "Key",
    "Keys",
    "hold_keys",
    "is_at_edge",
    "measure_grain",
]

Film = UInt8[np.ndarray, "t h w 3"]

HELD_STEPS = 30
"""Frames for which a key is held."""

_NEAR_EDGE = 0.1
"""Share of the side within which the middle of what leans on the edge lies."""
_PLAIN = 90
"""Summed difference of colours up to which a pixel is ground, grainy or not."""


@dataclass(frozen=True)
class Key:
    """One thing to hold: `name`, the `action` as the world takes it, and the edge where the agent
    ends: along `axis` of the picture (0 right, 1 down), at its beginning (0) or end (1)."""

    name: str
    action: tuple[float, ...]
    axis: int
    end: int


@dataclass(frozen=True)
class Keys:
    """What can be held in an environment.

    Attributes:
        keys: that are held.
        find: middle (x, y) of the agent in shares of the sides, None where it is not in sight.
        ground: the picture `[h, w, 3]` of these sides where nothing stands.
        replay: the frames `[n, h, w, 3]` that the environment shows where it goes on from the last
            of these frames of a clip under these actions `[n, A]`; None where the clip does not
            tell its state, or the environment is not installed.
    """

    keys: tuple[Key, ...]
    find: Callable[[UInt8[np.ndarray, "h w 3"]], Float[np.ndarray, " 2"] | None]
    ground: Callable[[int, int], UInt8[np.ndarray, "h w 3"]]
    replay: Callable[[Clip, Float32[np.ndarray, "n a"]], Film | None]


@dataclass(frozen=True, eq=False)
class HeldResult:
    """What was found for a key.

    Attributes:
        key: its name.
        stays: by name of a row, `[C]` of the openings: 1 where the agent is in sight at the edge
            after `HELD_STEPS` frames, else 0.
        grain: by name of a row, `[C]` levels of 255; see `measure_grain`.
    """

    key: str
    stays: Mapping[str, Float[np.ndarray, " c"]]
    grain: Mapping[str, Float[np.ndarray, " c"]]


def hold_keys(
    keys: Keys,
    worlds: Mapping[str, World],
    clips: Sequence[Clip],
    *,
    seed: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> list[HeldResult]:
    """Hold every key from the first frames of every clip on.

    Rows are the worlds', "persistence" (the last frame given, again and again), and "truth" where
    the environment can be played on from every clip.

    Args:
        keys: of the environment.
        worlds: by name of a row; all of one context.
        clips: whose first `context` frames are the openings.
        seed: of the worlds' noise.
        on_progress: told the share of the keys that is done.
    """
    context = next(iter(worlds.values())).context
    openings = [clip.slice(0, context) for clip in clips]
    last = np.stack([opening.frames[-1] for opening in openings])
    ground = keys.ground(*last.shape[1:3])
    found = []
    for key in keys.keys:
        given = np.tile(np.array(key.action, np.float32), (len(clips), HELD_STEPS, 1))
        ends = {name: _end(world, openings, given, seed) for name, world in worlds.items()}
        ends["persistence"] = last
        true = [keys.replay(opening, given[0]) for opening in openings]
        films = [film for film in true if film is not None]
        if len(films) == len(clips):
            ends["truth"] = np.stack([film[-1] for film in films])
        found.append(
            HeldResult(
                key.name,
                {
                    name: np.array([float(is_at_edge(each, keys, key)) for each in frames])
                    for name, frames in ends.items()
                },
                {
                    name: np.array([measure_grain(each, ground) for each in frames])
                    for name, frames in ends.items()
                },
            )
        )
        on_progress(len(found) / len(keys.keys))
    return found


def _end(
    world: World, openings: Sequence[Clip], given: Float32[np.ndarray, "c n a"], seed: int
) -> UInt8[np.ndarray, "c h w 3"]:
    """The last of the frames."""
    *_, last = play_together(world, openings, given, seed)
    return last


def is_at_edge(frame: UInt8[np.ndarray, "h w 3"], keys: Keys, key: Key) -> bool:
    """Whether the agent is in sight at the edge where the key leads."""
    place = keys.find(frame)
    return place is not None and bool(abs(place[key.axis] - key.end) < _NEAR_EDGE)


def measure_grain(frame: UInt8[np.ndarray, "h w 3"], ground: UInt8[np.ndarray, "h w 3"]) -> float:
    """Root mean square difference of a picture from the plain ground, in levels of 255, over pixels
    that are ground at all: none of their colours is far from it. Rims of bodies count a little, in
    true pictures too; 0 where no ground is to be seen."""
    apart = frame.astype(np.float64) - ground
    plain: Bool[np.ndarray, "h w"] = np.abs(apart).sum(axis=-1) < _PLAIN
    return float(np.sqrt(np.square(apart[plain]).mean())) if plain.any() else 0.0


_HAND_PX = 8 / 64**2
"""Least share of the picture that is a hand; a whole one has 38 of 64x64 pixels."""


def _find_hand(frame: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, " 2"] | None:
    """The sandbox's hand, open or shut; specks of its colour are none."""
    pixels = frame.astype(np.int16)
    apart = [np.abs(pixels - np.array(c)).sum(axis=-1) for c in SANDBOX_COLORS["hand"]]
    if (np.min(apart, axis=0) < _PLAIN).mean() < _HAND_PX:
        return None
    return find_color(frame, SANDBOX_COLORS["hand"])


_LINE = 0.7
"""Share of the sandbox's width from which on its ground is lighter."""


def _sandbox_ground(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    ground = np.full((height, width, 3), (34, 36, 44), np.uint8)
    ground[:, round(_LINE * width) :] = (52, 58, 70)
    return ground


def _replay_sandbox(clip: Clip, actions: Float32[np.ndarray, "n a"]) -> Film | None:
    """From positions of the last two frames, whose difference is the bodies' speed."""
    try:
        from worldline.sim.sandbox import RATE_HZ, SandboxEnv
    except ImportError:  # the extra `record`
        return None
    if clip.state is None or clip.num_frames < 2 or not clip.state.known[-2:].all():
        return None
    before, now = clip.state.values[-2:]
    speed = [*((now[:9] - before[:9]) * RATE_HZ), *now[11:13]]
    env = SandboxEnv(render_mode="rgb_array", size_px=clip.frames.shape[1])
    env.reset(seed=0, options={"state": np.array([*now[:11], *speed])})
    film = []
    for action in actions:
        env.step(action)
        film.append(env.render())
    return np.stack([frame for frame in film if frame is not None])


def _key(name: str, axis: int, end: int, column: int, sign: int) -> Key:
    action = [0.0, 0.0, -1.0]
    action[column] = float(sign)
    return Key(name, tuple(action), axis, end)


HELD: Mapping[str, Keys] = MappingProxyType(
    {
        "worldline/Sandbox-v0": Keys(
            (
                _key("right", 0, 1, 0, 1),
                _key("left", 0, 0, 0, -1),
                _key("up", 1, 0, 1, 1),
                _key("down", 1, 1, 1, -1),
            ),
            _find_hand,
            _sandbox_ground,
            _replay_sandbox,
        )
    }
)
"""By the id of the environment."""
