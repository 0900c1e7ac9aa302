"""Does a policy that is good in an imagined environment do well in the real one?

    OMP_NUM_THREADS=1 python benchmarks/agents.py [--game sandbox|pusht] [--world NAME]
        [--episodes 24] [--starts openings|resets] [--steps 60] [--record agents]

Six policies that see pixels alone play in an environment and in the world that learned it: one goes
behind what is to be moved and pushes it (in the sandbox to the right, in PushT to the goal), and
does something random instead in 0, 20, 40, 60, 80 or all of 100 moments. Printed are the mean
returns in both, and Spearman's rank and Pearson's correlation of the six, with bootstrap intervals
over episodes. Besides the rewards that are told, returns are read off the pictures: how many more
bodies are behind the line at the end and how far to the right they went, or how much of the goal is
covered; and how much of what is to be moved is still there at the end.
Imagined episodes begin with the clips beside the world's weights, or, with `--starts resets`, with
what the environment shows for some moments after a reset in which nothing is done, the same for
both; what is played out then differs by the world alone. PushT needs gym-pusht.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import gymnasium
import numpy as np
from record import write_record
from scipy.stats import spearmanr

from worldline.audit.scripts import SANDBOX_COLORS
from worldline.core.clip import Clip
from worldline.world.env import WorldEnv

_BODIES = [colors for name, colors in SANDBOX_COLORS.items() if name != "hand"]
_NEAR = 90.0
"""Summed difference of colours up to which a pixel belongs to a body."""


def find(frame: np.ndarray, *colors: tuple[int, int, int]) -> np.ndarray | None:
    """Middle (right, up) in [0, 1] of what has one of these colours."""
    pixels = frame.astype(np.int16)
    mask = np.zeros(frame.shape[:2], bool)
    for color in colors:
        mask |= np.abs(pixels - color).sum(axis=-1) < _NEAR
    if mask.sum() < 3:
        return None
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean(), len(frame) - 1 - rows.mean()]) / len(frame)


class Pusher:
    """Pushes what is not put away to the right; now and then it does something random."""

    def __init__(self, chance: float, seed: int) -> None:
        self.chance, self.rng = chance, np.random.default_rng(seed)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        wild = np.append(self.rng.uniform(-1, 1, 2), -1.0).astype(np.float32)
        if self.rng.random() < self.chance:
            return wild
        hand = find(frame, *SANDBOX_COLORS["hand"])
        bodies = [find(frame, *colors) for colors in _BODIES]
        left = [body for body in bodies if body is not None and body[0] < 0.7]
        if hand is None or not left:
            return np.array([0.0, 0.0, -1.0], np.float32)
        body = max(left, key=lambda place: place[0])
        behind = hand[0] < body[0] - 0.08
        goal = (
            np.array([0.85, body[1]])
            if behind and abs(hand[1] - body[1]) < 0.08
            else np.array([max(body[0] - 0.16, 0.06), body[1] if behind else 0.5])
        )
        way = (goal - hand) * 6.0
        return np.append(way.clip(-1, 1), -1.0).astype(np.float32)


class Mover:
    """Goes to where the block is between it and the goal, then through it; now and then it points
    anywhere."""

    def __init__(self, chance: float, seed: int) -> None:
        self.chance, self.rng = chance, np.random.default_rng(seed)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        wild = self.rng.uniform(0, 512, 2).astype(np.float32)
        if self.rng.random() < self.chance:
            return wild
        pixels = frame.astype(np.int16)
        rows, columns = np.nonzero(np.abs(pixels - _BLOCK).sum(axis=-1) < 45)
        blue = pixels[..., 2] - pixels[..., :2].mean(axis=-1) > 45
        if len(rows) < 3 or blue.sum() < 2:
            return np.array([256.0, 256.0], np.float32)
        block = np.array([np.median(columns), np.median(rows)]) / len(frame)
        agent = np.array([np.nonzero(blue)[1].mean(), np.nonzero(blue)[0].mean()]) / len(frame)
        way = _GOAL - block
        far = float(np.hypot(*way))
        if far < 0.03:
            return (512 * agent).astype(np.float32)
        behind = block - 0.2 * way / far
        ready = np.hypot(*(agent - behind)) < 0.1
        return (512 * (block + 0.3 * way if ready else behind)).clip(0, 512).astype(np.float32)


_BLOCK = np.array([119, 136, 153])
_GOAL = np.array([0.48, 0.5])
_GREEN = 0.0547
"""Share of the picture that PushT's goal takes where nothing lies on it."""


_LINE = 0.7
"""Bodies to the right of it (share of the side) are put away."""


def put_away(film: list[np.ndarray]) -> float:
    """How many of the three bodies more than at first are behind the line at last, in thirds.

    What is not found counts as where it was seen last.
    """
    return float(np.mean([int(b > _LINE) - int(a > _LINE) for a, b in _ways(film)]))


def moved_right(film: list[np.ndarray]) -> float:
    """Mean way of the bodies to the right, in shares of the side."""
    return float(np.mean([b - a for a, b in _ways(film)]))


def bodies_left(film: list[np.ndarray]) -> float:
    """Share of the bodies that are still to be found at last."""
    return float(np.mean([find(film[-1], *colors) is not None for colors in _BODIES]))


def _ways(film: list[np.ndarray]) -> list[tuple[float, float]]:
    """Of each body, where (to the right) it was seen first and last."""
    ways = []
    for colors in _BODIES:
        places = [place[0] for frame in film if (place := find(frame, *colors)) is not None]
        ways.append((float(places[0]), float(places[-1])) if places else (0.0, 0.0))
    return ways


def covered(film: list[np.ndarray]) -> float:
    """Sum over frames of the share of the goal's green that something lies on."""
    return float(sum(max(0.0, 1 - _green(frame) / _GREEN) for frame in film[1:]))


def block_left(film: list[np.ndarray]) -> float:
    """Share of the block's pixels that are still to be found at last."""
    first, last = (
        (np.abs(frame.astype(np.int16) - _BLOCK).sum(axis=-1) < 45).sum()
        for frame in (film[0], film[-1])
    )
    return float(min(last / max(first, 1), 1.0))


def _green(frame: np.ndarray) -> float:
    pixels = frame.astype(np.int16)
    near = np.abs(pixels - np.array((144, 238, 144))).sum(axis=-1) < 100
    return float(near.mean())


@dataclass(frozen=True)
class Game:
    """An environment, what registers it, who plays it, what is seen in a film, by name, and what
    does nothing (of what the environment observes)."""

    env_id: str
    module: str
    policy: Callable[[float, int], Callable[[np.ndarray], np.ndarray]]
    seen: dict[str, Callable[[list[np.ndarray]], float]]
    still: Callable[[Any], np.ndarray]


GAMES = {
    "sandbox": Game(
        "worldline/Sandbox-v0",
        "worldline.sim.sandbox",
        Pusher,
        {"put away": put_away, "moved right": moved_right, "left at the end": bodies_left},
        lambda told: np.array([0.0, 0.0, -1.0], np.float32),
    ),
    "pusht": Game(
        "gym_pusht/PushT-v0",
        "gym_pusht",
        Mover,
        {"covered": covered, "left at the end": block_left},
        lambda told: np.asarray(told[:2], np.float32),
    ),
}


class Real:
    """The environment, seen in pictures of the world's size."""

    def __init__(self, game: Game, size_px: int) -> None:
        self.env = gymnasium.make(game.env_id, render_mode="rgb_array")
        self.game, self.size_px = game, size_px

    def frame(self) -> np.ndarray:
        """What is to be seen now."""
        frame: Any = self.env.render()
        if len(frame) != self.size_px:
            frame = cv2.resize(frame, (self.size_px,) * 2, interpolation=cv2.INTER_AREA)
        return frame

    def reset(self, seed: int, moments: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Frames after a reset in which nothing is done, and the actions of doing nothing."""
        told, _ = self.env.reset(seed=seed)
        frames, actions = [self.frame()], []
        while len(frames) < moments:
            actions.append(self.game.still(told))
            told, *_ = self.env.step(actions[-1])
            frames.append(self.frame())
        return frames, actions

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool]:
        """The next picture, what was earned, and whether that was the end."""
        _, reward, ended, *_ = self.env.step(action)
        return self.frame(), float(reward), bool(ended)


class Imagined:
    """The world, from its own openings or from what the environment shows after a reset."""

    def __init__(self, env: WorldEnv, real: Real | None) -> None:
        self.env, self.real = env, real

    def reset(self, seed: int, moments: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Its first frame; of the environment's, the last."""
        if self.real is not None:
            frames, actions = self.real.reset(seed, moments)
            given = self.env.port.vectors(np.stack([*actions, actions[-1]]))
            self.env.openings = [
                Clip(
                    frames=np.stack(frames),
                    time_s=np.arange(len(frames)) * self.env.world.step_s,
                    provenance=self.env.openings[0].provenance,
                    actions=given.astype(np.float32),
                )
            ]
        frame, _ = self.env.reset(seed=seed)
        return [frame], []

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool]:
        """See `Real`."""
        frame, reward, ended, *_ = self.env.step(action)
        return frame, float(reward), bool(ended)


def play(
    env: Real | Imagined,
    game: Game,
    policy: Callable[[int], Callable[[np.ndarray], np.ndarray]],
    episodes: int,
    steps: int,
    moments: int,
) -> np.ndarray:
    """Of episodes `[E, 1 + S]`, what they earned as it is told, and the S things that are seen.

    Args:
        env: where.
        game: which.
        policy: of an episode's number, what acts on its pictures.
        episodes: how many.
        steps: that each lasts.
        moments: frames that it begins with; see `reset`.
    """
    earned = []
    for number in range(episodes):
        act = policy(number)
        film, total = [env.reset(number, moments)[0][-1]], 0.0
        for _ in range(steps):
            frame, reward, ended = env.step(act(film[-1]))
            film.append(frame)
            total += reward
            if ended:
                break
        earned.append([total, *(each(film) for each in game.seen.values())])
    return np.array(earned)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--game", default="sandbox", choices=sorted(GAMES))
    parser.add_argument("--world")
    parser.add_argument("--episodes", type=int, default=24)
    parser.add_argument("--starts", default="openings", choices=("openings", "resets"))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--record", help="name of the result")
    args = parser.parse_args()
    game = GAMES[args.game]
    args.world = args.world or args.game
    importlib.import_module(game.module)
    env = WorldEnv(args.world, max_steps=args.steps)
    real = Real(game, env.world.size_px)
    imagined = Imagined(env, real if args.starts == "resets" else None)
    moments = env.world.context if args.starts == "resets" else 1
    chances = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    returns = {
        name: np.array(
            [
                play(each, game, partial(game.policy, chance), args.episodes, args.steps, moments)
                for chance in chances
            ]
        )
        for name, each in (("real", real), ("imagined", imagined))
    }
    names = ["told", *game.seen]
    parts = {
        (place, name): values[..., k]
        for place, values in returns.items()
        for k, name in enumerate(names)
    }
    earned = parts["real", "told"]
    result = {
        "game": args.game,
        "world": args.world,
        "episodes": args.episodes,
        "steps": args.steps,
        "starts": args.starts,
        "random_share": list(chances),
        "means": {f"{place}, {name}": _means(values) for (place, name), values in parts.items()},
        "with_real_returns": {
            f"{place}, {name}": _agree(earned, values)
            for (place, name), values in parts.items()
            if name != "left at the end" and (place, name) != ("real", "told")
        },
    }
    print(result)
    name = "agents" if args.game == "sandbox" else f"agents_{args.game}"
    name = name if args.starts == "openings" else f"{name}_{args.starts}"
    write_record(args.record or name, result)


def _means(values: np.ndarray) -> list[float]:
    return [round(float(mean), 3) for mean in values.mean(axis=1)]


def _agree(real: np.ndarray, imagined: np.ndarray) -> dict[str, Any]:
    """Rank and linear correlation of the policies' means, with 95 % intervals over episodes."""
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(1000):
        pick = rng.integers(real.shape[1], size=(2, real.shape[1]))
        drawn.append(_correlations(real[:, pick[0]], imagined[:, pick[1]]))
    low, high = np.nanquantile(drawn, (0.025, 0.975), axis=0)
    ranks, linear = _correlations(real, imagined)
    return {
        "rank_correlation": round(ranks, 3),
        "interval": [round(float(low[0]), 3), round(float(high[0]), 3)],
        "correlation": round(linear, 3),
        "correlation_interval": [round(float(low[1]), 3), round(float(high[1]), 3)],
    }


def _correlations(real: np.ndarray, imagined: np.ndarray) -> tuple[float, float]:
    pair = real.mean(axis=1), imagined.mean(axis=1)
    if min(np.ptp(each) for each in pair) == 0:
        return float("nan"), float("nan")
    return float(spearmanr(*pair).statistic), float(np.corrcoef(*pair)[0, 1])


if __name__ == "__main__":
    main()
