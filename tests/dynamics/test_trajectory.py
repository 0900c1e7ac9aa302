"""The forecaster of trajectories: shapes, invariances, and that it learns."""

import numpy as np
import pytest
import torch

from worldline.dynamics import CellMotion, TrajectoryForecaster
from worldline.dynamics.optical import measure_flows


def nano(**options) -> TrajectoryForecaster:
    config = TrajectoryForecaster.Config(
        size_px=32, context=4, horizon=3, fine_width=8, width=16, depth=2, late_depth=1, heads=1,
        noise_size=4, **options,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return config.build()


def shaken(model: TrajectoryForecaster) -> TrajectoryForecaster:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def some_frames(batch: int, num: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(0, 256, (batch, num, 32, 32, 3), generator=generator, dtype=torch.uint8)


def test_an_untrained_forecaster_moves_nothing():
    motion = nano()(some_frames(2, 4), torch.zeros(2, 4))
    assert motion.shift_px.shape == (2, 3, 8, 8, 2)
    assert motion.visible.shape == (2, 3, 8, 8)
    assert not motion.shift_px.any()


@pytest.mark.parametrize("num", [1, 2, 4, 7])
def test_only_the_last_frames_count_and_fewer_will_do(num):
    model = shaken(nano())
    frames = some_frames(1, 7)[:, -num:]
    motion = model(frames, torch.zeros(1, 4))
    again = model(frames[:, -4:], torch.zeros(1, 4))
    assert torch.equal(motion.shift_px, again.shift_px)
    assert motion.shift_px.any()


def test_clips_of_a_batch_do_not_mix_and_noise_makes_futures():
    model = shaken(nano())
    frames = some_frames(3, 4)
    noise = torch.randn(3, 4, generator=torch.Generator().manual_seed(3))
    together = model(frames, noise)
    for i in range(3):
        alone = model(frames[i : i + 1], noise[i : i + 1])
        torch.testing.assert_close(together.shift_px[i], alone.shift_px[0], atol=1e-4, rtol=1e-4)
    other = model(frames, -noise)
    assert not torch.allclose(together.shift_px, other.shift_px, atol=1e-3)


def test_flow_says_how_fast_a_disc_goes_to_a_fraction_of_a_pixel():
    size, frames = 64, []
    y, x = np.mgrid[:size, :size]
    for t in range(3):
        distance = np.hypot(x - 20.0 - 1.3 * t, y - 30.0 + 0.6 * t)
        disc = np.clip(10.5 - distance, 0, 1)[..., None]
        texture = 30 * (np.sin(0.9 * (x - 1.3 * t)) * np.cos(0.8 * (y + 0.6 * t)))[..., None]
        ground = 40 + 20 * np.sin(0.7 * x + 0.4 * y)[..., None] * np.ones(3)
        frames.append(np.uint8((1 - disc) * ground + disc * (160 + texture)))
    flows = measure_flows(np.stack([frames, frames[::-1]]))
    assert flows.shape == (2, 2, 2, size, size)
    inside = np.hypot(x - 20.0 - 1.3 * 2, y - 30.0 + 0.6 * 2) < 7
    np.testing.assert_allclose(flows[0, 1][:, inside].mean(-1), [1.3, -0.6], atol=0.1)
    far = np.hypot(x - 22, y - 30) > 30
    assert np.abs(flows[:, :, :, far]).max() < 0.05
    back = np.hypot(x - 20.0, y - 30.0) < 7
    np.testing.assert_allclose(flows[1, 1][:, back].mean(-1), [-1.3, 0.6], atol=0.1)
    assert measure_flows(np.stack([frames[:1]])).shape == (1, 0, 2, size, size)


def test_without_flow_a_forecaster_is_the_one_that_knows_none():
    old, new = shaken(nano(num_flows=0)), shaken(nano(num_flows=2))
    missing = new.load_state_dict(old.state_dict(), strict=False)
    assert sorted(missing.missing_keys) == ["flow_in.weight", "flow_out.weight"]
    frames, noise = some_frames(2, 4), torch.zeros(2, 4)
    still = torch.zeros(2, 2, 2, 32, 32)
    assert torch.equal(new(frames, noise, still).shift_px, old(frames, noise).shift_px)
    measured = new(frames, noise)
    assert not torch.equal(measured.shift_px, old(frames, noise).shift_px)
    assert torch.equal(measured.shift_px, new(frames, noise, new.measure(frames)).shift_px)


@pytest.mark.parametrize("num", [1, 2, 3, 4])
def test_flow_is_zero_where_there_are_too_few_frames(num):
    frames = some_frames(2, num)
    flows = nano(num_flows=3).measure(frames)
    assert flows.shape == (2, 3, 2, 32, 32)
    assert [bool(flow.any()) for flow in flows.unbind(1)] == [n < num for n in (3, 2, 1)]


def test_a_shortened_context_of_training_has_no_flow_of_what_is_not_seen():
    model = shaken(nano(num_flows=3, short_share=1.0))
    seen = []
    model._look = lambda frames, flows: seen.append((frames, flows)) or look(frames, flows)
    look = TrajectoryForecaster._look.__get__(model)
    generator = torch.Generator().manual_seed(5)
    frames, truth, cover = moving_block(2, generator)
    for _ in range(6):
        model.loss(frames, truth, cover, generator, model.measure(frames))
    assert {shown.shape[1] for shown, _ in seen} == {1, 2, 3}
    for shown, flows in seen:
        torch.testing.assert_close(flows, model.measure(shown))


@pytest.mark.parametrize("num", [-1, 4])
def test_there_are_no_more_flows_than_pairs_of_frames(num):
    with pytest.raises(ValueError, match="4 frames of context have 0 to 3 pairs"):
        nano(num_flows=num)


def moving_block(
    batch: int, generator: torch.Generator
) -> tuple[torch.Tensor, CellMotion, torch.Tensor]:
    """An 8x8 block that moves right or left by 1 px a frame, and after the context either way."""
    frames = torch.zeros(batch, 4, 32, 32, 3, dtype=torch.uint8)
    shift = torch.zeros(batch, 3, 8, 8, 2)
    cover = torch.zeros(batch, 8, 8)
    for b in range(batch):
        way = 1 if torch.rand((), generator=generator) < 0.5 else -1
        for t in range(4):
            x = 12 + way * (t - 3)
            frames[b, t, 12:20, x : x + 8] = 200
        shift[b, ..., 0] = way * torch.arange(1, 4)[:, None, None]
        cover[b, 3:5, 3:5] = 1
    return frames, CellMotion(shift, torch.ones(batch, 3, 8, 8)), cover


def test_it_learns_which_way_a_block_goes():
    model = nano(short_share=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(4)
    for _ in range(60):
        losses = model.loss(*moving_block(8, generator), generator)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
    frames, truth, cover = moving_block(6, generator)
    motion = model.eval()(frames, torch.zeros(6, 4))
    covered = cover > 0
    for step in range(3):
        error = motion.shift_px[:, step][covered] - truth.shift_px[:, step][covered]
        assert error.norm(dim=-1).max() < 0.4 * (step + 1)


def test_the_energy_score_is_least_for_the_true_spread():
    """With truths at -1 and 1 px, futures at both ends score better than both in the middle."""
    model = nano(median_share=0.0, short_share=0.0)
    truth = CellMotion(torch.ones(2, 3, 8, 8, 2), torch.ones(2, 3, 8, 8))
    truth.shift_px[1] *= -1
    cover = torch.ones(2, 8, 8)
    scores = {}
    for name, places in {"spread": (1.0, -1.0), "middle": (0.0, 0.0)}.items():
        drawn = torch.stack([torch.full((3, 8, 8, 2), p) for p in places]).repeat_interleave(2, 0)

        def imagine(*looked, drawn=drawn):
            return CellMotion(drawn, torch.zeros(4, 3, 8, 8))

        model._imagine = imagine  # type: ignore[method-assign]
        losses = model.loss(some_frames(2, 4), truth, cover, torch.Generator().manual_seed(0))
        scores[name] = float(losses["score"])
    assert scores["spread"] < 0.8 * scores["middle"]
