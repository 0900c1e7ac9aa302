"""A Worldline world in stable-worldmodel's own evaluator, environment and solver.

    pip install --no-deps stable-worldmodel==0.1.1 torchvision
    pip install loguru tabulate typer pylance pymunk shapely pygame h5py hdf5plugin imageio
    OMP_NUM_THREADS=1 python benchmarks/outside_judge.py [--world tworoom] [--episodes 100]

Its TwoRoom (`swm/TwoRoom-v1`), its `World.evaluate` from starts and goals on a walk, its
`CEMSolver` and `WorldModelPolicy`; ours are the costs (`OutsideCost`) and the walks. Beside it its
own random policy and, in the same evaluator, a straight line to the true goal. The world learned
from our two rooms, whose pictures and steps are like theirs, and never saw this environment.

torchvision may be a build for a GPU: what it would register is declared first, and never called.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit.suites.result import share_cell
from worldline.planning import Imagination, Landmarks, OutsideCost
from worldline.planning.rooms import SIDE_M, Rooms, Wanderers
from worldline.world import World
from worldline.world.openings import load_openings

_OPERATORS = (
    "nms",
    "qnms",
    "roi_align",
    "roi_pool",
    "ps_roi_align",
    "ps_roi_pool",
    "deform_conv2d",
)
_PX_PER_M = 224 / SIDE_M
_BLOCK = 5


def declare_operators() -> Any:
    """What torchvision's own library would define; keep the answer as long as it is needed."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        for each in (name, f"_{name}_backward"):
            with contextlib.suppress(RuntimeError):  # a build that fits has defined it
                library.define(f"{each}(Tensor x) -> Tensor")
    return library


class Pairs:
    """Starts and goals as a data set of theirs: episodes of which the ends are asked for."""

    column_names = ("pixels", "state", "proprio")

    def __init__(self, env: Any, starts: np.ndarray, goals: np.ndarray) -> None:
        self.env, self.starts, self.goals = env, starts, goals

    def load_chunk(self, episodes: Any, first: Any, last: Any) -> list[dict[str, Any]]:
        """Of each episode the first and the last moment."""
        found = []
        for i in episodes:
            ends = np.stack([self.starts[i], self.goals[i]]).astype(np.float32)
            pixels = torch.stack([self.env._render_frame(torch.from_numpy(p)) for p in ends])
            found.append({"pixels": pixels, "state": ends, "proprio": ends.copy()})
        return found


class Straight:
    """Their policy interface, around a straight line to the true goal."""

    seed = None

    def set_env(self, env: Any) -> None:
        self.env = env

    def get_action(self, info: dict[str, Any]) -> np.ndarray:
        away = np.asarray(info["goal_state"])[:, -1] - np.asarray(info["state"])[:, -1]
        return np.clip(away[:, :2] / 5.0, -1, 1).astype(np.float32)


def walk(num: int, gap: int, crossing: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and goals in their pixels, `gap` steps apart on walks like those recorded."""
    rng = np.random.default_rng((104729, seed))
    found: list[tuple[np.ndarray, np.ndarray]] = []
    while len(found) < num:
        rooms = Rooms.usual(128)
        place, wanderers = rooms.place(rng), Wanderers(rng)
        path, action = [], np.zeros((128, 2))
        for t in range(120):
            path.append(place)
            if t % _BLOCK == 0:
                action = wanderers.act(rooms, place)
            place = rooms.move(place, action)
        first = rng.integers(0, len(path) - gap, 128)
        here, there = (np.stack(path)[first + i, np.arange(128)] for i in (0, gap))
        good = np.linalg.norm(here - there, axis=-1) >= 0.16
        if crossing:
            good &= ~rooms.same_room(here, there)
        found += [(here[i] * _PX_PER_M, there[i] * _PX_PER_M) for i in np.flatnonzero(good)]
    starts, goals = zip(*found[:num], strict=True)
    return np.stack(starts), np.stack(goals)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--world", default="tworoom")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    library = declare_operators()
    import loguru
    import stable_worldmodel as swm

    loguru.logger.remove()

    world = World.from_pretrained(given.world)
    marks = Landmarks.of_clips(Imagination(world), load_openings(given.world))
    callables = [
        {"method": "_set_state", "args": {"state": {"value": "state"}}},
        {"method": "_set_goal_state", "args": {"goal_state": {"value": "goal_state"}}},
    ]
    rows: dict[str, dict[str, Any]] = {}
    for gap, crossing in ((25, False), (25, True), (50, True)):
        course = f"{gap}/{2 * gap}{' across' if crossing else ''}"
        starts, goals = walk(given.episodes, gap, crossing, given.seed)
        ahead = gap // _BLOCK + 2

        def plan(landmarks: Landmarks | None, horizon: int, swm: Any = swm) -> Any:
            solver = swm.solver.CEMSolver(
                OutsideCost(world, block=_BLOCK, landmarks=landmarks),
                batch_size=given.episodes,
                num_samples=given.samples,
                n_steps=given.rounds,
                topk=given.samples // 10,
                seed=given.seed,
            )
            config = swm.PlanConfig(horizon=horizon, receding_horizon=1, action_block=_BLOCK)
            return swm.policy.WorldModelPolicy(solver, config)

        policies = {
            "random": swm.policy.RandomPolicy(seed=given.seed),
            "straight to the true goal": Straight(),
            f"{world.name}, without landmarks": plan(None, ahead),
            world.name: plan(marks, 6),
        }
        for name, policy in policies.items():
            judge = swm.World(
                "swm/TwoRoom-v1",
                num_envs=given.episodes,
                image_shape=(224, 224),
                max_episode_steps=4 * gap,
            )
            judge.set_policy(policy)
            judge.reset(seed=given.seed)
            env = judge.envs.envs[0].unwrapped
            begun = time.perf_counter()
            result = judge.evaluate(
                dataset=Pairs(env, starts, goals),
                episodes_idx=list(range(given.episodes)),
                start_steps=[0] * given.episodes,
                goal_offset=gap,
                eval_budget=2 * gap,
                callables=callables,
            )
            judge.close()
            cell = share_cell(np.asarray(result["episode_successes"], float))
            told = {"value": cell.value, "low": cell.low, "high": cell.high, "n": cell.n}
            rows.setdefault(name, {})[course] = told
            spent = time.perf_counter() - begun
            print(
                f"{course:14} {name:28} {100 * cell.value:5.1f} "
                f"({100 * cell.low:.1f} to {100 * cell.high:.1f}) n={cell.n} {spent:.0f} s",
                flush=True,
            )
    facts = {
        "judge": f"stable-worldmodel {swm.__dict__.get('__version__', '0.1.1')}, swm/TwoRoom-v1",
        "world": world.name,
        "samples": given.samples,
        "rounds": given.rounds,
        "seed": given.seed,
    }
    write_record("outside_judge", {**facts, "rows": rows})
    del library


if __name__ == "__main__":
    main()
