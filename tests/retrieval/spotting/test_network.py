"""The spotter's network: what must not matter does not, and it can learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from worldline.retrieval.colors import COLORS
from worldline.retrieval.spotting.batching import collate
from worldline.retrieval.spotting.learn import (
    UNCLEAR,
    Learning,
    Lesson,
    collate_lessons,
    learn,
    loss_of,
    mirror,
)
from worldline.retrieval.spotting.network import Batch, SpotterNetworkConfig
from worldline.retrieval.spotting.tokens import look_again

TYPES = ("rise", "fall", "roll")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SpotterNetworkConfig(types=TYPES, colors=COLORS, width=32, depth=2).build().eval()


@pytest.fixture
def windows(drawn):
    one, three = drawn(50), drawn(30, num=3)
    return [next(look_again(*one, TYPES)), next(look_again(*three, TYPES))]


def test_padding_changes_nothing(network, windows):
    both = network(collate(windows))
    for row, tokens in enumerate(windows):
        n, s = tokens.seen.shape
        alone = network(collate([tokens]))
        torch.testing.assert_close(both.track[row, :n, :s], alone.track[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(both.step[row, :s], alone.step[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(both.window[row], alone.window[0], atol=1e-5, rtol=1e-4)


def test_the_order_of_tracks_does_not_matter(network, windows):
    batch = collate(windows[1:])
    order = torch.tensor([2, 0, 1])
    turned = Batch(
        **{
            name: value[:, order] if name not in ("there", "field") else value
            for name, value in vars(batch).items()
        }
    )
    plain, other = network(batch), network(turned)
    torch.testing.assert_close(plain.track[:, order], other.track, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(plain.window, other.window, atol=1e-5, rtol=1e-4)


def test_tracks_know_of_each_other(network, windows):
    batch = collate(windows[1:])
    motion = batch.motion.clone()
    motion[:, 2, :, 0] += 0.5
    moved = network(replace(batch, motion=motion))
    assert not torch.allclose(network(batch).track[:, 0], moved.track[:, 0])


def lessons_of(windows):
    """Lessons in which only the first window holds a fall, of its first track."""
    made = []
    for row, tokens in enumerate(windows):
        n, s = tokens.seen.shape
        track = np.zeros((n, s, 2 * len(TYPES)), np.int8)
        step = np.zeros((s, len(TYPES)), np.int8)
        if row == 0:
            track[0, :10, 1] = step[:10, 1] = 1
        step[:, 2] = UNCLEAR
        window = np.array([0, row == 0, UNCLEAR], np.int8)
        again = np.array([0, 0, UNCLEAR], np.int8)
        made.append(Lesson(tokens, track, step, window, again, np.zeros(n, np.int8)))
    return made


def test_it_learns_two_windows_by_heart(windows):
    lessons = lessons_of(windows)
    losses: list[float] = []
    network = SpotterNetworkConfig(
        types=TYPES, colors=COLORS, width=32, depth=2, dropout=0.0
    ).build()
    learning = Learning(epochs=80, batch=2, rate=3e-3)
    network = learn(lessons, learning, lambda *told: losses.append(told[2]), network)
    odds = network(collate(windows))
    assert np.median(losses[-20:]) < 0.3 * losses[0]
    assert odds.window[0, 1] > 1 > -1 > odds.window[1, 1]
    assert odds.track[0, 0, 5, 1] > 0 > odds.track[0, 0, -3, 1]


def test_what_is_unclear_teaches_nothing(network, windows):
    batch, answers = collate_lessons(lessons_of(windows))
    loss = loss_of(network(batch), answers, batch)
    answers.window[:] = answers.again[:] = UNCLEAR
    answers.color[:] = -1
    answers.track[:] = UNCLEAR
    answers.step[:] = UNCLEAR
    nothing = loss_of(network(batch), answers, batch)
    assert loss > 0
    assert nothing == 0


def test_a_mirror_turns_everything_that_has_a_side(windows):
    batch = collate(windows)
    varied = mirror(batch)
    torch.testing.assert_close(varied.motion[..., 4], -batch.motion[..., 4])  # speed to the right
    torch.testing.assert_close(varied.motion[..., 12], batch.motion[..., 14])  # gaps to the borders
    torch.testing.assert_close(varied.motion[..., 5], batch.motion[..., 5])
    torch.testing.assert_close(varied.field[:, :, 2], -batch.field[:, :, 2].flip(-1))
    torch.testing.assert_close(varied.field[:, :, 3], batch.field[:, :, 3].flip(-1))
    torch.testing.assert_close(varied.crop, batch.crop.flip(-2))
    twice = mirror(varied)
    torch.testing.assert_close(twice.motion, batch.motion)
    torch.testing.assert_close(twice.flow, batch.flow)


def test_what_it_is_used_to_is_not_strange_and_the_rest_is(network, windows):
    batch = collate(windows)
    rng = np.random.default_rng(0)

    def shaken(count):
        for _ in range(count):
            noise = torch.from_numpy(rng.standard_normal(batch.motion.shape).astype(np.float32))
            yield replace(batch, motion=batch.motion + 0.1 * noise)

    assert network(batch).strangeness.tolist() == [0.0, 0.0]  # before it is used to anything
    network.get_used_to(shaken(100), shaken(30))
    usual = torch.cat([network(one).strangeness for one in shaken(30)])
    assert (usual <= 1.0).float().mean() == pytest.approx(0.95, abs=0.05)
    noise = torch.from_numpy(rng.integers(-127, 127, batch.field.shape).astype(np.int8))
    assert network(replace(batch, field=noise)).strangeness.min() > 2.0
