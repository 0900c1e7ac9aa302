"""Does a policy that is good in the imagined sandbox do well in the real one?

    OMP_NUM_THREADS=1 python benchmarks/agents.py [--world sandbox] [--episodes 24]

Six policies that see pixels alone play in MuJoCo's sandbox and in the world that learned it: one
goes behind the nearest body that is not put away and pushes it to the right, and does something
random instead in 0, 20, 40, 60, 80 or all of 100 moments. Printed are the mean returns in both, and
Spearman's rank correlation of the six, with a bootstrap interval over episodes.
"""

from __future__ import annotations

import argparse

import gymnasium
import numpy as np
from record import write_record
from scipy.stats import spearmanr

import worldline.sim.sandbox  # noqa: F401 (registers the environment)
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


def play(env: gymnasium.Env, chance: float, episodes: int, *, real: bool) -> list[float]:
    """Returns of episodes."""
    earned = []
    for number in range(episodes):
        policy = Pusher(chance, number)
        seen, _ = env.reset(seed=number)
        total = 0.0
        for _ in range(STEPS):
            frame = env.render() if real else seen
            seen, reward, ended, *_ = env.step(policy(frame))
            total += float(reward)
            if ended:
                break
        earned.append(total)
    return earned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="sandbox")
    parser.add_argument("--episodes", type=int, default=24)
    args = parser.parse_args()
    real = gymnasium.make("worldline/Sandbox-v0", render_mode="rgb_array")
    imagined = WorldEnv(args.world, max_steps=STEPS)
    chances = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    returns = {
        "real": np.array([play(real, c, args.episodes, real=True) for c in chances]),
        "imagined": np.array([play(imagined, c, args.episodes, real=False) for c in chances]),
    }
    means = {name: values.mean(axis=1) for name, values in returns.items()}
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(1000):
        pick = rng.integers(args.episodes, size=(2, args.episodes))
        pair = [
            values[:, rows].mean(axis=1)
            for values, rows in zip(returns.values(), pick, strict=False)
        ]
        drawn.append(spearmanr(*pair).statistic)
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    result = {
        "world": args.world,
        "episodes": args.episodes,
        "steps": STEPS,
        "random_share": list(chances),
        "mean_return": {name: [round(float(m), 3) for m in each] for name, each in means.items()},
        "rank_correlation": round(float(spearmanr(*means.values()).statistic), 3),
        "interval": [round(float(low), 3), round(float(high), 3)],
    }
    print(result)
    write_record("agents", result)


if __name__ == "__main__":
    main()
