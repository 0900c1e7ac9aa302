"""An agent that has only ever lived in the imagined sandbox, asked in the real one.

    OMP_NUM_THREADS=1 python benchmarks/ppo.py [--minutes 10] [--episodes 32]

Needs the extra `agents` (Stable-Baselines3). PPO (Schulman et al. 2017) learns in `VectorWorldEnv`
from the rewards that the world tells, for so much processor time, and sees where things are by
their colours, as the policies of `agents.py` do. Printed is what it then earns in the real sandbox
in 60 steps, beside a policy that does nothing, a random one, one that was written by hand, PPO
before it learned anything, and PPO that learned in the real sandbox for as many steps; and what
they are told to earn in the world, in a quarter of the episodes.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from time import process_time
from typing import Any

import gymnasium
import numpy as np
import torch
from agents import GAMES as KNOWN
from agents import Game, Imagined, Pusher, Real, play
from gymnasium import spaces
from record import write_record
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from worldline.audit.scripts import SANDBOX_COLORS
from worldline.world.env import WorldEnv
from worldline.world.vector_env import VectorWorldEnv

STEPS, AGENTS = 60, 8
_NEAR, _LEAST_PX = 90, 3


class Eyes:
    """Where ball, box, plank and hand are, in [-1, 1], and whether the hand is shut, of N pictures.

    What is not found is where it was before.
    """

    size = 2 * len(SANDBOX_COLORS) + 1

    def __init__(self, num: int) -> None:
        self.last = np.zeros((num, self.size), np.float32)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        pixels, side = frames.astype(np.int16), frames.shape[1]
        place = 2 * (np.arange(side) + 0.5) / side - 1
        for k, colors in enumerate(SANDBOX_COLORS.values()):
            mask = np.zeros(frames.shape[:3], bool)
            for color in colors:
                mask |= np.abs(pixels - np.array(color, np.int16)).sum(axis=-1) < _NEAR
            count = mask.sum(axis=(1, 2))
            seen = count >= _LEAST_PX
            for axis in (0, 1):
                middle = (mask.sum(axis=1 + axis) * place).sum(axis=1) / np.maximum(count, 1)
                self.last[seen, 2 * k + axis] = middle[seen]
        shut = np.abs(pixels - np.array(SANDBOX_COLORS["hand"][1], np.int16)).sum(axis=-1) < _NEAR
        self.last[:, -1] = shut.sum(axis=(1, 2)) >= _LEAST_PX
        return self.last.copy()


class Dream(VecEnv):
    """Agents in one world, as Stable-Baselines3 wants them.

    Gymnasium's vector environments begin anew with the step after the last; that step ends the
    episode here.
    """

    def __init__(self, world: str) -> None:
        self.env = VectorWorldEnv(world, num_envs=AGENTS, max_steps=STEPS)
        sight = spaces.Box(-1.0, 1.0, (Eyes.size,), np.float32)
        super().__init__(AGENTS, sight, self.env.single_action_space)
        self.eyes = Eyes(AGENTS)
        self.over, self.cut = np.zeros(AGENTS, bool), np.zeros(AGENTS, bool)
        self.given = np.zeros(0)

    def reset(self) -> Any:
        self.seen = self.eyes(self.env.reset(seed=0)[0])
        return self.seen

    def step_async(self, actions: np.ndarray) -> None:
        self.given = actions

    def step_wait(self) -> Any:
        frames, reward, ended, cut, _ = self.env.step(self.given)
        before, over, was_cut = self.seen, self.over, self.cut
        self.seen, self.over, self.cut = self.eyes(frames), ended | cut, cut
        told: list[dict[str, Any]] = [{} for _ in range(AGENTS)]
        for number in np.nonzero(over)[0]:
            told[number] = {"terminal_observation": before[number]}
            told[number]["TimeLimit.truncated"] = bool(was_cut[number])
        return self.seen, reward.astype(np.float32), over.copy(), told

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self.env, attr_name, None)] * AGENTS

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * AGENTS


class Awake(gymnasium.Env):
    """The real sandbox, seen with the same eyes."""

    def __init__(self, game: Game) -> None:
        self.real, self.eyes, self.left = Real(game, 64), Eyes(1), STEPS
        self.observation_space = spaces.Box(-1.0, 1.0, (Eyes.size,), np.float32)
        self.action_space: Any = self.real.env.action_space

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        start = int(self.np_random.integers(1 << 30))
        self.left = STEPS
        return self.eyes(self.real.reset(start, 1)[0][0][None])[0], {}

    def step(self, action: Any) -> Any:
        frame, reward, ended = self.real.step(action)
        self.left -= 1
        return self.eyes(frame[None])[0], reward, ended, self.left <= 0, {}


class Learned:
    """What PPO would do, of pictures."""

    def __init__(self, model: PPO) -> None:
        self.model, self.eyes = model, Eyes(1)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        return self.model.predict(self.eyes(frame[None])[0], deterministic=False)[0]


class _Until(BaseCallback):
    """Stops when the processor time is spent."""

    def __init__(self, budget_s: float) -> None:
        super().__init__()
        self.until = process_time() + budget_s

    def _on_step(self) -> bool:
        return process_time() < self.until


def learner(env: VecEnv) -> PPO:
    """Untrained PPO with two layers of 64."""
    return PPO(
        "MlpPolicy",
        env,
        n_steps=120,
        batch_size=240,
        n_epochs=8,
        learning_rate=1e-3,
        gamma=0.97,
        ent_coef=0.002,
        seed=0,
        device="cpu",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="sandbox")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--episodes", type=int, default=32)
    args = parser.parse_args()
    torch.set_num_threads(1)
    game = KNOWN["sandbox"]
    importlib.import_module(game.module)
    real, dream = Real(game, 64), Imagined(WorldEnv(args.world, max_steps=STEPS), None)
    agent = learner(Dream(args.world))
    fresh = learner(Dream(args.world))
    agent.learn(10**9, callback=_Until(60 * args.minutes))
    steps = agent.num_timesteps
    there = learner(DummyVecEnv([lambda: Awake(game)] * AGENTS))
    there.learn(steps)
    policies: dict[str, Callable[[int], Callable[[np.ndarray], np.ndarray]]] = {
        "nothing": lambda seed: lambda frame: game.still(None),
        "random": lambda seed: Pusher(1.0, seed),
        "PPO, untrained": lambda seed: Learned(fresh),
        "PPO in the world": lambda seed: Learned(agent),
        "PPO in the sandbox": lambda seed: Learned(there),
        "written by hand": lambda seed: Pusher(0.0, seed),
    }
    rows = {}
    for name, policy in policies.items():
        earned = play(real, game, policy, args.episodes, STEPS, 1)
        inside = play(dream, game, policy, max(args.episodes // 4, 1), STEPS, 1)
        rows[name] = {"real": _mean(earned[:, 0]), "imagined": _mean(inside[:, 0])}
        print(name, rows[name], flush=True)
    facts = {"world": args.world, "episodes": args.episodes, "steps": STEPS}
    write_record("ppo", {**facts, "minutes": args.minutes, "learned_steps": steps, "rows": rows})


def _mean(values: np.ndarray) -> list[float]:
    """With the 95 % interval of its bootstrap."""
    pick = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    low, high = np.quantile(values[pick].mean(axis=1), (0.025, 0.975))
    return [round(float(each), 3) for each in (values.mean(), low, high)]


if __name__ == "__main__":
    main()
