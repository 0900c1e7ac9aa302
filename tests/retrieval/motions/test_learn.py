import numpy as np
import pytest
import torch

from worldline.retrieval.motions.embedding import load_network
from worldline.retrieval.motions.features import measure
from worldline.retrieval.motions.learn import Learning, draw_pair, learn, start
from worldline.retrieval.motions.network import late_interaction
from worldline.retrieval.motions.tracks import MAX_TRACKS
from worldline.retrieval.motions.train import write
from worldline.retrieval.motions.views import HELD_OUT_FAMILIES, SEEN_FAMILIES, Views, make_views


@pytest.fixture(scope="module")
def views() -> Views:
    plain = make_views(("drop", "collide"), range(6), seed=5, rendered=False)
    filmed = make_views(("drop", "collide"), range(6, 8), seed=5, rendered=True)
    return Views.join([plain, filmed])


def test_views_are_of_one_motion_and_some_are_measured_in_pictures(views):
    assert views.box.shape[:2] == (16, 4)
    measured = np.isfinite(views.moments).all(axis=(2, 3))
    assert not measured[:12].any()
    assert measured[12:, :2].all()
    # what falls, falls in every view, and the flow goes down as well
    for row in (12, 14):
        for view in (0, 1):
            down, up = views.moments[row, view, 2].sum(), views.moments[row, view, 6].sum()
            assert down > 1.3 * up  # shadows move as well
    assert views.usable[:, 0].mean() > 0.8


def test_views_survive_a_file(views, tmp_path):
    views.save(tmp_path / "views.npz")
    again = Views.load([tmp_path / "views.npz"])
    np.testing.assert_allclose(again.box, views.box, rtol=1e-3)
    np.testing.assert_array_equal(again.family, views.family)


def test_pairs_are_drawn_alike_and_learning_lowers_the_loss(views):
    first, second = (draw_pair(views, 8, torch.Generator().manual_seed(3))[0][1] for _ in range(2))
    torch.testing.assert_close(first, second)
    losses: list[float] = []
    learning = Learning(steps=30, num_dynamics=8)
    network = learn(views, learning, lambda step, loss, _: losses.append(loss))
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])
    one, other = draw_pair(views, 8, torch.Generator().manual_seed(9))
    with torch.no_grad():
        scores = late_interaction(network(measure(*one)), network(measure(*other)), MAX_TRACKS)
    assert (scores.diagonal() > scores.mean(dim=1)).float().mean() > 0.8


def test_principal_components_find_more_than_chance_before_learning(views):
    one, other = draw_pair(views, 10, torch.Generator().manual_seed(9))
    network = start(views, torch.Generator().manual_seed(0))
    with torch.no_grad():
        scores = late_interaction(network(measure(*one)), network(measure(*other)), MAX_TRACKS)
    assert (scores.argmax(dim=1) == torch.arange(len(scores))).float().mean() > 0.3


def test_what_is_written_is_read_again(views, tmp_path):
    network = start(views, torch.Generator().manual_seed(0))
    write(network, tmp_path, 16, [2.0, 1.0])
    again = load_network(tmp_path)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, atol=5e-3, rtol=2e-3)
    assert "16 simulated dynamics" in (tmp_path / "card.md").read_text()
    assert (tmp_path / "model.safetensors").stat().st_size < 1_000_000


def test_held_out_families_are_not_learned_from():
    assert not set(HELD_OUT_FAMILIES) & set(SEEN_FAMILIES)
    assert len(HELD_OUT_FAMILIES) + len(SEEN_FAMILIES) == 24
