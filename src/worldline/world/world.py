"""`World`: tokenizer, dynamics and readout under one roof, with what is known of their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import nn

from worldline.core.artifact import Artifact
from worldline.core.clip import Clip
from worldline.core.config import Config, config_from_json, register
from worldline.core.errors import ArtifactError, InputError
from worldline.core.forecast import Forecast
from worldline.core.imagined import Imagined
from worldline.core.latents import Controls, Latents
from worldline.core.provenance import Origin, Provenance
from worldline.core.scene import Scene
from worldline.data.text import SentenceEncoder
from worldline.dynamics import (
    ConstantVelocityWarp,
    Dynamics,
    FlowDynamics,
    TrajectoryForecaster,
    TrajectoryWarp,
)
from worldline.physics import check_laws, detect_events
from worldline.readout.latent import LatentReadout
from worldline.readout.link import uncrop
from worldline.tokenizer import ContinuousTokenizer, Tokenizer
from worldline.world.futures import draw_futures, read_future, read_scene, require_positive
from worldline.world.imagination import GUIDANCE, imagine
from worldline.world.parts import build_parts
from worldline.world.render import make_reference, measure_spread, render_onto, worst_verdicts
from worldline.world.session import Session, Snapshot
from worldline.world.storage import gather_tensors, load_part, open_artifact
from worldline.world.surprise import Surprise, grade
from worldline.world.trust import gather_evidence, judge
from worldline.world.view import View, look

__all__ = ["World"]

_DRAWS = 4
"""Futures drawn at least, so that the spread between them means something."""


class World:
    """A trained world model. Written once: families differ in their dynamics, not here."""

    @register("world")
    @dataclass(frozen=True)
    class Config(Config):
        """Parts and what they were trained on.

        Attributes:
            name: of the world.
            tokenizer, dynamics: configs of any family's.
            readout: config of the readout.
            trajectory: config of the forecaster of trajectories that forecasts correct, or None for
                a world whose dynamics paint everything themselves.
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
        step_min_s: float = 1 / 30
        step_max_s: float = 0.1
        context: int = 8
        ensemble_noise: float = 0.1

        def build(self) -> World:
            """Make the untrained world. Raises `ValueError` if its parts do not fit each other."""
            parts = build_parts(self.tokenizer, self.dynamics, self.readout, self.trajectory)
            return World(self, *parts, {}, "")

    def __init__(
        self,
        config: World.Config,
        tokenizer: Tokenizer,
        dynamics: Dynamics[Any],
        readout: LatentReadout,
        trajectory: TrajectoryForecaster | None,
        calibration: Mapping[str, Any],
        card: str,
    ) -> None:
        self.config = config
        self.tokenizer = tokenizer.eval()
        self.dynamics = dynamics.eval()
        self.readout = readout.eval()
        self.trajectory = None if trajectory is None else trajectory.eval()
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
        return self.dynamics.config.controls.action_size

    @property
    def parts(self) -> dict[str, nn.Module]:
        """The trained parts by name."""
        parts: dict[str, nn.Module] = {
            "tokenizer": self.tokenizer,
            "dynamics": self.dynamics,
            "readout": self.readout,
        }
        return parts if self.trajectory is None else {**parts, "trajectory": self.trajectory}

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
        parts = self.tokenizer, self.dynamics, self.readout, self.trajectory
        return World(self.config, *parts, calibration, card)

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
        config = config_from_json(artifact.config)
        if not isinstance(config, cls.Config):
            raise ArtifactError(f"{name_or_folder}: holds a {config.type_name}, not a world")
        world = config.build()
        for name, part in world.parts.items():
            load_part(part, artifact.tensors, name)
        return world.finished(artifact.calibration, artifact.card)

    def look(self, clip: Clip) -> View:
        """The clip as this world sees it."""
        spacing = (self.config.step_min_s, self.config.step_max_s)
        return look(clip, size_px=self.size_px, step_range_s=spacing)

    @torch.no_grad()
    def encode(self, clip: Clip) -> Latents:
        """Latents `[1, T, N, C]` of the clip as the world sees it."""
        return self.encode_frames(self.look(clip).frames)

    @torch.no_grad()
    def decode(self, latents: Latents) -> UInt8[np.ndarray, "b t h w 3"]:
        """Frames of latents."""
        return self.tokenizer.decode(latents).numpy()

    @torch.no_grad()
    def encode_frames(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Latents:
        """Latents of frames that already have the world's size, some hundred at a time."""
        parts = [
            self.tokenizer.encode(torch.from_numpy(frames[i : i + 256])[None]).tokens
            for i in range(0, len(frames), 256)
        ]
        return Latents(torch.cat(parts, dim=1), self.tokenizer.grid)

    @torch.no_grad()
    def perceive(self, clip: Clip) -> Scene:
        """Objects, trajectories, contacts and events as the latents tell, in the clip's pixels."""
        view = self.look(clip)
        latents = self.encode_frames(view.frames)
        scene = read_scene(self.readout, latents, view.time_s, self.size_px, clip.provenance)
        scene = uncrop(scene, view.crop_px, clip.size_px)
        return scene.with_events(detect_events(scene))

    @torch.no_grad()
    def surprise(self, clip: Clip, *, seed: int = 0) -> Surprise:
        """How unexpected each frame is, given only the frames before it."""
        view = self.look(clip)
        if len(view.frames) < 3:
            raise InputError(
                f"{clip.provenance.source or 'clip'}: {len(view.frames)} frames are too few to be "
                "surprised by; at least 3 are needed"
            )
        per_frame = self.raw_surprise(self.encode_frames(view.frames), seed=seed)
        return grade(view.time_s, per_frame, self.calibration)

    def raw_surprise(self, latents: Latents, *, seed: int) -> Float[np.ndarray, " t"]:
        """Squared latent error of each frame `[1, T, N, C]`, before calibration."""
        generator = torch.Generator().manual_seed(seed)
        return self.dynamics.surprises(latents, Controls(), generator)[0].double().numpy()

    @torch.no_grad()
    def predict(
        self,
        clip: Clip,
        *,
        context: int | None = None,
        horizon: int = 16,
        samples: int = 4,
        seed: int = 0,
        controls: Controls | None = None,
    ) -> Forecast:
        """Sample futures that follow the clip's last frames.

        Args:
            clip: any size and rate; see `worldline.world.view.look`.
            context: how many of its last frames are given to the world.
            horizon: frames to forecast.
            samples: futures.
            seed: of the noise; the same seed gives the same futures.
            controls: of the context's and the forecast's frames, for a batch of one.

        Raises:
            InputError: the clip is shorter than the context, a number is not positive, or the
                world cannot decode what it predicts.
        """
        self._require_pictures()
        context = self.context if context is None else context
        require_positive(context=context, horizon=horizon, samples=samples)
        view = self.look(clip)
        if len(view.frames) < context:
            raise InputError(
                f"{clip.provenance.source or 'clip'}: {context} context frames were asked for, the "
                f"clip has {len(view.frames)} at the world's frame rate"
            )
        seen = view.frames[-context:]
        latents = self.encode_frames(seen)
        futures = self.continue_latents(
            latents, horizon=horizon, samples=max(samples, _DRAWS), seed=seed, controls=controls
        )
        drawn = self.render_forecast(futures, seen, seed)
        uncertainty, uncertainty_px = measure_spread(
            drawn,
            self.calibration.get("uncertainty_scale", (1.0,)),
            self.calibration.get("uncertainty_floor", (0.0,)),
        )
        time_s = view.time_s[-1] + view.step_s * np.arange(1, horizon + 1)
        provenance = Provenance(
            Origin.GENERATED, clip.provenance.source, f"worldline world {self.name}", seed
        )
        seen_s = view.time_s[-context:]
        scenes = tuple(
            read_future(
                self.readout,
                (latents, self.encode_frames(future)),
                (seen_s, time_s),
                self.size_px,
                provenance,
            )
            for future in drawn[:samples]
        )
        trust, reason = judge(self.calibration, self._evidence(latents, seen, seed))
        return Forecast(
            frames=drawn[:samples],
            time_s=time_s,
            uncertainty=uncertainty,
            uncertainty_px=uncertainty_px,
            scenes=scenes,
            audit=worst_verdicts([check_laws(scene) for scene in scenes]),
            trust=trust,
            trust_reason=reason,
            context_frames=seen,
            crop_px=view.crop_px,
            provenance=provenance,
        )

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
    def open(self, clip: Clip, *, context: int | None = None, seed: int = 0) -> Session:
        """A live session that goes on from the clip's last frames."""
        self._require_pictures()
        seen = self.look(clip).frames[-(context or self.context) :]
        latents = self.encode_frames(seen)
        carry = self.dynamics.init(latents, Controls(), torch.Generator().manual_seed(seed))
        return Session(self, Snapshot(carry, 0, make_reference(self.tokenizer, seen[-1:])))

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
        latents = self.encode_frames(frames)
        futures = self.continue_latents(
            latents, horizon=horizon, samples=samples, seed=seed, controls=controls
        )
        return self.render_forecast(futures, frames, seed)

    def continue_latents(
        self,
        latents: Latents,
        *,
        horizon: int,
        samples: int,
        seed: int,
        controls: Controls | None = None,
    ) -> Latents:
        """Roll out `[S, H, N, C]` from context latents `[1, K, N, C]`; see `draw_futures`."""
        return draw_futures(
            self.dynamics,
            latents,
            controls or Controls(),
            horizon=horizon,
            samples=samples,
            seed=seed,
            noise=self.config.ensemble_noise,
        )

    def _require_pictures(self) -> None:
        if not self.tokenizer.can_decode:
            raise InputError(
                f"the world {self.name} predicts representations and has no decoder to show them; "
                "use its latents (encode, continue_latents, surprise) or train a decoder"
            )

    @property
    def warp(self) -> TrajectoryWarp | ConstantVelocityWarp:
        """What carries pixels along forecast trajectories; straight on if none are forecast."""
        if self.trajectory is None:
            return ConstantVelocityWarp()
        share = self.calibration.get("trajectory_share", (1.0,))
        gap_px = self.calibration.get("trajectory_gap_px", (float("inf"),))
        return TrajectoryWarp(self.trajectory, share=share, gap_px=gap_px)

    def render_forecast(
        self, futures: Latents, seen: UInt8[np.ndarray, "k h w 3"], seed: int
    ) -> UInt8[np.ndarray, "s t h w 3"]:
        """Decode futures as corrections to what was seen; see `render_onto`."""
        threshold = self.calibration.get("correction_threshold")
        return render_onto(self.tokenizer, self.warp, threshold, futures, seen, seed)

    @torch.no_grad()
    def context_features(self, clip: Clip, *, seed: int) -> Float[np.ndarray, " f"]:
        """Evidence for and against trust in a forecast from the clip's last frames."""
        seen = self.look(clip).frames[-self.context :]
        return self._evidence(self.encode_frames(seen), seen, seed)

    def _evidence(
        self, latents: Latents, frames: UInt8[np.ndarray, "t h w 3"], seed: int
    ) -> Float[np.ndarray, " f"]:
        surprise = self.raw_surprise(latents, seed=seed)[2:] if len(frames) > 2 else np.zeros(1)
        return gather_evidence(self.tokenizer, latents, frames, surprise)
