"""The same rooms planned in by two families: flow dynamics beside those that predict latents.

    worldline record --env worldline.planning.two_rooms:worldline/TwoRooms-v0 --every 5 --size 32 \\
        --policy worldline.planning.two_rooms:wander --episodes 500 --max-frames 40 --out out/rooms
    OMP_NUM_THREADS=1 python benchmarks/plan_families.py --data out/rooms --run runs/rooms-flow

Both see through the encoder of the bundled `tworoom`, so that goals, landmarks and distances are
the same and only what is imagined differs. The flow world's network is a transformer that turns
noise into the next latent in one pass; all plans of a situation are compared in the same noise.
It takes several times as long for a plan, so it is also played with an eighth of the plans. All
rows play the same held-out episodes, those who know no world included.
Beside success stands how wrong a rollout is along recorded episodes that are held out, as a share
of copying's squared error, and the time of an action, in float32 and in the number type in which
the processor multiplies fastest, which is played in.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from record import write_record

from worldline.audit.suites.result import share_cell
from worldline.core.clip import Clip
from worldline.data.recorded import Recorded, open_recording
from worldline.dynamics import FlowDynamics
from worldline.planning import Imagination, Landmarks
from worldline.planning.agents import WorldAgent
from worldline.planning.measure import Looking, time_actions
from worldline.planning.tasks import RoomsTask
from worldline.planning.trials import Agent, Course, run_trials
from worldline.train import Recipe, load_recipe, train_world
from worldline.train.precision import working_type
from worldline.world import World
from worldline.world.openings import load_openings

COURSES = (Course(25, 50, "across"), Course(50, 100, "across"))
AHEAD = (1, 4, 8)
FEW = 16
"""Plans of a round where flow dynamics are to be quicker; usually 128."""


def flow_recipe(plan: Recipe, tokenizer: Any, steps: int) -> Recipe:
    """The recipe to plan in with flow dynamics alone, over latents that are encoded once."""
    usual: Any = plan.world
    channels = tokenizer.channels
    world = replace(
        usual,
        name="tworoom-flow",
        tokenizer=tokenizer,
        dynamics=FlowDynamics.Config(
            rows=1,
            coarse=1,
            channels=channels,
            stem_width=64,
            width=128,
            depth=3,
            shrinkage=0.0,  # one vector is all that changes
            controls=usual.dynamics.controls,
        ),
        readout=replace(usual.readout, channels=channels),
    )
    stage = next(stage for stage in plan.stages if stage.name == "dynamics")
    stage = replace(stage, trainer=replace(stage.trainer, steps=steps))
    return replace(plan, world=world, stages=(stage,))


def train_flow(data: str, seen_by: World, steps: int, folder: Path) -> World:
    """The flow world, which sees as another one does."""
    recipe = flow_recipe(load_recipe("plan", data=data), seen_by.config.tokenizer, steps)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        world = recipe.world.build()
    world.tokenizer.load_state_dict(seen_by.tokenizer.state_dict())
    world = train_world(recipe, folder, start=world)[0]
    return world.finished({"actions": seen_by.calibration["actions"]}, "")


def errors(imagination: Imagination, clips: Sequence[Clip]) -> dict[str, float]:
    """Squared errors of rollouts along what was done, over copying's, so many actions ahead."""
    latents = imagination.encode(np.stack([clip.frames for clip in clips]))
    done = torch.from_numpy(np.stack([clip.actions for clip in clips if clip.actions is not None]))
    done = done.float()
    led = torch.stack([torch.zeros_like(done[:, 0]), done[:, 0]], dim=1)
    plan = done[:, None, 1 : 1 + max(AHEAD)]
    ahead = imagination.imagine(imagination.begin_from(latents[:, :2], led), plan).latents[:, 0]
    told = {}
    for num in AHEAD:
        off = (ahead[:, num - 1] - latents[:, 1 + num]).square().mean()
        told[f"error_{num}"] = float(off / (latents[:, 1] - latents[:, 1 + num]).square().mean())
    return told


def in_type(world: World, dtype: torch.dtype) -> World:
    """The same world, whose dynamics compute in a number type."""
    twin = copy.deepcopy(world)
    twin.dynamics.to(dtype)
    return twin


def share(reached: np.ndarray) -> dict[str, float | None]:
    """Of episodes, with Wilson's interval."""
    cell = share_cell(reached.astype(float))
    return {"share": cell.value, "low": cell.low, "high": cell.high}


def play(agents: dict[str, dict[str, Agent]], num: int) -> dict[str, dict[str, Any]]:
    """Success of agents, by row and course, in the same episodes."""
    task = RoomsTask()
    told: dict[str, dict[str, Any]] = {}
    for course in COURSES:
        trials = task.trials(num, gap=course.gap, only=course.only, seed=0)
        for row, agent in agents[course.name].items():
            outcome = run_trials(task, trials, agent, budget=course.budget)
            reached = {"any_time": share(outcome.any_time), "final": share(outcome.final)}
            told.setdefault(row, {})[course.name] = reached
            print(row, course.name, reached, flush=True)
    return told


def agents_of(worlds: dict[str, World], clips: Sequence[Clip]) -> dict[str, dict[str, Agent]]:
    """Who plays, by course and row: both families along landmarks and straight on, the slower one
    with few plans too, and those who know no world or the true one."""
    task = RoomsTask()
    found: dict[str, dict[str, Agent]] = {}
    for name, world in worlds.items():
        imagination = Imagination(world)
        marks = Landmarks.of_clips(imagination, clips)
        ways = [Looking(), Looking(num_samples=FEW)] if name == "flow" else [Looking()]
        for looking, guide, course in itertools.product(ways, (marks, None), COURSES):
            row = f"{name}, {'straight' if guide is None else 'landmarks'}"
            row += f", {looking.num_samples} plans" * (looking.num_samples == FEW)
            found.setdefault(course.name, {})[row] = WorldAgent(
                imagination,
                looking.build(),
                horizon=looking.ahead(course, task.every, along=guide is not None),
                over=looking.over,
                guide=guide,
            )
    for course in COURSES:
        looking = Looking()
        ahead = looking.ahead(course, task.every)
        found[course.name] |= task.baselines(looking.build(), ahead, 0)
    return found


def times(world: World, clips: Sequence[Clip], num: int) -> dict[str, list[float]]:
    """Milliseconds of processor time of an action, at the median and the 95th percentile, by how
    plans are looked for."""
    imagination = Imagination(world)
    marks, told = Landmarks.of_clips(imagination, clips), {}
    ways = {"as played": Looking()}
    if isinstance(world.dynamics, FlowDynamics):
        ways[f"{FEW} plans"] = Looking(num_samples=FEW)
    for name, looking in ways.items():
        took = time_actions(imagination, RoomsTask(), looking, num, marks, clock=time.process_time)
        told[name] = took["as asked"]
        told["300 plans of 5"] = took["300 plans of 5"]
    return {
        name: [round(1000 * float(x), 1) for x in np.quantile(each, (0.5, 0.95))]
        for name, each in told.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="out/rooms")
    parser.add_argument("--run", type=Path, default=Path("runs/rooms-flow"))
    parser.add_argument("--steps", type=int, default=2400, help="of the flow world's dynamics")
    parser.add_argument("--episodes", type=int, default=40, help="of each course")
    parser.add_argument("--timed", type=int, default=20, help="actions")
    given = parser.parse_args()
    torch.set_num_threads(1)
    jepa, clips = World.from_pretrained("tworoom"), load_openings("tworoom")
    recording = open_recording(Recorded(folder=given.data, num_frames=20, stride=20))
    worlds = {"jepa": jepa, "flow": train_flow(given.data, jepa, given.steps, given.run)}
    fastest = working_type(half=True, device="cpu")
    held_out = list(recording.clips(jepa.size_px, held_out=True, num_frames=max(AHEAD) + 2))
    families: dict[str, Any] = {}
    for name, world in worlds.items():
        families[name] = {
            "parameters_of_dynamics": sum(x.numel() for x in world.dynamics.parameters()),
        }
        for dtype in dict.fromkeys((torch.float32, fastest)):
            typed = in_type(world, dtype)
            families[name][str(dtype).removeprefix("torch.")] = {
                **errors(Imagination(typed), held_out),
                "act_ms": times(typed, clips, given.timed),
            }
        print(name, families[name], flush=True)
    agents = agents_of({name: in_type(world, fastest) for name, world in worlds.items()}, clips)
    settings = {
        "episodes": given.episodes,
        "flow_steps": given.steps,
        "held_out_clips": len(held_out),
        "played_in": str(fastest).removeprefix("torch."),
    }
    rows = play(agents, given.episodes)
    write_record("plan_families", {**settings, "families": families, "rows": rows})


if __name__ == "__main__":
    main()
