"""Does a policy that is good in an imagined environment do well in the real one?

    OMP_NUM_THREADS=1 python benchmarks/agents.py [--game sandbox|pusht] [--world NAME]
        [--episodes 24]

Six policies that see pixels alone play in an environment and in the world that learned it: one goes
behind what is to be moved and pushes it (in the sandbox to the right, in PushT to the goal), and
does something random instead in 0, 20, 40, 60, 80 or all of 100 moments. Printed are the mean
returns in both, and Spearman's rank and Pearson's correlation of the six, with bootstrap intervals
over episodes. PushT needs gym-pusht.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import gymnasium
import numpy as np
from record import write_record
from scipy.stats import spearmanr

from worldline.world.env import WorldEnv

_COLORS = {"ball": (240, 150, 50), "box": (70, 120, 220), "plank": (90, 180, 100)}
_HANDS = ((235, 235, 235), (230, 60, 70))
_NEAR = 90.0
"""Summed difference of colours up to which a pixel belongs to a body."""

STEPS = 60


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
        hand = find(frame, *_HANDS)
        bodies = [find(frame, color) for color in _COLORS.values()]
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


@dataclass(frozen=True)
class Game:
    """An environment, what registers it, and who plays it."""

    env_id: str
    module: str
    policy: Callable[[float, int], Callable[[np.ndarray], np.ndarray]]


_GAMES = {
    "sandbox": Game("worldline/Sandbox-v0", "worldline.sim.sandbox", Pusher),
    "pusht": Game("gym_pusht/PushT-v0", "gym_pusht", Mover),
}


def play(env: gymnasium.Env, game: Game, chance: float, episodes: int, size_px: int) -> list[float]:
    """Returns of episodes; pictures are those that are seen, or drawn where these are none."""
    earned = []
    for number in range(episodes):
        policy = game.policy(chance, number)
        seen, _ = env.reset(seed=number)
        total = 0.0
        for _ in range(STEPS):
            frame: Any = seen if np.ndim(seen) == 3 else env.render()
            if len(frame) != size_px:
                frame = cv2.resize(frame, (size_px, size_px), interpolation=cv2.INTER_AREA)
            seen, reward, ended, *_ = env.step(policy(frame))
            total += float(reward)
            if ended:
                break
        earned.append(total)
    return earned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--game", default="sandbox", choices=sorted(_GAMES))
    parser.add_argument("--world")
    parser.add_argument("--episodes", type=int, default=24)
    args = parser.parse_args()
    game = _GAMES[args.game]
    args.world = args.world or args.game
    importlib.import_module(game.module)
    imagined = WorldEnv(args.world, max_steps=STEPS)
    side = imagined.world.size_px
    real = gymnasium.make(game.env_id, render_mode="rgb_array")
    chances = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    returns = {
        name: np.array([play(env, game, chance, args.episodes, side) for chance in chances])
        for name, env in (("real", real), ("imagined", imagined))
    }
    means = {name: values.mean(axis=1) for name, values in returns.items()}
    rng = np.random.default_rng(0)
    drawn, linear = [], []
    for _ in range(1000):
        pick = rng.integers(args.episodes, size=(2, args.episodes))
        pair = [
            values[:, rows].mean(axis=1)
            for values, rows in zip(returns.values(), pick, strict=False)
        ]
        drawn.append(spearmanr(*pair).statistic)
        linear.append(np.corrcoef(*pair)[0, 1])
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    linear_low, linear_high = np.nanquantile(linear, (0.025, 0.975))
    result = {
        "game": args.game,
        "world": args.world,
        "episodes": args.episodes,
        "steps": STEPS,
        "random_share": list(chances),
        "mean_return": {name: [round(float(m), 3) for m in each] for name, each in means.items()},
        "rank_correlation": round(float(spearmanr(*means.values()).statistic), 3),
        "interval": [round(float(low), 3), round(float(high), 3)],
        "correlation": round(float(np.corrcoef(*means.values())[0, 1]), 3),
        "correlation_interval": [round(float(linear_low), 3), round(float(linear_high), 3)],
    }
    print(result)
    write_record("agents" if args.game == "sandbox" else f"agents_{args.game}", result)


if __name__ == "__main__":
    main()
