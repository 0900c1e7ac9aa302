"""Episodes out of any Gymnasium environment that draws what happens in it.

Needs the extra `record` (Gymnasium). Frames come from `render()` in the mode "rgb_array", which
needs no display, so that what the agent is shown does not matter.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float32, Int64

from worldline.core.errors import InputError
from worldline.core.provenance import Origin, Provenance
from worldline.data.environment import Stage
from worldline.data.episode import Episode, EpisodeError, FieldError, OnReject, reject
from worldline.data.players import Policy, gist

__all__ = ["read_options", "record"]

MAX_FAILURES_IN_A_ROW = 5
"""So many broken episodes one after another mean that the environment itself is broken."""

_MOST_FPS = 1e6


def record(
    env_id: str,
    *,
    num_steps: int | None = None,
    num_episodes: int | None = None,
    seed: int = 0,
    policy: Policy | None = None,
    hold: int = 1,
    size_px: int | None = None,
    every: int = 1,
    max_frames: int = 1000,
    fps: float | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    strict: bool = False,
    on_reject: OnReject | None = None,
) -> Iterator[Episode]:
    """Play episodes and yield them one after another.

    An episode in which the environment fails is left out, the environment is made anew and the
    recording goes on with the next one.

    Args:
        env_id: such as "CartPole-v1" or "ALE/Pong-v5"; "module:ID" imports the module first.
        num_steps: frames in all; the last episode is cut off there.
        num_episodes: episodes in all. Exactly one of the two.
        seed: of the environment and of random actions; each episode has its own, drawn from it.
        policy: makes the player of each episode; random actions of the action space if absent.
        hold: most frames that a random action is held for, drawn from 1 to this each time.
        size_px: shrink (or stretch) frames to a square of this side, all of the picture kept;
            as they are drawn if absent.
        every: steps of the environment per frame. The action is held in between, so that one
            action leads from each frame to the next; rewards are added up.
        max_frames: longer episodes are cut off, which counts as truncated.
        fps: frames per second at one step per frame. If absent, what the environment states; that
            is the speed to show it at, which need not be that of its own clock.
        options: keyword arguments of the environment, such as `repeat_action_probability=0` for
            Atari, which else repeats the action before at random.
        strict: raise at the first episode that fails.
        on_reject: told of each episode that is left out; a warning if absent.

    Raises:
        InputError: no such environment, it draws nothing, states no frame rate, or has actions of
            a kind that is not recorded; the policy chose an action that the environment has not,
            raised, or made no function that chooses.
        EpisodeError: an episode failed and `strict`, or several did in a row; the last one then
            tells why each of them did.
    """
    if (num_steps is None) == (num_episodes is None):
        raise InputError("record needs either num_steps or num_episodes")
    counts = {"num_steps": num_steps, "num_episodes": num_episodes, "size_px": size_px}
    for name, value in {**counts, "every": every, "hold": hold}.items():
        if value is not None and value < 1:
            raise InputError(f"{name} is {value}, expected 1 or more")
    if max_frames < 2:
        raise InputError(f"max_frames is {max_frames}, expected 2 or more")
    stage = Stage(env_id, options, size_px)
    try:
        rate = _rate(stage, fps) / every
        played = num_frames = num_done = 0
        failures: list[FieldError] = []  # of the last episodes, without one between that is good
        while num_done != num_episodes:
            most = max_frames if num_steps is None else min(max_frames, num_steps - num_frames)
            if most < 2:
                return
            try:
                episode = _play(stage, (seed, played), policy, hold, every, most, rate)
            except FieldError as error:
                failures.append(error)
                told = EpisodeError(env_id, played, error.field, error.reason)
                if len(failures) == MAX_FAILURES_IN_A_ROW and not strict:
                    raise EpisodeError(env_id, played, *_sum_up(failures)) from error
                reject(told, strict=strict, on_reject=on_reject)
                stage.open()
            else:
                failures.clear()
                num_done += 1
                num_frames += episode.num_frames
                yield episode
            played += 1
    finally:
        stage.close()


def _sum_up(failures: Sequence[FieldError]) -> tuple[str, str]:
    """Field and reason for the last of episodes that failed in a row: the commonest cause first."""
    causes = Counter((error.field, error.reason) for error in failures).most_common()
    (field, reason), times = causes[0]
    others = "".join(f"; {one} {why} in {num}" for (one, why), num in causes[1:])
    share = f"all {times}" if not others else f"{times} of {len(failures)}"
    return field, f"{reason}, in {share} episodes in a row{others}; no more are tried"


def _rate(stage: Stage, fps: float | None) -> float:
    rate = stage.stated_fps if fps is None else fps
    if rate is None or not 0 < rate < _MOST_FPS:
        raise InputError(f"{stage.env_id}: states no frame rate; name one with fps")
    return rate


def _play(
    stage: Stage,
    seeds: tuple[int, int],
    policy: Policy | None,
    hold: int,
    every: int,
    most: int,
    fps: float,
) -> Episode:
    space = stage.env.action_space
    reset_seed, action_seed = np.random.SeedSequence(seeds).generate_state(2).tolist()
    space.seed(action_seed)
    rng = np.random.default_rng(action_seed)
    choose = _chance(space, rng, hold) if policy is None else _player(policy, rng, stage.env_id)
    frames, actions, rewards, states = [], [], [], []
    observation = stage.reset(reset_seed)
    terminated = truncated = False
    num_steps = 0
    while len(frames) < most and not (terminated or truncated):
        frames.append(stage.draw())
        states.append(observation)
        action = choose(observation)
        if isinstance(space, spaces.Box):
            with contextlib.suppress(TypeError, ValueError):  # it is refused below
                action = np.asarray(action, space.dtype)
        if not space.contains(action):
            raise InputError(
                f"{stage.env_id}: the policy chose {action!r}, which is not in {space}"
            )
        actions.append(_row(space, action))
        reward = 0.0
        for _ in range(every):
            num_steps += 1
            observation, earned, terminated, truncated = stage.step(action, num_steps)
            reward += earned
            if terminated or truncated:
                break
        rewards.append(reward)
    if len(frames) < 2:
        raise FieldError("frames", "are a single one: the episode ended with its first step")
    if any(frame.shape != frames[0].shape for frame in frames):
        raise FieldError("frames", "change their size")
    vectors = _vectors(states)
    return Episode(
        frames=np.stack(frames),
        time_s=np.arange(len(frames)) / fps,
        spec=stage.spec,
        actions=np.stack(actions),
        rewards=np.asarray(rewards, np.float32),
        terminated=terminated,
        truncated=not terminated,
        state=vectors,
        state_names=_state_names(stage.env, vectors),
        task=stage.env_id,
        provenance=Provenance(
            origin=Origin.SIMULATED,
            source=stage.env_id,
            producer=f"gymnasium {gymnasium.__version__}",
            seed=seeds[0],
            details=(
                ("episode", str(seeds[1])),
                ("policy", "random" if policy is None else "given"),
                ("steps_per_frame", str(every)),
            ),
        ),
    )


def _player(policy: Policy, rng: np.random.Generator, env_id: str) -> Callable[[Any], Any]:
    """Who plays an episode. Raises `InputError` for a policy that makes nobody, as what it makes
    does where it fails: another episode would go no better."""
    try:
        choose = policy(rng)
    except Exception as error:  # somebody's code
        raise InputError(f"{env_id}: the policy failed ({gist(error)})") from error
    if not callable(choose):
        raise InputError(
            f"{env_id}: the policy gave a {type(choose).__name__}; it must give a function from "
            "observation to action"
        )

    def chosen(observation: Any) -> Any:
        try:
            return choose(observation)
        except Exception as error:  # somebody's code
            raise InputError(
                f"{env_id}: the policy failed to choose an action ({gist(error)})"
            ) from error

    return chosen


def _chance(space: Any, rng: np.random.Generator, hold: int) -> Callable[[Any], Any]:
    """Random actions, each held for a random time."""
    left, action = 0, None

    def choose(_: Any) -> Any:
        nonlocal left, action
        if left == 0:
            left, action = int(rng.integers(1, hold + 1)), space.sample()
        left -= 1
        return action

    return choose


def read_options(texts: Sequence[str]) -> dict[str, Any]:
    """Arguments of an environment out of NAME=VALUE, the values as JSON or else as plain text.

    Raises:
        InputError: a text without a name or without `=`.
    """
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"option {text!r}: write it as NAME=VALUE")
        try:
            options[name] = json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options


def _row(space: Any, action: Any) -> Float32[np.ndarray, " a"] | Int64[np.ndarray, " d"]:
    if isinstance(space, spaces.Box):
        return np.asarray(action, np.float32).ravel()
    start = np.asarray(space.start, np.int64).ravel()
    return np.asarray(action, np.int64).ravel() - start


def _state_names(env: Any, vectors: Float32[np.ndarray, "t s"] | None) -> tuple[str, ...]:
    """What the environment calls the numbers of its observation, where it says so."""
    called = tuple(map(str, getattr(env.unwrapped, "state_names", ())))
    return called if vectors is not None and len(called) == vectors.shape[1] else ()


def _vectors(observations: list[Any]) -> Float32[np.ndarray, "t s"] | None:
    first = observations[0]
    if not isinstance(first, np.ndarray) or first.ndim != 1 or first.dtype.kind not in "fiu":
        return None
    if not all(isinstance(each, np.ndarray) and each.shape == first.shape for each in observations):
        raise FieldError("state", "changes its shape")
    return np.stack(observations).astype(np.float32)
