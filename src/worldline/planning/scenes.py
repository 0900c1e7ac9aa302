"""Goals told in scenes: things in their places in metres, contacts, or anything that can be asked.

Imagined latents are read as one `Scene` per plan, which takes a reader, and time: each scene is
made on its own, where other objectives take all plans in one product. Shape legend: B situations, S
plans, H steps, K clips, N latent cells, C channels, D numbers of a latent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Contact, Scene
from worldline.planning.imagination import Imagination, Rollout
from worldline.planning.objective import Over, over_time
from worldline.world.futures import read_scene

__all__ = ["PlaceReader", "PredicateGoal", "Reader", "SceneGoal", "world_reader"]

Reader = Callable[[Float[Tensor, "k h n c"]], Sequence[Scene]]
"""What imagined latents say of things, one scene of H frames per clip."""

_ABSENT_M = 10.0
"""What a thing costs that should be there and is not found."""


def world_reader(imagination: Imagination) -> Reader:
    """The readout of the world itself, in its pixels; for goals told in events, or in pixels."""
    world = imagination.world

    def read(latents: Float[Tensor, "k h n c"]) -> list[Scene]:
        time_s = np.arange(latents.shape[1]) * world.step_s
        made_by = Provenance(origin=Origin.GENERATED, producer=world.name)
        return [
            read_scene(
                world.readout,
                Latents(clip[None], world.tokenizer.grid),
                time_s,
                world.size_px,
                made_by,
            )
            for clip in latents
        ]

    return read


@dataclass(frozen=True, eq=False)
class PlaceReader:
    """Where one thing is, by a linear map from latents that was fitted to places that are known.

    Attributes:
        weight: `[D + 1, 3]`, the last row the constant.
        error_m: root mean square of what it was off where it was fitted.
        label: of the thing.
        step_s: between frames.
    """

    weight: Float[Tensor, "d 3"]
    error_m: float
    label: str
    step_s: float

    @classmethod
    def fit(
        cls,
        latents: Float[Tensor, "n d"],
        place_m: Float[np.ndarray, "n p"],
        *,
        label: str = "object",
        step_s: float = 0.1,
    ) -> PlaceReader:
        """By least squares with a light ridge; places in two dimensions have no height.

        Raises:
            InputError: places are not as many as latents, or have not two or three numbers.
        """
        if len(latents) != len(place_m) or place_m.shape[1] not in (2, 3):
            raise InputError(
                f"{len(latents)} latents and places of {place_m.shape}: one place of 2 or 3 "
                "numbers for each is needed"
            )
        wide = torch.from_numpy(np.pad(place_m, ((0, 0), (0, 3 - place_m.shape[1])))).double()
        x = torch.cat([latents.double(), torch.ones(len(latents), 1)], dim=1)
        ridge = 1e-6 * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
        weight = torch.linalg.solve(x.T @ x + ridge, x.T @ wide)
        error = (x @ weight - wide).square().sum(-1).mean().sqrt()
        return cls(weight.float(), float(error), label, step_s)

    def __call__(self, latents: Float[Tensor, "k h n c"]) -> list[Scene]:
        """See `Reader`. Nothing is seen in the picture, because there is none."""
        x = latents.detach().flatten(2)
        place = torch.cat([x, torch.ones(*x.shape[:2], 1)], dim=-1) @ self.weight
        num = latents.shape[1]
        nowhere = np.full((1, num, 2), np.nan)
        return [
            Scene(
                time_s=np.arange(num) * self.step_s,
                width_px=1,
                height_px=1,
                ids=np.array([0]),
                labels=(self.label,),
                present=np.ones((1, num), dtype=bool),
                visible=np.zeros((1, num), dtype=bool),
                center_px=nowhere,
                size_px=nowhere,
                center_px_std=nowhere,
                position_m=each.double().numpy()[None],
                position_m_std=np.full((1, num, 3), self.error_m),
                provenance=Provenance(origin=Origin.GENERATED, producer="planning"),
            )
            for each in place
        ]


@dataclass(frozen=True, eq=False)
class SceneGoal:
    """Mean distance in metres of things to their places in a scene, and contacts that are missing.

    Things are matched by label, those of one label so that the distances are least. The goal is the
    last moment of its scene: where things are that are present then, and which of them touch.

    Attributes:
        reader: of imagined latents.
        goal: one scene for all situations, or one for each.
        over: which moments of a rollout count.
        contact_m: what a contact costs that should be and is not.
    """

    reader: Reader
    goal: Sequence[Scene]
    over: Over = Over.SUM
    contact_m: float = 0.5

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`. Raises `InputError` if a scene has no places in metres."""
        num, samples, horizon = rollout.latents.shape[:3]
        if len(self.goal) not in (1, num):
            raise InputError(f"{len(self.goal)} goals for {num} situations; give one, or one each")
        scenes = self.reader(rollout.latents.flatten(0, 1))
        rows = [
            self._per_step(scene, self.goal[0 if len(self.goal) == 1 else i // samples], horizon)
            for i, scene in enumerate(scenes)
        ]
        found = torch.from_numpy(np.stack(rows)).float().unflatten(0, (num, samples))
        return over_time(found, self.over)

    def _per_step(self, scene: Scene, goal: Scene, horizon: int) -> Float[np.ndarray, " h"]:
        if scene.position_m is None or goal.position_m is None:
            raise InputError("a scene goal is told in metres, but a scene has no places in metres")
        wanted = np.flatnonzero(goal.present[:, -1])
        if not len(wanted):
            raise InputError("the goal's scene shows nothing in its last moment")
        cost = np.zeros(horizon)
        for label in {goal.labels[i] for i in wanted}:
            there = [i for i in wanted if goal.labels[i] == label]
            here = [i for i, name in enumerate(scene.labels) if name == label]
            places = goal.position_m[there, -1]
            for t in range(horizon):
                known = [i for i in here if scene.present[i, t]]
                apart = np.linalg.norm(places[:, None] - scene.position_m[known, t], axis=-1)
                apart = np.pad(apart, ((0, 0), (0, len(there))), constant_values=_ABSENT_M)
                cost[t] += apart[linear_sum_assignment(apart)].sum()
        cost /= len(wanted)
        missing = _touching(goal, goal.time_s[-1])
        for t in range(horizon):
            cost[t] += self.contact_m * len(missing - _touching(scene, scene.time_s[t]))
        return cost


@dataclass(frozen=True, eq=False)
class PredicateGoal:
    """How unlikely it is that something happens in what a plan leads to.

    What is asked comes as a function, so that planning needs to know no query language:
    `worldline.retrieval.chance_in` makes one of the typed expressions that search takes.

    Attributes:
        reader: of imagined latents.
        chance: the probability that it happens in a scene.
    """

    reader: Reader
    chance: Callable[[Scene], float]

    def cost(self, rollout: Rollout) -> Float[Tensor, "b s"]:
        """See `Objective`. 1 less the chance; it has no slope, and only plans that bring it about
        tell planners where to look."""
        scenes = self.reader(rollout.latents.flatten(0, 1))
        found = torch.tensor([1 - self.chance(scene) for scene in scenes], dtype=torch.float32)
        return found.unflatten(0, rollout.latents.shape[:2])


def _touching(scene: Scene, time_s: float) -> set[tuple[str, str]]:
    """Labels of what touches at a moment."""
    names = dict(zip(scene.ids.tolist(), scene.labels, strict=True))

    def pair(contact: Contact) -> tuple[str, str]:
        one, other = sorted(names.get(i, "static") for i in (contact.a, contact.b))
        return one, other

    return {pair(c) for c in scene.contacts if c.start_s <= time_s <= c.end_s}
