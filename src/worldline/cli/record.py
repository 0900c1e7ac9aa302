"""`worldline record`: a Gymnasium environment, played and written down as a LeRobot dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from worldline.cli.output import Answer, JsonFlag, Seed, progress
from worldline.cli.process import Halt, Terminated, complain
from worldline.core.errors import InputError
from worldline.core.wording import counted, printable

if TYPE_CHECKING:
    from rich.console import Console

    from worldline.data.episode import Episode, EpisodeError

__all__ = ["Record"]


@dataclass(frozen=True)
class Record:
    """Play a Gymnasium environment with random actions; write frames, actions and rewards.

    OUT becomes a LeRobot v3 dataset. Needs the extra `record`, and for Atari, ViZDoom,
    highway-env and what draws with pygame (CartPole) `games`: `pip install -e '.[games]'` in
    Worldline's folder. An episode in which the environment fails is left out. Ctrl-C ends the
    recording; the episodes that were complete are a dataset.
    """

    env: Annotated[str, tyro.conf.arg(metavar="ENV_ID")]
    """Such as CartPole-v1 or ALE/Pong-v5; MODULE:ENV_ID imports a module first, of the working
    directory or an installed one."""
    out: Path
    """New or empty folder for the dataset."""
    episodes: int = 1
    """Episodes to write."""
    size: int = 64
    """Width and height of the frames in pixels; the whole picture is squeezed into it."""
    every: int = 1
    """Steps of the environment per frame; the action is held in between."""
    max_frames: int = 1000
    """Longer episodes are cut off."""
    hold: int = 1
    """Most frames for which a random action is held, each time at random from 1; what is held
    longer leads farther than what changes in every frame."""
    policy: Annotated[str | None, tyro.conf.arg(metavar="MODULE:NAME")] = None
    """Who plays instead of chance: called with a NumPy generator for each episode, it gives a
    function from observation to action."""
    option: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE...")] = ()
    """Arguments of the environment, such as repeat_action_probability=0."""
    fps: float | None = None
    """Frames per second at one step per frame, where the environment does not say."""
    json: JsonFlag = False
    seed: Seed = 0

    def run(self) -> Answer:
        """Play and write. Raises `InputError` for a bad number, environment or folder."""
        if self.episodes < 1 or self.every < 1:
            raise InputError("--episodes and --every must be at least 1")
        if self.hold < 1:
            raise InputError(f"--hold is {self.hold}; it must be at least 1")
        if not 16 <= self.size <= 1024 or self.size % 2:
            raise InputError(f"--size is {self.size}; it must be even and in 16 to 1024")
        if self.max_frames < 2:
            raise InputError(f"--max-frames is {self.max_frames}; it must be at least 2")
        if self.fps is not None and not self.fps > 0:
            raise InputError(f"--fps is {self.fps}; it must be a positive number")
        try:
            from worldline.data.players import load_policy
            from worldline.data.record import read_options, record
        except ModuleNotFoundError as error:
            if error.name != "gymnasium":
                raise
            raise InputError(
                "Gymnasium is missing: pip install -e '.[record]' in Worldline's folder"
            ) from None
        from worldline.data.episode import Quarantine
        from worldline.data.lerobot_write import write_lerobot

        quarantine = Quarantine()

        def report(error: EpisodeError) -> None:
            quarantine(error)
            complain(f"worldline: left out: {printable(str(error))}")

        stopped: list[BaseException] = []
        with Halt() as halt, progress("recording", self.episodes) as set_done:

            def played(episodes: Iterator[Episode]) -> Iterator[Episode]:
                try:
                    while True:
                        halt.obey()
                        with halt.open():
                            episode = next(episodes, None)
                        if episode is None:
                            return
                        meanings.append(None if episode.spec is None else episode.spec.to_json())
                        yield episode
                        set_done(len(meanings))
                except (KeyboardInterrupt, Terminated) as stop:
                    if not meanings:
                        raise
                    stopped.append(stop)

            meanings: list[dict[str, object] | None] = []
            episodes = record(
                self.env,
                num_episodes=self.episodes,
                seed=self.seed,
                size_px=self.size,
                every=self.every,
                max_frames=self.max_frames,
                fps=self.fps,
                hold=self.hold,
                policy=None if self.policy is None else load_policy(self.policy),
                options=read_options(self.option),
                on_reject=report,
            )
            done = write_lerobot(self.out, played(episodes), strict=False, on_reject=report)
        if stopped:
            kept = counted(done.num_episodes, "episode")
            complain(f"worldline: {self.out} is a dataset of {kept}, of {self.episodes}")
            raise stopped[0]
        return {
            "out": str(self.out),
            "env": self.env,
            "seed": self.seed,
            "episodes": done.num_episodes,
            "frames": done.num_frames,
            "fps": done.fps,
            "size_px": self.size,
            "actions": meanings[0],
            "files": list(done.files),
            "quarantined": quarantine.to_json(),
        }

    def show(self, answer: Answer, console: Console) -> None:
        """Say what was written, and what was left out."""
        names = ", ".join(answer["actions"]["names"])
        rate = f"{answer['fps']:g} frames/s, {answer['size_px']} pixels"
        episodes, frames = (counted(answer[f"{thing}s"], thing) for thing in ("episode", "frame"))
        console.print(f"{episodes}, {frames} at {rate}")
        console.print(f"actions: {names}")
        if answer["quarantined"]["num"]:
            console.print(f"left out: {counted(answer['quarantined']['num'], 'episode')}")
        console.print(f"dataset: {answer['out']}")
