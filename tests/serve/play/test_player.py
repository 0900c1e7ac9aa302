"""A player's session, without a socket."""

from __future__ import annotations

import numpy as np
import pytest

from worldline.core import InputError, Origin
from worldline.serve.play.player import Player, look_back

RIGHT, LEFT = (np.array([x, 0.0, -1.0], np.float32) for x in (1.0, -1.0))


@pytest.fixture
def player(world, openings, config) -> Player:
    return Player(world, openings, config, 0)


def advance(player: Player, action: np.ndarray, num: int) -> list[np.ndarray]:
    player.action = action
    return [player.advance().pictures[0] for _ in range(num)]


def test_actions_count_and_seeds_give_sessions(player, world, openings, config):
    start = player.show()
    assert (start.frame, start.oldest, start.is_cut) == (0, 0, False)
    right = advance(player, RIGHT, 3)
    again = Player(world, openings, config, 0)
    np.testing.assert_array_equal(advance(again, RIGHT, 3), right)
    again.restart(0)
    assert again.frame == 0
    assert player.rewind(0).is_cut
    assert not np.array_equal(advance(again, LEFT, 3), right)
    again.restart(None)
    assert again.seed == 1
    seen = {again.restart(seed).pictures[0].tobytes() for seed in range(8)}
    assert len(seen) == 2  # there are two openings


def test_rewards_are_those_of_the_session(player, world, openings):
    session = world.open(openings[int(np.random.default_rng(0).integers(2))], seed=0)
    player.action = RIGHT
    shown = player.advance()
    session.step(RIGHT)
    assert (shown.reward, shown.end) == (session.reward, session.end)
    assert 0 < shown.end < 1


def test_a_fork_keeps_the_old_actions_and_the_noise(player):
    old = advance(player, RIGHT, 4)
    player.rewind(3)
    assert player.frame == 1
    assert player.show().pictures[0].tobytes() == old[0].tobytes()
    player.fork("old")
    player.action = LEFT
    shown = [player.advance() for _ in range(4)]
    for other, frame in zip(shown, old[1:], strict=False):
        np.testing.assert_array_equal(other.pictures[1], frame)
    assert not np.array_equal(shown[2].pictures[0], shown[2].pictures[1])
    np.testing.assert_array_equal(shown[3].actions, [LEFT, RIGHT])  # the last one is held
    player.join()
    assert len(player.show().pictures) == 1


def test_a_fork_without_actions_rests(player):
    advance(player, RIGHT, 1)
    player.fork("none")
    np.testing.assert_array_equal(player.advance().actions, [RIGHT, [0, 0, -1]])
    player.rewind(1)
    assert not player.is_forked


def test_rewinding_stops_at_the_start(player):
    advance(player, RIGHT, 2)
    assert player.rewind(1000).frame == 0
    assert player.rewind(0).frame == 0


def test_a_recording_is_marked_as_generated(player, config):
    assert player.cut() is None
    player.record()
    with pytest.raises(InputError, match="goes on already"):
        player.record()
    frames = advance(player, RIGHT, 2)
    film = player.cut()
    np.testing.assert_array_equal(film.frames, frames)
    assert film.provenance.origin is Origin.GENERATED
    assert "tiny" in film.provenance.producer
    assert film.fps == pytest.approx(20)
    player.record()
    player.fork("none")
    advance(player, LEFT, 1)
    assert player.cut().frames[0].shape == (64, 64 + 4 + 64, 3)


def test_looking_back_disturbs_nothing(player, world, openings, config):
    quiet = Player(world, openings, config, 0)
    advance(player, RIGHT, 2)
    glance = player.glance()
    frames = advance(player, RIGHT, 2)
    found = look_back(glance)
    assert found["frame"] == 2
    assert found["trust"] == 0.0
    assert "not been calibrated" in found["reason"]
    assert all(len(line["points"]) <= 32 for line in found["lines"])
    np.testing.assert_array_equal(advance(quiet, RIGHT, 4)[2:], frames)


def test_the_end_is_the_end(player):
    player.close()
    player.close()
    with pytest.raises(InputError, match="closed"):
        player.advance()
