"""A robot loop: an environment stepped by a planner at a fixed rate, recorded for rerun.

    python examples/robot_loop.py --seconds 20 --rate-hz 2 [--recording out/loop.rrd]

Every period the camera is read, a plan is looked for until the period's budget is used up, and its
first action is held until the next one; it ends at the goal, or when its seconds are over. Late
periods are counted, never made up for. Recorded (with `pip install -e '.[rerun]'`) are the camera,
the futures that the chosen plan imagines, the plan, its cost, the time it took, and how familiar
what is imagined is: 1 where the world knows its way.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import gymnasium
import numpy as np
import torch

import worldline.planning.two_rooms  # noqa: F401 (registers the environment)
from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.latents import Latents
from worldline.planning import (
    ICEM,
    Familiarity,
    Imagination,
    Landmarks,
    PathGoal,
    Weighted,
    cost_of,
    shift,
)
from worldline.planning.rooms import Rooms
from worldline.world import World
from worldline.world.openings import load_openings

HOLD = 5
"""Steps of the environment that an action is held for, as in what the world learned from."""


def main() -> dict[str, float]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--world", default="tworoom")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate-hz", type=float, default=2.0)
    parser.add_argument("--trust", type=float, default=0.1, help="weight of the trust penalty")
    parser.add_argument("--recording", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if not (given.seconds > 0 and given.rate_hz > 0):
        parser.error("--seconds and --rate-hz must be more than 0")
    torch.set_num_threads(1)
    log = Recording(given.recording)

    try:
        imagination = Imagination(World.from_pretrained(given.world))
        clips = load_openings(given.world)
    except InputError as error:
        raise SystemExit(f"robot_loop.py: {error}") from None
    world, planner = imagination.world, ICEM(num_rounds=6)
    if world.action_size != 2:
        raise SystemExit(f"robot_loop.py: {world.name} takes other actions than TwoRooms has, 2")
    generator = torch.Generator().manual_seed(given.seed)
    trust, landmarks = familiarity(imagination, clips), Landmarks.of_clips(imagination, clips)
    env = gymnasium.make("worldline/TwoRooms-v0", render_mode="rgb_array", size_px=world.size_px)
    # of a seed of its own, or the agent would begin where its goal is
    target = Rooms.usual(1).place(np.random.default_rng((given.seed, 1)))
    env.reset(seed=given.seed, options={"goal_m": target[0]})
    picture = torch.from_numpy(Rooms.usual(1).draw(target, world.size_px))
    goal = PathGoal(landmarks, imagination.encode(picture[:, None])[:, 0])
    objective = Weighted(((1.0, goal), (given.trust, trust)))
    log.image("goal", picture[0].numpy())

    period_s, late, there, warm = 1 / given.rate_hz, 0, False, None
    num = round(given.seconds * given.rate_hz)
    done = 0
    for done in range(1, num + 1):
        begun = time.perf_counter()
        frame = env.render()
        situation = imagination.begin(torch.from_numpy(frame.copy())[None, None])
        plan = planner.plan(
            cost_of(imagination, situation, objective),
            imagination.space,
            num=1,
            horizon=6,
            generator=generator,
            warm=warm,
            budget_s=0.8 * period_s,
        )
        warm = shift(plan.center)
        future = imagination.imagine(situation, plan.actions[:, None])
        known = 1 / (1 + float(trust.cost(future)))
        log.at(done, frame=frame, plan=plan, known=known)
        log.future(world, future.latents[0, 0])
        for _ in range(HOLD):
            there = there or bool(env.step(plan.actions[0, 0].numpy())[2])
        left = period_s - (time.perf_counter() - begun)
        late += left < 0
        time.sleep(max(0.0, left))
        if there:
            break
    env.close()
    told = {"periods": done, "late": late, "reached": float(there)}
    print(", ".join(f"{name} {value:g}" for name, value in told.items()))
    return told


def familiarity(imagination: Imagination, clips: list[Clip]) -> Familiarity:
    """The trust penalty, of clips that are beside a world's weights."""
    seen, usual = [], []
    for clip in clips:
        latents = imagination.encode(torch.from_numpy(clip.frames)[None])
        moved = torch.from_numpy(clip.actions)[None, :-1].float()
        each = imagination.begin_from(latents[0, :-1, None])
        ahead = imagination.imagine(each, moved[0, :, None, None])
        seen.append(latents[0].flatten(1))
        usual.append(ahead.latents[:, 0, 0].flatten(1))
    half = len(seen) // 2
    return Familiarity.measured(torch.cat(seen[:half]), torch.cat(usual[half:]))


class Recording:
    """A rerun recording, or nothing where no file is named."""

    def __init__(self, path: Path | None) -> None:
        self.rr = None
        if path is not None:
            try:
                import rerun
            except ImportError as error:
                raise SystemExit(
                    f"robot_loop.py: --recording needs rerun ({error}): pip install -e '.[rerun]' "
                    "in Worldline's folder"
                ) from None
            self.rr = rerun
            path.parent.mkdir(parents=True, exist_ok=True)
            rerun.init("worldline", spawn=False)
            rerun.save(path)

    def image(self, name: str, picture: np.ndarray) -> None:
        """A picture that holds from now on."""
        if self.rr is not None:
            self.rr.log(name, self.rr.Image(picture))

    def at(self, step: int, *, frame: np.ndarray, plan, known: float) -> None:
        """What one period saw and chose."""
        if self.rr is None:
            return
        self.rr.set_time("period", sequence=step)
        self.image("camera", frame)
        self.rr.log("plan/actions", self.rr.Tensor(plan.actions[0].numpy()))
        numbers = {"cost": float(plan.cost[0]), "spent_s": plan.spent_s, "trust": known}
        for name, value in numbers.items():
            self.rr.log(f"plan/{name}", self.rr.Scalars(value))

    def future(self, world: World, latents: torch.Tensor) -> None:
        """What the chosen plan leads to, side by side, if the world can draw."""
        if self.rr is not None and world.tokenizer.can_decode:
            frames = world.decode(Latents(latents[None], world.tokenizer.grid))[0]
            self.image("imagined", np.concatenate(list(frames), axis=1))


if __name__ == "__main__":
    main()
