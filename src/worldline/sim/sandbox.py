"""A sandbox to play in: a hand that pushes, lifts, throws and pokes bodies in a box.

Seen from the side, under gravity. Physics is MuJoCo's; whatever moves keeps to the plane. The
environment is Gymnasium's (`worldline/Sandbox-v0`, which needs the extra `record`), so that it is
recorded, trained on and played as any other.
"""

# MuJoCo's compiled modules come without type stubs
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import cv2
import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, Float32, UInt8

__all__ = [
    "BODIES",
    "COLORS",
    "ENV_ID",
    "HALF_M",
    "HAND_M",
    "OPEN",
    "RATE_HZ",
    "SHUT",
    "WORLD_M",
    "SandboxEnv",
    "explore",
    "press_keys",
]

ENV_ID = "worldline/Sandbox-v0"

WORLD_M = 4.0
"""Side of the box, all of which is seen."""

RATE_HZ = 15
_SUBSTEPS = 16
HAND_M, _HAND_MPS = 0.22, 4.0
_REACH_M = 0.16
"""The hand grips what is so near to its rim."""
_GOAL_M = 2.8
"""Bodies to the right of this count as put away."""

BODIES = ("ball", "box", "plank")
HALF_M = {"ball": (0.3, 0.3), "box": (0.3, 0.3), "plank": (0.6, 0.14)}
COLORS = {"ball": (240, 150, 50), "box": (70, 120, 220), "plank": (90, 180, 100)}
OPEN, SHUT, _GROUND, _GOAL = (235, 235, 235), (230, 60, 70), (34, 36, 44), (52, 58, 70)


def _model() -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.option.timestep = 1 / (RATE_HZ * _SUBSTEPS)
    spec.option.gravity = [0, 0, -6.0]
    half = WORLD_M / 2
    walls = (
        ((half, 0, -0.5), (half + 1, 1, 0.5)),
        ((half, 0, WORLD_M + 0.5), (half + 1, 1, 0.5)),
        ((-0.5, 0, half), (0.5, 1, half + 1)),
        ((WORLD_M + 0.5, 0, half), (0.5, 1, half + 1)),
    )
    kinds = mujoco.mjtGeom
    touch: dict[str, Any] = {"friction": [0.6, 0.005, 0.0001], "solref": [0.01, 0.6]}
    for place, size in walls:
        spec.worldbody.add_geom(type=kinds.mjGEOM_BOX, pos=place, size=size, **touch)
    for name in BODIES:
        width, height = HALF_M[name]
        body = spec.worldbody.add_body(name=name)
        _plane_joints(body, turns=True)
        if name == "ball":
            kind, size = kinds.mjGEOM_SPHERE, [width, 0, 0]
        else:
            kind, size = kinds.mjGEOM_BOX, [width, 0.2, height]
        body.add_geom(type=kind, size=size, mass=1.0, **touch)
    hand = spec.worldbody.add_body(name="hand", gravcomp=1.0)
    _plane_joints(hand, turns=False)
    hand.add_geom(type=kinds.mjGEOM_SPHERE, size=[HAND_M, 0, 0], mass=4.0, **touch)
    for axis in "xz":
        motor = spec.add_actuator(name=axis, target=f"hand_{axis}")
        motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
        motor.set_to_velocity(kv=120.0)
    for name in BODIES:
        grip = spec.add_equality(name=name, name1="hand", name2=name)
        grip.type = mujoco.mjtEq.mjEQ_WELD
        grip.objtype = mujoco.mjtObj.mjOBJ_BODY
        grip.active = False
        grip.solref = [0.02, 1.0]
    return spec.compile()


def _plane_joints(body: Any, *, turns: bool) -> None:
    slide = mujoco.mjtJoint.mjJNT_SLIDE
    body.add_joint(name=f"{body.name}_x", type=slide, axis=[1, 0, 0])
    body.add_joint(name=f"{body.name}_z", type=slide, axis=[0, 0, 1])
    if turns:
        hinge = mujoco.mjtJoint.mjJNT_HINGE
        body.add_joint(name=f"{body.name}_turn", type=hinge, axis=[0, 1, 0])


class SandboxEnv(gymnasium.Env[Float32[np.ndarray, " 15"], Float32[np.ndarray, " 3"]]):
    """A ball, a box, a plank and a hand.

    Action `[3]` in [-1, 1]: the hand's velocity to the right and upward (1 is 4 m/s), and its grip:
    above 0 it holds what it touches when it closes, and lets go below. Observation `[15]`: x, z and
    turn of ball, box and plank, x and z of the hand, its velocity, grip, and what is held (0 for
    nothing, else 1 to 3), in metres, radians and metres per second. Reward: the share of the bodies
    that are newly put away behind the line on the right, minus that of those that come back. The
    episode ends when all three are.
    """

    action_names: ClassVar[tuple[str, ...]] = ("right", "up", "grip")
    metadata = {"render_modes": ["rgb_array"], "render_fps": RATE_HZ}  # noqa: RUF012 (Gymnasium's)

    def __init__(self, render_mode: str | None = None, size_px: int = 64) -> None:
        self.render_mode, self._size_px = render_mode, size_px
        self.action_space = spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.observation_space = spaces.Box(-np.inf, np.inf, (15,), np.float32)
        self._model = _model()
        self._data = mujoco.MjData(self._model)
        self._held = -1
        self._shut = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32[np.ndarray, " 15"], dict[str, Any]]:
        """Drop the bodies side by side, in a random order, and put the hand above them.

        `options={"state": state}` begins with such a state as `state` gives instead, its hand open.
        Raises `ValueError` for one that is not 22 finite numbers.
        """
        super().reset(seed=seed)
        mujoco.mj_resetData(self._model, self._data)
        self._held, self._shut = -1, False
        if options is not None and "state" in options:
            state = np.asarray(options["state"], np.float64)
            if state.shape != (22,) or not np.isfinite(state).all():
                raise ValueError(f"state must be 22 finite numbers, got {state}")
            self._data.qpos[:], self._data.qvel[:] = state[:11], state[11:]
            mujoco.mj_forward(self._model, self._data)
            return self._observe(), {}
        order = self.np_random.permutation(3)
        for place, index in zip((0.7, 1.9, 2.3), order, strict=True):
            x = place + self.np_random.uniform(-0.15, 0.15)
            z = self.np_random.uniform(0.7, 1.2) + (1.2 if place == 2.3 else 0.0)
            turn = self.np_random.uniform(-np.pi, np.pi)
            self._data.qpos[3 * index : 3 * index + 3] = x, z, turn
        self._data.qpos[9:] = self.np_random.uniform(0.4, 3.6), self.np_random.uniform(3.2, 3.6)
        for _ in range(self.np_random.integers(0, 30)):
            mujoco.mj_step(self._model, self._data)
        mujoco.mj_forward(self._model, self._data)
        return self._observe(), {}

    @property
    def state(self) -> Float[np.ndarray, " 22"]:
        """x, z and turn of ball, box and plank, x and z of the hand, then the speeds of all these,
        in metres, radians and seconds."""
        return np.concatenate([self._data.qpos, self._data.qvel])

    def step(
        self, action: Float32[np.ndarray, " 3"]
    ) -> tuple[Float32[np.ndarray, " 15"], float, bool, bool, dict[str, Any]]:
        """One frame. Raises `ValueError` for an action that is not three finite numbers."""
        action = np.asarray(action, np.float64)
        if action.shape != (3,) or not np.isfinite(action).all():
            raise ValueError(f"action must be 3 finite numbers, got {action}")
        action = action.clip(-1, 1)
        before = self._num_away()
        self._grip(bool(action[2] > 0))
        self._data.ctrl[:] = _HAND_MPS * action[:2]
        mujoco.mj_step(self._model, self._data, _SUBSTEPS)
        mujoco.mj_forward(self._model, self._data)
        away = self._num_away()
        return self._observe(), (away - before) / 3, away == 3, False, {}

    def render(self) -> UInt8[np.ndarray, "h w 3"] | None:
        """The box from the side, or None without the render mode."""
        if self.render_mode is None:
            return None
        scale = 4
        side = scale * self._size_px
        image = np.full((side, side, 3), _GROUND, np.uint8)
        image[:, round(side * _GOAL_M / WORLD_M) :] = _GOAL
        per_m = side / WORLD_M

        def at(points: Float[np.ndarray, "n 2"]) -> np.ndarray:
            pixels = np.stack([points[:, 0], WORLD_M - points[:, 1]], axis=-1) * per_m
            return np.round(pixels * 16).astype(np.int32)

        for index, name in enumerate(BODIES):
            x, z, turn = self._data.qpos[3 * index : 3 * index + 3]
            half = HALF_M[name]
            # a turn about y takes x toward -z
            axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            middle = np.array([[x, z]])
            if name == "ball":
                ends = at(np.concatenate([middle, middle + 0.8 * half[0] * axes[:1]]))
                radius = round(half[0] * per_m * 16)
                cv2.circle(image, ends[0].tolist(), radius, COLORS[name], -1, cv2.LINE_AA, 4)
                start, end = ends.tolist()
                cv2.line(image, start, end, (90, 50, 20), scale * 2, cv2.LINE_AA, 4)
            else:
                corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
                shape = at(middle + corners @ axes)
                cv2.fillPoly(image, [shape], COLORS[name], cv2.LINE_AA, 4)
        hand = at(self._data.qpos[None, 9:11])[0].tolist()
        radius = round(HAND_M * per_m * 16)
        cv2.circle(image, hand, radius, SHUT if self._shut else OPEN, -1, cv2.LINE_AA, 4)
        return np.asarray(cv2.resize(image, (self._size_px,) * 2, interpolation=cv2.INTER_AREA))

    def _grip(self, shut: bool) -> None:
        if shut == self._shut:
            return
        self._shut = shut
        if not shut:
            self._data.eq_active[:] = 0
            self._held = -1
            return
        near = [self._gap(index) for index in range(3)]
        if min(near) > _REACH_M:
            return
        self._held = int(np.argmin(near))
        hand, body = self._data.body("hand"), self._data.body(BODIES[self._held])
        weld = self._model.eq(BODIES[self._held])
        turned = body.xmat.reshape(3, 3).T
        # the hand's frame never turns, so places relative to it are differences
        weld.data[:3] = 0, 0, 0
        weld.data[3:6] = body.xpos - hand.xpos
        mujoco.mju_mat2Quat(weld.data[6:10], np.ascontiguousarray(turned.T).reshape(-1))
        self._data.eq_active[self._held] = 1

    def _gap(self, index: int) -> float:
        """From the hand's rim to a body, in metres."""
        x, z, turn = self._data.qpos[3 * index : 3 * index + 3]
        offset = self._data.qpos[9:11] - (x, z)
        half = HALF_M[BODIES[index]]
        if BODIES[index] == "ball":
            return float(np.hypot(*offset)) - half[0] - HAND_M
        axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        outside = np.maximum(np.abs(axes @ offset) - half, 0)
        return float(np.hypot(*outside)) - HAND_M

    def _num_away(self) -> int:
        return int((self._data.qpos[[0, 3, 6]] > _GOAL_M).sum())

    def _observe(self) -> Float32[np.ndarray, " 15"]:
        rest = [*self._data.qvel[9:11], float(self._shut), self._held + 1]
        return np.concatenate([self._data.qpos, rest]).astype(np.float32)


def explore(
    rng: np.random.Generator,
) -> Callable[[Float32[np.ndarray, " 15"]], Float32[np.ndarray, " 3"]]:
    """A policy that plays: it goes to bodies and places, pushes, grips, lifts and throws."""
    goal, left, shut, pace = np.zeros(2), 0, False, 1.0

    def act(seen: Float32[np.ndarray, " 15"]) -> Float32[np.ndarray, " 3"]:
        nonlocal goal, left, shut, pace
        left -= 1
        hand = seen[9:11]
        if left <= 0 or np.hypot(*(goal - hand)) < 0.1:
            left, pace = int(rng.integers(4, 20)), rng.uniform(0.3, 1.0)
            body = int(rng.integers(3))
            if rng.random() < 0.6:
                goal = seen[3 * body : 3 * body + 2] + rng.normal(0, 0.25, 2)
            else:
                goal = rng.uniform(0.2, WORLD_M - 0.2, 2)
            shut = bool(rng.random() < (0.8 if seen[14] > 0 else 0.45))
        if shut and seen[13] > 0 and seen[14] == 0 and rng.random() < 0.5:
            shut = False
        way = (goal - hand) * 2.5 / _HAND_MPS
        way *= min(1.0, pace / max(np.abs(way).max(), 1e-6)) if np.abs(way).max() > pace else 1.0
        noise = rng.normal(0, 0.05, 2)
        return np.array([*(way + noise).clip(-1, 1), 1.0 if shut else -1.0], np.float32)

    return act


def press_keys(
    rng: np.random.Generator,
) -> Callable[[Float32[np.ndarray, " 15"]], Float32[np.ndarray, " 3"]]:
    """A policy that plays as people at a keyboard do: keys are held, for a moment or for seconds.

    Half of the time it explores. Else it holds what the page sends: full speed along one of four
    ways (now and then two at once, or a stick's any way), open or shut, for 3 to 60 frames, short
    times as often as long ones on a scale of ratios; or it lets go of everything. So the hand leans
    on walls, on the ground and on bodies long after there is nowhere to go, and carries on pushing
    what it meets: every third key is the one that leads to some body.
    """
    wander, key, left, held, shut = explore(rng), np.zeros(2), 0, False, False

    def act(seen: Float32[np.ndarray, " 15"]) -> Float32[np.ndarray, " 3"]:
        nonlocal key, left, held, shut
        if left <= 0:
            held = bool(rng.random() < 0.5)
            left = round(np.exp(rng.uniform(np.log(3), np.log(60)))) if held else 18
            shut = bool(rng.random() < (0.7 if shut else 0.25))
            body = int(rng.integers(3))
            key = _some_key(rng, seen[3 * body : 3 * body + 2] - seen[9:11])
        left -= 1
        if not held:
            action = wander(seen)
            shut = bool(action[2] > 0)
            return action
        return np.array([*key, 1.0 if shut else -1.0], np.float32)

    return act


def _some_key(rng: np.random.Generator, way: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 2"]:
    """What is held: a third of the time whatever leads along `way`."""
    kind = rng.random()
    if kind < 0.33:
        along = int(np.argmax(np.abs(way)))
        return np.sign(way[along]) * np.eye(2)[along]
    if kind < 0.75:
        return rng.choice([-1.0, 1.0]) * np.eye(2)[rng.integers(2)]
    if kind < 0.85:
        return rng.choice([-1.0, 1.0], 2)
    if kind < 0.92:
        turn, pace = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.0)
        return pace * np.array([np.cos(turn), np.sin(turn)])
    return np.zeros(2)


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point="worldline.sim.sandbox:SandboxEnv")
