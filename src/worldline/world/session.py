"""A live rollout: step, look, remember, fork."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from worldline.core.clip import Clip
from worldline.core.errors import InputError
from worldline.core.forecast import Forecast
from worldline.core.latents import Controls, Latents
from worldline.core.provenance import Origin, Provenance
from worldline.core.readings import Readings
from worldline.core.scene import Scene
from worldline.data.actions import ActionSpec
from worldline.dynamics.past import newest
from worldline.world.arguments import require_positive, require_seed
from worldline.world.given import Action, as_action
from worldline.world.hindsight import (
    RECENT,
    Moment,
    gather_moments,
    judge_moments,
    read_moments,
)
from worldline.world.monitor import AdaptiveRadius, Watch
from worldline.world.openings import as_clip
from worldline.world.outlook import Outlook
from worldline.world.prediction import predict_with_evidence
from worldline.world.render import make_reference, render_step

if TYPE_CHECKING:
    from worldline.world.world import World

__all__ = ["Session", "Snapshot"]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a session; never changes, may be kept and restored any number of times.

    Attributes:
        carry: of the dynamics.
        num_steps: frames generated so far.
        reference: what frames are rendered onto, with the tokenizer's carry.
        ahead: frames that are made and not yet shown, with the actions that led to them.
        actions: those given since the newest latent step was made.
        recent: the newest frames that were shown, oldest first, at most `RECENT`; they begin with
            those that the session was opened from.
        outlook: forecasts that wait for true frames, and what such frames taught.
        latents: `[1, 2, N, C]` of the two newest frames.
        reward: that the last step earned, as the world tells; 0 before the first step, and in
            worlds that tell none.
        end: probability that the last step ended the episode.
    """

    carry: Any
    num_steps: int
    reference: Any
    ahead: tuple[Moment, ...] = ()
    actions: tuple[Float[np.ndarray, " a"] | None, ...] = ()
    recent: tuple[Moment, ...] = ()
    outlook: Outlook = Outlook()
    latents: Float[Tensor, "1 2 n c"] | None = None
    reward: float = 0.0
    end: float = 0.0


class Session:
    """A rollout that goes on from a clip, one frame at a time.

    Sessions share the world's weights and nothing else: stepping one never touches another.

    A world whose tokenizer folds s frames into a latent step makes s frames at once: one call in s
    runs the network, and those after it show what is made already. So an action cannot change the
    frames that are made. It is kept until the next latent step, which takes the last s actions in
    their order: every action counts once, s - 1 frames later than in a world with an image
    tokenizer. The first latent step takes the action of the first call, with zeros before it.

    Where true frames come in while it runs, `observe` takes them in the place of made ones, and
    `forecast` says how far off bodies may be, by how far off they were.
    """

    def __init__(self, world: World, snapshot: Snapshot, opening: Clip, seed: int) -> None:
        self._world = world
        self._now = snapshot
        self._opening = opening
        self._seed = seed
        self._is_closed = False

    @classmethod
    def start(
        cls, world: World, source: Clip | Scene | Path | str, context: int, seed: int
    ) -> Session:
        """A session that goes on from the last `context` frames and what drove them; see
        `World.open`. Raises `InputError` for less than 1."""
        require_positive(context=context)
        seed = require_seed(seed)
        clip = as_clip(world, source, context, seed)
        view = world.look(clip)
        seen = world.newest(view.frames[-context:])
        seen_s = view.time_s[-len(seen) :]
        fed = world.feed(clip, seen_s)
        controls = fed.per_step(world.tokenizer.time_stride)
        generator = torch.Generator().manual_seed(seed)
        latents = world.encode_frames(seen)
        carry = world.dynamics.init(latents, controls, generator)
        first = int(np.abs(clip.time_s - seen_s[0]).argmin())
        opening = replace(clip.slice(first, first + 1), actions=None)
        reference = make_reference(world.tokenizer, seen[-1:], seen)
        now = Snapshot(
            carry,
            0,
            reference,
            recent=gather_moments(seen, fed),
            outlook=Outlook.begin(world.calibration),
            latents=newest(latents.tokens),
        )
        return cls(world, now, opening, seed)

    @property
    def num_steps(self) -> int:
        """Frames made or observed since the session was opened."""
        return self._now.num_steps

    @property
    def reward(self) -> float:
        """What the last step earned; 0 in a world that tells no rewards."""
        return self._now.reward

    @property
    def end(self) -> float:
        """Probability that the last step ended the episode; 0 in a world that tells none."""
        return self._now.end

    @property
    def levels(self) -> tuple[AdaptiveRadius, ...]:
        """Miscoverage that is asked of the calibration now, for each number of frames ahead."""
        return self._now.outlook.levels

    def adapt(self, levels: Sequence[AdaptiveRadius]) -> None:
        """Go on with the levels of another session. Raises `InputError` for another number, or a
        session that is closed."""
        self._require_open()
        self._now = replace(self._now, outlook=self._now.outlook.with_levels(levels))

    @torch.no_grad()
    def step(
        self, action: Action | None = None, *, guide: Clip | None = None
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Generate the next frame.

        Args:
            action: that leads to it; see `given.Action`.
            guide: one frame whose camera, maps and state are those of the next one, of the size of
                the clip that opened the session. Poses and depth are understood relative to the
                first frame that the session saw.

        Raises:
            InputError: an action of the wrong size or NaN, a guide of another size, or the session
                is closed.
        """
        self._require_open()
        fed, now = Controls() if guide is None else self._feed(guide), self._now
        actions, ahead = (*now.actions, self._take(action)), now.ahead
        carry, reference = now.carry, now.reference
        last, reward, end = now.latents, 0.0, 0.0
        if not ahead:
            driven = replace(fed, actions=self._gather(actions))
            carry, latents = self._world.dynamics.step(carry, driven)
            reference, drawn = render_step(self._world.tokenizer, latents, reference)
            led = (*[None] * (len(drawn[0]) - len(actions)), *actions)
            if self._world.reward is not None:
                assert last is not None
                reward, end = self._earn(last, latents.tokens[:, -1], driven.actions)
            ahead, actions = tuple(map(Moment, drawn[0], led)), ()
            last = latents.tokens if last is None else torch.cat([last, latents.tokens], dim=1)
            last = newest(last)
        recent = (*now.recent, ahead[0])[-RECENT:]
        self._now = Snapshot(
            carry=carry,
            num_steps=now.num_steps + 1,
            reference=reference,
            ahead=ahead[1:],
            actions=actions,
            recent=recent,
            outlook=now.outlook.blind(),
            latents=last,
            reward=reward,
            end=end,
        )
        return ahead[0].frame.copy()

    @torch.no_grad()
    def observe(
        self,
        frame: UInt8[np.ndarray, "h w 3"],
        action: Action | None = None,
        *,
        guide: Clip | None = None,
    ) -> None:
        """Take in the true next frame where `step` would make one.

        What follows goes on from it, and forecasts that were given for this moment are compared
        with it. To look ahead before it comes, `fork` the session and step the twin.

        Args:
            frame: of the world's size.
            action, guide: see `step`.

        Raises:
            InputError: as `step`; a frame of another size; or the world makes several frames at
                once, so that a single one cannot be taken in.
        """
        self._require_open()
        world, now = self._world, self._now
        if world.tokenizer.time_stride > 1:
            raise InputError(
                f"the world {world.name} makes {world.tokenizer.time_stride} frames at once and "
                "cannot observe a single one; open a new session on the frames seen"
            )
        before = now.recent[-1].frame
        if frame.shape != before.shape:
            raise InputError(f"frame is {frame.shape}, expected {before.shape}")
        fed, action = Controls() if guide is None else self._feed(guide), self._take(action)
        recent = (*now.recent, Moment(frame.copy(), action))[-RECENT:]
        latents = world.encode_frames(np.stack([before, frame]))
        seen = Latents(latents.tokens[:, -1:], latents.grid)
        driven = replace(fed, actions=self._gather((action,)))
        carry = world.dynamics.observe(now.carry, seen, driven)
        reference = make_reference(world.tokenizer, frame[None], frame[None])
        outlook = now.outlook.see(world.readout.detect(latents)[-1], world.size_px)
        self._now = Snapshot(
            carry=carry,
            num_steps=now.num_steps + 1,
            reference=reference,
            recent=recent,
            outlook=outlook,
            latents=latents.tokens,
        )

    @torch.no_grad()
    def forecast(self, *, horizon: int = 16, samples: int = 4, seed: int = 0) -> Forecast:
        """What `World.predict` says of the newest frames, with radii as true frames taught.

        Actions and other controls of the session are not part of it. The session stays where it is
        and waits for the frames that were forecast; the monitor's radii cover their share in the
        long run, as far as frames are observed. Without a calibrated monitor there are none.

        Raises:
            InputError: as `World.predict`, or the session is closed.
        """
        self._require_open()
        world, now = self._world, self._now
        shown = np.stack([moment.frame for moment in now.recent[-world.context :]])
        time_s, made = world.step_s * np.arange(len(shown)), self._opening.provenance
        forecast, evidence = predict_with_evidence(
            world,
            Clip(frames=shown, time_s=time_s, provenance=made),
            context=len(shown),
            horizon=horizon,
            samples=samples,
            seed=seed,
        )
        if "monitor" in world.calibration:
            found = world.readout.detect(world.encode_frames(shown))
            known = Watch.from_json(world.calibration["monitor"])
            outlook, forecast = now.outlook.expect(forecast, evidence, known, found)
            self._now = replace(now, outlook=outlook)
        return forecast

    def _take(self, action: Action | None) -> Float[np.ndarray, " a"] | None:
        if action is None:
            return None
        told = self._world.calibration.get("actions")
        spec = None if told is None else ActionSpec.from_json(told)
        return as_action(action, self._world.action_size, spec)

    def state(self) -> Scene:
        """What is where in the last frames, at most 32, as far as the world can tell.

        It is read off latents if the world's readout was trained, else off the pixels by motion.
        Times count from the opening's last frame, which is at 0. Raises `InputError` for a session
        that is closed.
        """
        self._require_open()
        now = self._now
        numbers = now.num_steps + np.arange(1 - len(now.recent), 1)
        source = self._opening.provenance.source
        made = Provenance(
            Origin.GENERATED, source, f"worldline world {self._world.name}", self._seed
        )
        return read_moments(self._world, now.recent, self._world.step_s * numbers, made)

    @property
    def trust(self) -> float:
        """In [0, 1], how familiar the last frames are to the world; costs a pass over them."""
        return self.judge()[0]

    def judge(self) -> tuple[float, str]:
        """Trust in the last `World.context` frames, and the reason in words; 0 if the world was not
        calibrated. Raises `InputError` for a session that is closed."""
        self._require_open()
        return judge_moments(self._world, self._now.recent, self._seed)

    def close(self) -> None:
        """End the session; a second time does nothing."""
        self._is_closed = True

    def _require_open(self) -> None:
        if self._is_closed:
            raise InputError("this session is closed; open another with World.open")

    def _earn(
        self,
        last: Float[Tensor, "1 2 n c"],
        led_to: Float[Tensor, "1 n c"],
        action: Float[Tensor, "1 1 a"] | None,
    ) -> tuple[float, float]:
        told = self._world.reward
        assert told is not None
        seen = told.pair(last[:, 0], last[:, 1], led_to)
        reward, end = told.read(*seen, None if action is None else action[:, 0])
        return float(reward[0]), float(end[0])

    def _gather(
        self, actions: tuple[Float[np.ndarray, " a"] | None, ...]
    ) -> Float[Tensor, "1 1 ka"] | None:
        """One latent step's actions, from those since the last; None if all are absent."""
        if all(action is None for action in actions):
            return None
        nothing = np.zeros(self._world.action_size)
        missing = self._world.tokenizer.time_stride - len(actions)
        known = [nothing if action is None else action for action in actions]
        together = np.concatenate([*[nothing] * missing, *known])
        return torch.as_tensor(together, dtype=torch.float32)[None, None]

    def snapshot(self) -> Snapshot:
        """This moment."""
        return self._now

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or across) to a moment. Raises `InputError` if the session is closed."""
        self._require_open()
        self._now = snapshot

    def fork(self) -> Session:
        """A second session from this moment, with the same noise to come.

        Raises `InputError` for one that is closed.
        """
        self._require_open()
        return Session(self._world, self._now, self._opening, self._seed)

    def _feed(self, now: Clip) -> Controls:
        """Controls of one frame, by feeding it together with the one that opened the session."""
        first = self._opening
        if now.frames.shape != first.frames.shape:
            raise InputError(
                f"guide: frames are {now.frames.shape}, expected one like those that the session "
                f"was opened with, {first.frames.shape}"
            )
        camera = None
        if now.camera is not None and first.camera is not None:
            poses = [first.camera.world_from_camera, now.camera.world_from_camera]
            camera = replace(now.camera, world_from_camera=np.concatenate(poses))
        shape = first.frames.shape[:3]
        depth_m = segmentation = state = None
        if now.depth_m is not None:
            before = np.full(shape, np.nan) if first.depth_m is None else first.depth_m
            depth_m = np.concatenate([before, now.depth_m])
        if now.segmentation is not None:
            segmentation = np.concatenate([now.segmentation, now.segmentation])
        if now.state is not None:
            rows = now.state
            unknown = np.zeros_like(rows.known)
            values, known = (
                np.concatenate([a, b])
                for a, b in ((rows.values, rows.values), (unknown, rows.known))
            )
            state = Readings(rows.names, values, known)
        both = Clip(
            frames=np.concatenate([first.frames, now.frames]),
            time_s=np.array([0.0, 1.0]),
            provenance=now.provenance,
            depth_m=depth_m,
            segmentation=segmentation,
            camera=camera,
            state=state,
        )
        return self._world.feed(both).frames(1, 2)
