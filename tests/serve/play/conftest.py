"""A tiny untrained world with two openings on disk, and apps that play in it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from tests.discs import disc_clips

from worldline.core import Clip
from worldline.data.actions import ActionSpec
from worldline.dynamics import ControlEncoder, FlowDynamics
from worldline.readout.latent import LatentReadout
from worldline.readout.reward import RewardReadout
from worldline.serve.play import PlayConfig, create_play_app
from worldline.serve.play.pictures import CUT, FORKED, HEADER
from worldline.tokenizer import ContinuousTokenizer
from worldline.world import World
from worldline.world.openings import load_openings, save_openings

STICK = ActionSpec(("right", "up", "grip"), low=(-1.0,) * 3, high=(1.0,) * 3)


@dataclass(frozen=True)
class Seen:
    """A frame off the wire."""

    flags: int
    frame: int
    oldest: int
    act: int
    actions: list[list[float]]
    pictures: list[bytes]
    trust: float


def unpack(data: bytes) -> Seen:
    version, flags, width, frame, oldest, act, size, *_, trust = HEADER.unpack_from(data)
    assert version == 1
    count = 2 if flags & FORKED else 1
    numbers = struct.unpack_from(f"<{count * width}f", data, HEADER.size)
    start = HEADER.size + 4 * count * width
    pictures = [data[start : start + size], data[start + size :]][:count]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    actions = [list(numbers[i * width : (i + 1) * width]) for i in range(count)]
    return Seen(flags, frame, oldest, act, actions, pictures, trust)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved world that answers to three numbers; its outputs are shaken so that all matter."""
    place = tmp_path_factory.mktemp("worlds") / "tiny"
    config = World.Config(
        name="tiny",
        tokenizer=ContinuousTokenizer.Config(
            fine_width=8, coarse_width=8, fine_depth=1, coarse_depth=1
        ),
        dynamics=FlowDynamics.Config(
            stem_width=8,
            width=16,
            depth=3,
            heads=1,
            window=4,
            controls=ControlEncoder.Config(action_size=3, everywhere=True),
        ),
        readout=LatentReadout.Config(width=8, depth=1),
        trajectory=None,
        reward=RewardReadout.Config(action_size=3, width=8, depth=1),
        context=4,
        step_min_s=0.05,
        step_max_s=0.05,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = config.build()
        with torch.no_grad():
            for parameter in world.dynamics.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    calibration = {"actions": STICK.to_json(), "play": {"scheme": "stick"}}
    world.finished(calibration, "").save(place, dtype=None)
    clips = [clip.slice(0, 6) for clip in disc_clips(2)]
    save_openings(place, [replace(clip, actions=np.zeros((6, 3))) for clip in clips])
    return place


@pytest.fixture(scope="session")
def world(folder: Path) -> World:
    return World.from_pretrained(folder)


@pytest.fixture(scope="session")
def openings(folder: Path) -> list[Clip]:
    return load_openings(folder)


@pytest.fixture
def config(folder: Path) -> PlayConfig:
    return PlayConfig(str(folder), max_players=2)


@contextmanager
def serve(config: PlayConfig) -> Iterator[TestClient]:
    with TestClient(create_play_app(config), base_url="http://localhost") as client:
        yield client


class Caller:
    """One player: says things, and waits for what comes."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.hello: dict[str, Any] = {}

    def say(self, kind: str, **fields: Any) -> None:
        self.socket.send_text(json.dumps({"type": kind, **fields}))

    def begin(self, **fields: Any) -> dict[str, Any]:
        self.say("open", **fields)
        self.hello = self.wait("hello")
        return self.hello

    def take(self) -> Seen | dict[str, Any]:
        event = self.socket.receive()
        if event["type"] == "websocket.close":
            return {"type": "closed", "code": event["code"], "reason": event.get("reason", "")}
        if event.get("text") is not None:
            return json.loads(event["text"])
        return unpack(event["bytes"])

    def wait(self, kind: str) -> dict[str, Any]:
        """The next message of a type; frames before it are passed over."""
        while True:
            found = self.take()
            if isinstance(found, dict) and found["type"] == kind:
                return found
            assert not isinstance(found, dict) or found["type"] != "closed", found

    def frame(self, *, least: int = 0, act: int = 0) -> Seen:
        """The next frame of at least a number, that counts at least an action."""
        while True:
            found = self.take()
            if isinstance(found, Seen) and found.frame >= least and found.act >= act:
                return found
            assert not isinstance(found, dict) or found["type"] != "closed", found

    def stop(self) -> Seen:
        """Pause, and the frame at which the world then stands."""
        self.say("rewind", frames=0)
        self.wait("state")  # goes out before the frame that belongs to it
        seen = self.frame()
        while not seen.flags & CUT:
            seen = self.frame()
        return seen


@contextmanager
def call(client: TestClient, **headers: str) -> Iterator[Caller]:
    with client.websocket_connect("/v1/play", headers={"host": "localhost", **headers}) as socket:
        yield Caller(socket)
