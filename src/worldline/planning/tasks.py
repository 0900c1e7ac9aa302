"""Tasks by name, and the rows that every planner is measured against in them.

Shape legend: E episodes, S plans of each, H actions of a plan, O numbers of an observation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from worldline.core.errors import InputError
from worldline.planning.agents import known_rows
from worldline.planning.planner import Cost, Planner
from worldline.planning.rooms import REACH_M, STEP_M, Rooms, Wanderers
from worldline.planning.space import ActionSpace
from worldline.planning.trials import Agent, Course, Measurable, Trial, require_room

__all__ = ["TASKS", "RoomsTask", "find_task"]

_HELD_OUT = 7919
"""Keeps the seeds of trials apart from those that recordings are made with."""

_EPISODE_STEPS = 200


class RoomsTask:
    """To a place in two rooms that was reached before, so many steps after the start.

    Starts and goals lie on walks like those that are recorded, with seeds of their own, so that
    none of them was trained on. A start that is a goal already is left out.

    Args:
        random_wall: wall and door lie elsewhere in each episode.
        size_px: side of pictures.
    """

    every = 5
    environment = "worldline/TwoRooms-v0"
    harder = "across"
    courses = (
        Course(25, 50),
        Course(25, 50, harder),
        Course(40, 80, harder),
        Course(50, 100, harder),
    )
    looking: Mapping[str, Any] = MappingProxyType({})
    truth_cost = 1.0

    def __init__(self, *, random_wall: bool = False, size_px: int = 32) -> None:
        self.name = self.world = "walls" if random_wall else "tworoom"
        # what was seen between other walls says nothing of the way between these
        self.has_ways = not random_wall
        self.random_wall, self.size_px = random_wall, size_px
        self.space = ActionSpace(2)

    def sized(self, size_px: int) -> RoomsTask:
        """The same task in pictures of another size."""
        return RoomsTask(random_wall=self.random_wall, size_px=size_px)

    def make(self) -> Any:
        """The environment."""
        from worldline.planning.two_rooms import TwoRoomsEnv

        return TwoRoomsEnv(
            size_px=self.size_px, random_wall=self.random_wall, render_mode="rgb_array"
        )

    def own_action(self, action: Float[np.ndarray, " a"]) -> np.ndarray:
        """As the environment takes it."""
        return action.astype(np.float32)

    def is_there(self, observation: Float[np.ndarray, " o"], trial: Trial) -> bool:
        """Within 16 cm."""
        return bool(np.linalg.norm(observation[:2] - trial.goal[:2]) < REACH_M)

    def trials(self, num: int, *, gap: int, only: str, seed: int) -> list[Trial]:
        """Held-out episodes.

        Args:
            num: of them.
            gap: steps of the environment between start and goal on the walk.
            only: "across" for those whose goal is in the other room.
            seed: of the walks.

        Raises:
            InputError: the gap is longer than a walk.
        """
        require_room(num, gap, _EPISODE_STEPS)
        found: list[Trial] = []
        rng = np.random.default_rng((_HELD_OUT, seed))
        while len(found) < num:
            rooms, path = self._walk(256, rng)
            first = rng.integers(0, _EPISODE_STEPS - gap, 256)
            here, there = (path[np.arange(256), first + i] for i in (0, gap))
            good = np.linalg.norm(here - there, axis=-1) >= REACH_M
            if only:
                good &= ~rooms.same_room(here, there)
            frames = rooms.draw(there, self.size_px)
            for i in np.flatnonzero(good)[: num - len(found)]:
                layout = {"wall_m": float(rooms.wall_m[i]), "door_m": float(rooms.door_m[i])}
                found.append(
                    Trial(
                        options={**layout, "position_m": tuple(here[i].tolist())},
                        goal=np.array([*there[i], *layout.values()]),
                        goal_frame=frames[i],
                    )
                )
        return found

    def shown(self) -> None:
        """Nothing: goals are pictures and nothing else."""

    def baselines(self, planner: Planner, horizon: int, seed: int) -> dict[str, Agent]:
        """By name of the row; the planner plans in the true dynamics."""
        return known_rows(
            self.space, _straight, self._true_cost, planner, horizon=horizon, seed=seed
        )

    def _walk(self, num: int, rng: np.random.Generator) -> tuple[Rooms, np.ndarray]:
        """Walks `[N, T, 2]` as those that are recorded."""
        rooms = Rooms.drawn(num, rng) if self.random_wall else Rooms.usual(num)
        place = rooms.place(rng)
        wanderers = Wanderers(rng)
        path = [place]
        action = np.zeros((num, 2))
        for t in range(_EPISODE_STEPS - 1):
            if t % self.every == 0:
                action = wanderers.act(rooms, place)
            place = rooms.move(place, action)
            path.append(place)
        return rooms, np.stack(path, axis=1)

    def _true_cost(self, truth: np.ndarray, goals: np.ndarray) -> Cost:
        """Mean squared distance to the goal, in square metres, along true paths."""

        def cost(plans: Float[Tensor, "e s h a"]) -> Float[Tensor, "e s"]:
            num, samples, horizon, _ = plans.shape
            rooms = Rooms(truth[:, 2], truth[:, 3]).repeat(samples)
            place = np.repeat(truth[:, :2], samples, axis=0)
            goal = np.repeat(goals[:, :2], samples, axis=0)
            actions = plans.detach().flatten(0, 1).double().numpy()
            total = np.zeros(num * samples)
            for t in range(horizon):
                for _ in range(self.every):
                    place = rooms.move(place, actions[:, t])
                total += np.square(place - goal).sum(-1) / horizon
            return torch.from_numpy(total).float().unflatten(0, (num, samples))

        return cost


def _straight(truth: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Straight on, as far as an action held for five steps goes."""
    return ((goals[:, :2] - truth[:, :2]) / (5 * STEP_M)).clip(-1, 1)


def _tee() -> Measurable:
    try:
        from worldline.planning.tee_task import TeeTask
    except ModuleNotFoundError as error:
        if error.name != "pymunk":
            raise
        raise InputError(
            "pymunk, which pusht is simulated with, is missing: pip install -e '.[pusht]' in "
            "Worldline's folder"
        ) from None
    return TeeTask()


def _drill(name: str, **changes: float) -> Measurable:
    """A drill of a MuJoCo scene, shifted or not."""
    from worldline.planning.catch_ball import CatchBall
    from worldline.planning.drill import Shift
    from worldline.planning.drill_task import DrillTask
    from worldline.planning.push_block import PushBlock
    from worldline.planning.throw_ball import ThrowBall

    kind = {"push": PushBlock, "catch": CatchBall, "throw": ThrowBall}[name.split("-")[0]]
    return DrillTask(kind(), shift=Shift(**changes), name=name, world=_BUNDLED_DRILLS[kind.name])


_BUNDLED_DRILLS = {"push": "", "catch": "catch", "throw": ""}
"""World of each drill; empty where none is bundled."""

TASKS: dict[str, Callable[[], Measurable]] = {
    "tworoom": RoomsTask,
    "walls": lambda: RoomsTask(random_wall=True),
    "pusht": _tee,
    "push": lambda: _drill("push"),
    "push-heavy": lambda: _drill("push-heavy", mass=4.0),
    "push-slippery": lambda: _drill("push-slippery", friction=0.1),
    "push-moved": lambda: _drill("push-moved", moved_m=0.15),
    "catch": lambda: _drill("catch"),
    "catch-high": lambda: _drill("catch-high", moved_m=0.2),
    "throw": lambda: _drill("throw"),
}
"""Every task by name."""


def find_task(name: str) -> Measurable:
    """A task by name. Raises `InputError` if there is none, or what it runs in is missing."""
    if name not in TASKS:
        raise InputError(f"no task {name}; there are: {', '.join(TASKS)}")
    return TASKS[name]()
