import torch

from worldline.core.latents import Controls
from worldline.dynamics.blank import keep_blank, open_blank, relative_error

STARTS = torch.tensor([True, False])
BOUNDS = (0.1, 10.0)


def numbered(batch: int = 2, num_frames: int = 3) -> torch.Tensor:
    """Clip b's frame t is 10 b + t + 1 everywhere."""
    value = 10.0 * torch.arange(batch)[:, None] + torch.arange(num_frames) + 1
    return value[..., None, None].expand(-1, -1, 4, 2)


def test_a_blank_frame_opens_the_chosen_clips_and_controls_wait_for_it():
    given = Controls(
        actions=numbered()[:, :, 0],
        rays=torch.ones(2, 3, 4, 6),
        text=torch.tensor([[5.0], [6.0]]),
    )
    x, controls = open_blank(numbered(), given, STARTS)
    assert x[:, :, 0, 0].tolist() == [[0, 1, 2], [11, 12, 13]]
    assert controls.actions is not None
    assert controls.actions[..., 0].tolist() == [[0, 1, 2], [11, 12, 13]]
    assert controls.rays is not None
    assert controls.rays[:, :, 0, 0].tolist() == [[0, 1, 1], [1, 1, 1]]
    assert controls.text is given.text


def test_blank_frames_stay_blank():
    kept = keep_blank(numbered(), STARTS)
    assert kept[:, :, 0, 0].tolist() == [[0, 2, 3], [11, 12, 13]]


def test_first_frames_count_on_their_own():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 4, 4, 2, generator=generator)
    x[0, 0] = 0
    seen = x.clone()
    before = torch.cat([x[:, :1], x[:, :-1]], dim=1)
    # Copying the frame before is an error of one, of first frames and of others.
    copied = relative_error(before, x, x, seen, STARTS, bounds=BOUNDS)
    torch.testing.assert_close(copied["first"], torch.tensor(1.0))
    torch.testing.assert_close(copied["total"], torch.tensor(2.0))
    torch.testing.assert_close(copied["error_over_copying"], torch.tensor(1.0))
    # A first frame that is off changes its own part alone.
    off = x.clone()
    off[0, 1] += 1
    found = relative_error(off, x, x, seen, STARTS, bounds=BOUNDS)
    torch.testing.assert_close(found["first"], 1 / x[0, 1].square().mean())
    torch.testing.assert_close(found["total"], found["first"])
    assert found["error"] == 0
    # One that is large does not lessen the weight of what moves in other frames.
    larger = x.clone()
    larger[0, 1] *= 100
    larger[0, 2:] += larger[0, 1:2] - x[0, 1:2]
    wrong = larger.clone()
    wrong[1, 2] += 1
    one = relative_error(wrong, larger, larger, larger, STARTS, bounds=BOUNDS)
    plain = x.clone()
    plain[1, 2] += 1
    two = relative_error(plain, x, x, x, STARTS, bounds=BOUNDS)
    torch.testing.assert_close(one["total"], two["total"], atol=1e-4, rtol=1e-4)


def test_batches_without_starts_and_with_nothing_else():
    x = torch.randn(2, 2, 4, 2, generator=torch.Generator().manual_seed(1))
    guess = x + 0.5
    plain = relative_error(guess, x, x, x, None, bounds=BOUNDS)
    none = relative_error(guess, x, x, x, torch.tensor([False, False]), bounds=BOUNDS)
    assert set(none) == set(plain) == {"total", "error", "error_over_copying"}
    for name, value in plain.items():
        torch.testing.assert_close(none[name], value)
    x[:, 0] = 0
    every = relative_error(guess, x, x, x, torch.tensor([True, True]), bounds=BOUNDS)
    torch.testing.assert_close(every["total"], every["first"])
