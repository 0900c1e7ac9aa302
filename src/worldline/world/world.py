"""`World`: tokenizer, dynamics and readout under one roof, with what is known of their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import nn

from worldline.core.artifact import Artifact
from worldline.core.clip import Clip
from worldline.core.config import Config, register
from worldline.core.forecast import Forecast
from worldline.core.imagined import Imagined
from worldline.core.latents import Controls, Latents
from worldline.core.scene import Scene
from worldline.data.text import SentenceEncoder
from worldline.dynamics import (
    BodyForecaster,
    ConstantVelocityWarp,
    ControlEncoder,
    FlowDynamics,
    LatentActions,
    TrajectoryForecaster,
    TrajectoryWarp,
)
from worldline.physics import detect_events
from worldline.readout.latent import LatentReadout
from worldline.readout.link import uncrop
from worldline.readout.reward import RewardReadout
from worldline.tokenizer import ContinuousTokenizer
from worldline.world.calibration import check_calibration
from worldline.world.feed import feed_world, read_scale, write_scale
from worldline.world.futures import draw_futures, read_scene
from worldline.world.imagination import GUIDANCE, imagine
from worldline.world.parts import Parts, build_parts, check_numbers
from worldline.world.prediction import predict, require_pictures
from worldline.world.render import calibrated_warp, continue_pictures, render_onto
from worldline.world.session import Session
from worldline.world.storage import build_stored, gather_tensors, load_parts, open_artifact
from worldline.world.stream import count_ahead, encode_long
from worldline.world.surprise import Surprise, measure_surprise
from worldline.world.trust import gather_evidence
from worldline.world.view import View, look

__all__ = ["World"]

_UPGRADES = {1: {"bodies": None}, 2: {"reward": None}, 3: {"inverse": None}}


class World:
    """A trained world model. Written once: families differ in their dynamics, not here."""

    @register("world", version=4, upgrades=_UPGRADES)
    @dataclass(frozen=True)
    class Config(Config):
        """Parts and what they were trained on.

        Attributes:
            name: of the world.
            tokenizer, dynamics: configs of any family's.
            readout: config of the readout.
            trajectory: config of the forecaster of trajectories that forecasts correct, or None for
                a world whose dynamics paint everything themselves.
            bodies: config of the forecaster of whole bodies, or None for a world without one.
            reward: config of what tells rewards and ends of episodes, or None.
            inverse: config of what reads latent actions off frames, in a world that learned from
                video without actions, or None.
            step_min_s, step_max_s: frame spacings of the training data.
            context: frames that a forecast starts from by default.
            ensemble_noise: standard deviation of what is added to the context latents of every
                future but the first.
        """

        name: str = "untrained"
        tokenizer: Config = ContinuousTokenizer.Config()
        dynamics: Config = FlowDynamics.Config()
        readout: LatentReadout.Config = LatentReadout.Config()
        trajectory: TrajectoryForecaster.Config | None = TrajectoryForecaster.Config()
        bodies: BodyForecaster.Config | None = None
        reward: RewardReadout.Config | None = None
        inverse: LatentActions.Config | None = None
        step_min_s: float = 1 / 30
        step_max_s: float = 0.1
        context: int = 8
        ensemble_noise: float = 0.1

        def __post_init__(self) -> None:
            check_numbers(self.step_min_s, self.step_max_s, self.context, self.ensemble_noise)

        def build(self) -> World:
            """Make the untrained world. Raises `ValueError` if its parts do not fit each other."""
            parts = build_parts(
                self.tokenizer,
                self.dynamics,
                self.readout,
                self.trajectory,
                self.bodies,
                self.reward,
                self.inverse,
            )
            return World(self, parts, {}, "")

    def __init__(
        self,
        config: World.Config,
        parts: Parts,
        calibration: Mapping[str, Any],
        card: str,
    ) -> None:
        self.config = config
        self.whole = parts.eval()
        self.tokenizer, self.dynamics, self.readout = parts.tokenizer, parts.dynamics, parts.readout
        self.trajectory, self.bodies, self.reward = parts.trajectory, parts.bodies, parts.reward
        self.inverse = parts.inverse
        self.calibration = calibration
        self.card = card

    @property
    def name(self) -> str:
        """Name of the world."""
        return self.config.name

    @property
    def size_px(self) -> int:
        """Side of the square frames that the world works in."""
        return self.tokenizer.size_px

    @property
    def step_s(self) -> float:
        """Middle of the frame spacings that the world was trained on."""
        return (self.config.step_min_s * self.config.step_max_s) ** 0.5

    @property
    def context(self) -> int:
        """Frames that a forecast starts from by default."""
        return self.config.context

    @property
    def action_size(self) -> int:
        """Numbers per action; 0 if the world takes none."""
        return self.dynamics.config.controls.action_size // self.tokenizer.time_stride

    @property
    def controls(self) -> ControlEncoder.Config:
        """Which controls the world takes with each frame."""
        return replace(self.dynamics.config.controls, action_size=self.action_size)

    @property
    def state_scale(self) -> tuple[Float[np.ndarray, " s"], Float[np.ndarray, " s"]]:
        """Mean and standard deviation of each reading of the state in the training data."""
        return read_scale(self.controls, self.calibration)

    def with_state(self, mean: Float[np.ndarray, " s"], std: Float[np.ndarray, " s"]) -> World:
        """The same world, with readings normalised by these numbers from here on."""
        return self.finished({**self.calibration, **write_scale(mean, std)}, self.card)

    def feed(self, clip: Clip, time_s: Float[np.ndarray, " t"] | None = None) -> Controls:
        """What the clip brings beside its pictures, as controls `[1, T]`; see `feed_controls`.

        Args:
            clip: of any size.
            time_s: moments on its clock; its own frames if absent.

        Raises:
            InputError: a control is of another width than the world takes.
        """
        return feed_world(self, clip, clip.time_s if time_s is None else time_s)

    @property
    def parts(self) -> dict[str, nn.Module]:
        """The trained parts by name."""
        return self.whole.by_name()

    @property
    def num_parameters(self) -> int:
        """Of all parts."""
        return sum(p.numel() for part in self.parts.values() for p in part.parameters())

    def to(self, device: str) -> World:
        """Move all parts to a device, in place."""
        for part in self.parts.values():
            part.to(device)
        return self

    def finished(self, calibration: Mapping[str, Any], card: str) -> World:
        """The same world with what was measured after training."""
        return World(self.config, self.whole, calibration, card)

    def save(self, folder: str | Path, *, dtype: torch.dtype | None = torch.bfloat16) -> None:
        """Write the world as an artifact; half precision unless told otherwise."""
        artifact = Artifact(
            self.config.to_json(), gather_tensors(self.parts), self.calibration, self.card
        )
        artifact.save(folder, dtype=dtype)

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path = "small") -> World:
        """Open a bundled world by name, or any saved one by folder.

        Raises:
            ArtifactError: there is none, or it does not fit this program; says which tensor.
        """
        artifact = open_artifact(name_or_folder)
        world: World = build_stored(artifact, cls.Config, name_or_folder)
        load_parts(world.parts, artifact.tensors, name_or_folder)
        check_calibration(artifact.calibration, world.controls.state_names, name_or_folder)
        return world.finished(artifact.calibration, artifact.card)

    def look(self, clip: Clip) -> View:
        """The clip as this world sees it."""
        spacing = (self.config.step_min_s, self.config.step_max_s)
        return look(clip, size_px=self.size_px, step_range_s=spacing)

    @torch.no_grad()
    def encode(self, clip: Clip) -> Latents:
        """Latents `[1, T, N, C]` of the clip as the world sees it; see `encode_frames`."""
        return self.encode_frames(self.look(clip).frames)

    @torch.no_grad()
    def decode(self, latents: Latents) -> UInt8[np.ndarray, "b t h w 3"]:
        """Frames of latents."""
        return self.tokenizer.decode(latents).numpy()

    @torch.no_grad()
    def encode_frames(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Latents:
        """Latents of the newest frames that make whole latent steps, some hundred at a time.

        The frames already have the world's size.
        """
        return encode_long(self.tokenizer, torch.from_numpy(self.newest(frames))[None])[1]

    def newest(self, frames: UInt8[np.ndarray, "t h w 3"]) -> UInt8[np.ndarray, "k h w 3"]:
        """The newest 1 + k * time_stride frames, which make whole latent steps."""
        return frames[len(frames) - self.tokenizer.whole_frames(len(frames)) :]

    @torch.no_grad()
    def perceive(self, clip: Clip) -> Scene:
        """Objects, trajectories, contacts and events in the clip's pixels, as the latents of its
        newest whole steps tell."""
        view = self.look(clip)
        latents = self.encode_frames(view.frames)
        time_s = view.time_s[-self.tokenizer.whole_frames(len(view.time_s)) :]
        scene = read_scene(self.readout, latents, time_s, self.size_px, clip.provenance)
        scene = uncrop(scene, view.crop_px, clip.size_px)
        return scene.with_events(detect_events(scene))

    @torch.no_grad()
    def surprise(self, clip: Clip, *, seed: int = 0) -> Surprise:
        """How unexpected each frame is, given only the frames before it."""
        return measure_surprise(self, clip, seed=seed)

    def raw_surprise(
        self, latents: Latents, *, seed: int, controls: Controls | None = None
    ) -> Float[np.ndarray, " t"]:
        """Squared latent error of each latent step `[1, T, N, C]`, before calibration.

        `controls` are those of the steps' frames.
        """
        generator = torch.Generator().manual_seed(seed)
        known = (controls or Controls()).per_step(self.tokenizer.time_stride)
        return self.dynamics.surprises(latents, known, generator)[0].double().numpy()

    def predict(
        self,
        clip: Clip,
        *,
        context: int | None = None,
        horizon: int = 16,
        samples: int = 4,
        seed: int = 0,
        controls: Controls | None = None,
        guide: Clip | None = None,
    ) -> Forecast:
        """Sample futures that follow the clip's last frames.

        Args:
            clip: any size and rate; see `worldline.world.view.look`.
            context: how many of its last frames are given to the world, which takes the newest of
                them that make whole latent steps.
            horizon: frames to forecast.
            samples: futures.
            seed: of the noise; the same seed gives the same futures.
            controls: of the context's and the forecast's frames, for a batch of one; they take
                the place of the guide's.
            guide: a clip on the same clock, whose actions, camera, state and maps drive the frames
                in so far as it covers them; the clip itself if absent. Of its pictures only maps
                of edges are made.

        Raises:
            InputError: the clip is shorter than the context, a number is not positive, a control
                does not fit, or the world cannot decode what it predicts.
        """
        context = self.context if context is None else context
        numbers = {"context": context, "horizon": horizon, "samples": samples, "seed": seed}
        return predict(self, clip, **numbers, controls=controls, guide=guide)

    def imagine(
        self,
        text: str,
        *,
        horizon: int = 16,
        samples: int = 4,
        seed: int = 0,
        guidance: float = GUIDANCE,
        num_steps: int | None = None,
        encoder: SentenceEncoder | None = None,
    ) -> Imagined:
        """Create clips from a sentence alone; see `worldline.world.imagination.imagine`."""
        numbers = {"horizon": horizon, "samples": samples, "seed": seed, "num_steps": num_steps}
        return imagine(self, text, **numbers, guidance=guidance, encoder=encoder)

    @torch.no_grad()
    def open(
        self, source: Clip | Scene | Path | str, *, context: int | None = None, seed: int = 0
    ) -> Session:
        """A live session that goes on from a clip's last frames and what drove them, or from a
        scene, the path of one, or a sentence; see `worldline.world.openings.as_clip`.

        Raises:
            InputError: `context` is less than 1, the world cannot decode what it predicts, or not
                start from such a source.
        """
        require_pictures(self)
        return Session.start(self, source, self.context if context is None else context, seed)

    @torch.no_grad()
    def continue_frames(
        self,
        frames: UInt8[np.ndarray, "k h w 3"],
        *,
        horizon: int,
        samples: int,
        seed: int,
        controls: Controls | None = None,
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """Futures of context frames that already have the world's size and rate; pixels only."""
        seen = self.newest(frames)
        led = controls and controls.frames(len(frames) - len(seen))
        drawn = {"horizon": horizon, "samples": samples, "seed": seed}
        return continue_pictures(self, seen, controls=led, **drawn)

    def continue_latents(
        self,
        latents: Latents,
        *,
        horizon: int,
        samples: int,
        seed: int,
        controls: Controls | None = None,
    ) -> Latents:
        """Roll out from context latents `[1, K, N, C]`; see `draw_futures`.

        `horizon` and `controls` are those of frames: as many latent steps are rolled out as it
        takes, `[S, H, N, C]` with H = horizon for an image tokenizer.
        """
        return draw_futures(
            self.dynamics,
            latents,
            (controls or Controls()).per_step(self.tokenizer.time_stride),
            horizon=count_ahead(self.tokenizer, horizon),
            samples=samples,
            seed=seed,
            noise=self.config.ensemble_noise,
        )

    @property
    def warp(self) -> TrajectoryWarp | ConstantVelocityWarp:
        """What carries pixels along forecast trajectories; straight on if none are forecast."""
        return calibrated_warp(self.trajectory, self.calibration)

    def render_forecast(
        self, futures: Latents, seen: UInt8[np.ndarray, "k h w 3"], seed: int, *, horizon: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """Frames of futures as corrections to what was seen; see `render_onto`."""
        return render_onto(self, futures, seen, seed, horizon)

    @torch.no_grad()
    def context_features(self, clip: Clip, *, seed: int) -> Float[np.ndarray, " f"]:
        """Evidence for and against trust in a forecast from the clip's last frames."""
        view = self.look(clip)
        seen = self.newest(view.frames[-self.context :])
        led = self.feed(clip, view.time_s[-len(seen) :])
        return self.weigh(self.encode_frames(seen), seen, seed, led)

    def weigh(
        self,
        latents: Latents,
        frames: UInt8[np.ndarray, "t h w 3"],
        seed: int,
        controls: Controls | None = None,
    ) -> Float[np.ndarray, " f"]:
        """As `context_features`, of frames of whole latent steps, their latents and controls."""
        raw = self.raw_surprise(latents, seed=seed, controls=controls)
        return gather_evidence(self.tokenizer, latents, frames, raw)
