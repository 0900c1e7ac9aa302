"""Bodies are measured to hundredths of a pixel, and go where mechanics sends them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.dynamics import BodyForecaster, BodyStates, Seed, measure_bodies, states_of
from worldline.sim.discs import draw_discs

RED, BLUE, WHITE = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9), (1.0, 1.0, 1.0)


def paint(paths: np.ndarray, radii: tuple[float, ...], colors: tuple = (RED, BLUE)) -> np.ndarray:
    num = len(paths)
    return draw_discs(paths.astype(float), np.array(radii, dtype=float), colors[:num], WHITE, 64)[0]


def straight(start: tuple[float, float], step: tuple[float, float], num: int = 5) -> np.ndarray:
    return np.asarray(start) + np.arange(num)[:, None] * np.asarray(step)


def rough(
    paths: np.ndarray, radii: tuple[float, ...], rng: np.random.Generator
) -> list[list[Seed]]:
    """Detections that are some pixels off and of the wrong size."""
    return [
        [
            Seed(*(path[t] + rng.uniform(-1, 1, 2)), radius * rng.uniform(0.8, 1.3))
            for path, radius in zip(paths, radii, strict=True)
        ]
        for t in range(paths.shape[1])
    ]


@pytest.mark.parametrize("radius", [2.0, 5.0, 11.0])
def test_places_and_sizes_are_exact(radius: float):
    paths = straight((20.3, 30.7), (2.37, -0.61))[None]
    bodies = measure_bodies(
        paint(paths, (radius,)), rough(paths, (radius,), np.random.default_rng(0))
    )
    assert len(bodies) == 1
    assert np.abs(bodies.center_px[0] - paths[0]).max() < 0.03
    assert np.abs(bodies.radius_px[0] - radius).max() < 0.05
    assert bodies.spread[0] == pytest.approx(1.0, abs=0.1)
    assert not bodies.is_cut.any()


def test_two_that_touch_are_told_apart_by_colour():
    paths = np.stack([straight((20, 32), (0, 0)), straight((31.9, 32), (0, 0))])
    bodies = measure_bodies(
        paint(paths, (6.0, 6.0)), rough(paths, (6, 6), np.random.default_rng(1))
    )
    found = bodies.center_px[np.argsort(bodies.center_px[:, -1, 0]), -1]
    assert np.abs(found - paths[:, -1]).max() < 0.2


def test_several_seeds_in_one_body_are_one_body():
    paths = straight((30.0, 30.0), (1.0, 0.0))[None]
    frames = paint(paths, (12.0,))
    seeds = [[Seed(x - 4.0, y, 7.0), Seed(x + 5.0, y + 2.0, 6.0)] for x, y in paths[0].tolist()]
    bodies = measure_bodies(frames, seeds)
    assert len(bodies) == 1
    assert np.abs(bodies.center_px[0, -1] - paths[0, -1]).max() < 0.05


def test_one_at_the_border_is_known_to_be_cut():
    paths = straight((2, 30), (0, 0))[None]
    bodies = measure_bodies(paint(paths, (6.0,)), rough(paths, (6,), np.random.default_rng(2)))
    assert bodies.is_cut[0].all()


def test_nothing_is_nothing():
    bodies = measure_bodies(np.full((3, 64, 64, 3), 255, np.uint8), [[], [], []])
    assert len(bodies) == 0
    assert states_of(bodies, 2).there.sum() == 0


def state(centers: list, velocities: list, radii: list, bend: float = 0.0) -> BodyStates:
    num = len(centers)
    return BodyStates(
        center_px=torch.tensor([centers], dtype=torch.float32),
        velocity_px=torch.tensor([velocities], dtype=torch.float32),
        lag=torch.zeros(1, num),
        bend_px=torch.full((1, num, 2), bend),
        radius_px=torch.tensor([radii], dtype=torch.float32),
        looks=torch.zeros(1, num, 9),
        there=torch.ones(1, num, dtype=torch.bool),
    )


def elastic() -> BodyForecaster:
    """With no force, full touch, no loss, and mass in proportion to area."""
    torch.manual_seed(0)
    model = BodyForecaster.Config().build()
    with torch.no_grad():
        model.constants.zero_()
        model.touch.layers[-1].weight.zero_()
        model.touch.layers[-1].bias.fill_(20.0)
        model.share.fill_(2.0 / 8)
    return model


def test_an_elastic_collision_is_that_of_the_textbook():
    states = state([[10.0, 32.0], [40.0, 32.0]], [[2.0, 0.0], [-1.0, 0.0]], [4.0, 6.0])
    with torch.no_grad():
        path = elastic()(states, 20).center_px[0].double().numpy()
    m1, m2 = 16.0, 36.0
    common = (m1 * 2 - m2) / (m1 + m2)
    after = 2 * common - np.array([2.0, -1.0])
    meet = (30 - 10) / 3
    assert path[0, -1, 0] == pytest.approx(10 + 2 * meet + after[0] * (20 - meet), abs=1e-3)
    assert path[1, -1, 0] == pytest.approx(40 - meet + after[1] * (20 - meet), abs=1e-3)
    assert path[..., 1] == pytest.approx(32.0, abs=1e-4)


def test_momentum_is_kept_whatever_was_learned():
    torch.manual_seed(3)
    model = BodyForecaster.Config().build()
    with torch.no_grad():
        model.constants.zero_()
        states = state([[10.0, 30.0], [30.0, 34.0]], [[3.0, 0.2], [-1.0, 0.0]], [4.0, 6.0])
        path = model(states, 16).center_px[0].double().numpy()
    v = np.diff(path, axis=1)
    mass = np.array([4.0, 6.0]) ** float(8 * model.share.detach())
    assert mass @ v[:, -1] == pytest.approx(mass @ v[:, 0], abs=1e-3)
    assert np.abs(v[:, -1] - v[:, 0]).max() > 0.1  # they did touch


def test_paths_do_not_depend_on_place_and_speed():
    torch.manual_seed(4)
    model = BodyForecaster.Config().build()
    one = state([[10.0, 30.0], [30.0, 34.0]], [[3.0, 0.2], [-1.0, 0.0]], [4.0, 6.0], bend=0.1)
    two = state([[15.0, 23.0], [35.0, 27.0]], [[4.5, -0.8], [0.5, -1.0]], [4.0, 6.0], bend=0.1)
    with torch.no_grad():
        a, b = (model(states, 12).center_px[0] for states in (one, two))
    drift = torch.tensor([1.5, -1.0]) * torch.arange(1, 13)[:, None] + torch.tensor([5.0, -7.0])
    assert torch.allclose(a + drift, b, atol=1e-3)


def test_it_learns_from_paths():
    torch.manual_seed(5)
    model = BodyForecaster.Config().build()
    states = state([[10.0, 30.0]], [[1.0, 0.0]], [4.0], bend=0.16)
    steps = torch.arange(1, 11, dtype=torch.float32)
    truth = torch.stack([10 + steps, 30 + 0.08 * steps**2], -1)[None, None]
    known = torch.ones(1, 1, 10, dtype=torch.bool)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    first = None
    for _ in range(60):
        losses = model.loss(states, truth, known)
        first = first if first is not None else float(losses["error_px"])
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
    assert float(model.loss(states, truth, known)["error_px"]) < 0.3 * first


def test_one_that_no_seed_tells_of_is_found_on_plain_ground():
    paths = np.stack([straight((20, 20), (1, 0)), straight((50, 45), (-1, 0))])
    frames = paint(paths, (6.0, 2.2))
    seeds = [[Seed(float(x), float(y), 6.0)] for x, y in paths[0]]
    bodies = measure_bodies(frames, seeds)
    assert len(bodies) == 2
    assert np.abs(bodies.center_px[1] - paths[1]).max() < 0.05


def test_one_that_only_touches_the_border_is_whole():
    paths = straight((6.0, 30.0), (0.0, 0.0))[None]
    bodies = measure_bodies(paint(paths, (6.0,)), rough(paths, (6,), np.random.default_rng(2)))
    assert not bodies.is_cut.any()


def test_what_is_seen_badly_goes_by_what_is_known():
    """A bend that is a little off is that of the constant; one that is far off is its own."""
    torch.manual_seed(6)
    model = BodyForecaster.Config().build()
    with torch.no_grad():
        model.constants.zero_()
        model.constants[0] = torch.tensor([0.0, 1.6])
        model.prior.layers[-1].weight.zero_()
        model.prior.layers[-1].bias.zero_()
        model.prior.layers[-1].bias[-1] = -9.0
        states = state([[10.0, 30.0]], [[1.0, 0.0]], [4.0])
        near, far = torch.tensor([[[0.01, 0.13]]]), torch.tensor([[[0.3, 0.5]]])
        for bend, expected in ((near, torch.tensor([0.0, 0.16])), (far, far[0, 0])):
            found = model._acceleration(replace(states, bend_px=bend))[0][0, 0]
            assert torch.allclose(found, expected, atol=0.01)
