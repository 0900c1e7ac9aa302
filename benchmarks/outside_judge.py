"""A Worldline world in stable-worldmodel's own evaluator, environments and solver.

    pip install --no-deps stable-worldmodel==0.1.1 torchvision
    pip install -e '.[judge,pusht]'
    OMP_NUM_THREADS=1 python benchmarks/outside_judge.py [--task tworoom] [--episodes 100]
    OMP_NUM_THREADS=1 python benchmarks/outside_judge.py --task pusht --world runs/tee/world

Its TwoRoom and PushT (`swm/TwoRoom-v1`, `swm/PushT-v1`), its `World.evaluate` from starts and goals
that we name, its `CEMSolver` and `WorldModelPolicy`; ours are the costs (`OutsideCost`) and the
episodes that starts and goals come from. Beside it its own random policy and, in the same
evaluator, a straight line to where the true goal has the agent. The worlds learned from our own
environments, whose pictures and steps are like theirs, and never saw these.

torchvision may be a build for a GPU: what it would register is declared first, and never called.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit.suites.result import share_cell
from worldline.planning import Imagination, Landmarks, OutsideCost, Reading
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


@dataclass(frozen=True)
class Ground:
    """One of their environments, and how it is played in here.

    Attributes:
        name: of theirs.
        courses: gap in steps, word for the episodes.
        held: how far the agent goes if an action of 1 is held for a block, in their pixels.
        std: of the solver's first plans.
        bare: name of the row without a guide.
    """

    name: str
    courses: tuple[tuple[int, str], ...]
    held: float
    std: float
    bare: str


GROUNDS = {
    "tworoom": Ground(
        "swm/TwoRoom-v1",
        ((25, ""), (25, "across"), (50, "across")),
        5.0,
        1.0,
        "without landmarks",
    ),
    "pusht": Ground("swm/PushT-v1", ((25, ""), (25, "pushed")), 200.0, 0.5, "by latents alone"),
}


class Pairs:
    """Starts and goals as a data set of theirs: episodes of which the ends are asked for."""

    column_names = ("pixels", "state", "proprio")

    def __init__(self, env: Any, starts: np.ndarray, goals: np.ndarray) -> None:
        self.env, self.starts, self.goals = env, starts, goals

    def load_chunk(self, episodes: Any, first: Any, last: Any) -> list[dict[str, Any]]:
        """Of each episode the first and the last moment."""
        found = []
        for i in episodes:
            ends = np.stack([self.starts[i], self.goals[i]])
            pixels = torch.stack([self._picture(state) for state in ends])
            ends = ends.astype(np.float32)
            found.append({"pixels": pixels, "state": ends, "proprio": ends[:, :4].copy()})
        return found

    def _picture(self, state: np.ndarray) -> torch.Tensor:
        if len(state) == 2:
            return self.env._render_frame(torch.from_numpy(state.astype(np.float32)))
        self.env._set_state(state)
        return torch.from_numpy(self.env.render().copy()).permute(2, 0, 1)


class Straight:
    """Their policy interface, around a straight line to the true goal."""

    seed = None

    def __init__(self, held: float) -> None:
        self.held = held

    def set_env(self, env: Any) -> None:
        self.env = env

    def get_action(self, info: dict[str, Any]) -> np.ndarray:
        away = np.asarray(info["goal_state"])[:, -1] - np.asarray(info["state"])[:, -1]
        return np.clip(away[:, :2] / self.held, -1, 1).astype(np.float32)


def push(num: int, gap: int, only: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and goals of our own pusher's episodes, as `worldline plan pusht` has them."""
    from worldline.planning.tee_task import TeeTask

    trials = TeeTask().trials(num, gap=gap, only=only, seed=seed)
    starts = np.stack([trial.options["state"] for trial in trials])
    return starts, np.stack([trial.goal for trial in trials])


def walk(num: int, gap: int, only: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
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
        if only:
            good &= ~rooms.same_room(here, there)
        found += [(here[i] * _PX_PER_M, there[i] * _PX_PER_M) for i in np.flatnonzero(good)]
    starts, goals = zip(*found[:num], strict=True)
    return np.stack(starts), np.stack(goals)


def find_guide(task: str, world: World, name: str) -> Landmarks | Reading:
    """What tells how far a goal is, as `worldline plan` finds it."""
    imagination = Imagination(world)
    if task == "tworoom":
        return Landmarks.of_clips(imagination, load_openings(name))
    from worldline.planning.tee_task import TeeTask

    frames, values = TeeTask(size_px=world.size_px).shown()
    latents = imagination.encode(torch.from_numpy(frames)[:, None])
    return Reading.fit(latents[:, 0].flatten(1), values)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=list(GROUNDS), default="tworoom")
    parser.add_argument("--world", help="bundled, or a folder; tworoom if absent")
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

    ground, name = GROUNDS[given.task], given.world or "tworoom"
    world = World.from_pretrained(name)
    guide = find_guide(given.task, world, name)
    pairs = push if given.task == "pusht" else walk
    callables = [
        {"method": "_set_state", "args": {"state": {"value": "state"}}},
        {"method": "_set_goal_state", "args": {"goal_state": {"value": "goal_state"}}},
    ]
    rows: dict[str, dict[str, Any]] = {}
    for gap, only in ground.courses:
        course = f"{gap}/{2 * gap} {only}".strip()
        starts, goals = pairs(given.episodes, gap, only, given.seed)
        ahead = gap // _BLOCK + 2

        def plan(guide: Landmarks | Reading | None, horizon: int, swm: Any = swm) -> Any:
            solver = swm.solver.CEMSolver(
                OutsideCost(world, block=_BLOCK, guide=guide),
                batch_size=given.episodes,
                num_samples=given.samples,
                var_scale=ground.std,
                n_steps=given.rounds,
                topk=given.samples // 10,
                seed=given.seed,
            )
            config = swm.PlanConfig(horizon=horizon, receding_horizon=1, action_block=_BLOCK)
            return swm.policy.WorldModelPolicy(solver, config)

        policies = {
            "random": swm.policy.RandomPolicy(seed=given.seed),
            "straight to the true goal": Straight(ground.held),
            f"{world.name}, {ground.bare}": plan(None, ahead),
            world.name: plan(guide, 6 if isinstance(guide, Landmarks) else ahead),
        }
        for name, policy in policies.items():
            judge = swm.World(
                ground.name,
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
        "judge": f"stable-worldmodel {swm.__dict__.get('__version__', '0.1.1')}, {ground.name}",
        "world": world.name,
        "samples": given.samples,
        "rounds": given.rounds,
        "seed": given.seed,
    }
    record = "outside_judge" if given.task == "tworoom" else f"outside_judge_{given.task}"
    write_record(record, {**facts, "rows": rows})
    del library


if __name__ == "__main__":
    main()
