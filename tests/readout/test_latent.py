import numpy as np
import torch

from worldline.core.latents import Latents
from worldline.readout.latent import LatentReadout, ObjectTargets

CONFIG = LatentReadout.Config(channels=3, rows=8, width=32, depth=1)


def painted(num: int, seed: int) -> tuple[Latents, ObjectTargets]:
    """Latents in which a bright cell marks the one object, and where it is."""
    generator = torch.Generator().manual_seed(seed)
    center = 8 + 48 * torch.rand(num, 1, 1, 2, generator=generator)
    cells = (torch.arange(8) + 0.5) * 8
    away = center[:, 0, 0, :, None] - cells
    glow = torch.exp(-(away / 8).square())
    image = glow[:, 1, :, None] * glow[:, 0, None, :]
    slope = torch.stack([image, image * away[:, 0, None, :] / 8, image * away[:, 1, :, None] / 8])
    tokens = slope.permute(1, 2, 3, 0).reshape(num, 1, 64, 3)
    targets = ObjectTargets(
        center_px=center.expand(num, 1, 1, 2).contiguous(),
        size_px=torch.full((num, 1, 1, 2), 12.0),
        depth_m=torch.full((num, 1, 1), 2.0),
        color_rgb=torch.tensor([0.8, 0.2, 0.5]).expand(num, 1, 3).contiguous(),
        visible=torch.ones(num, 1, 1, dtype=torch.bool),
    )
    return Latents(tokens, (8, 8)), targets


def test_it_learns_to_find_and_to_doubt():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        readout = CONFIG.build()
    optimizer = torch.optim.Adam(readout.parameters(), lr=3e-3)
    for step in range(150):
        losses = readout.loss(*painted(32, step))
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
    errors = []
    for seed in range(1000, 1010):
        latents, targets = painted(1, seed)
        (found,) = readout.eval().detect(latents)
        assert found, "the object was not found"
        best = max(found, key=lambda d: d.confidence)
        truth = targets.center_px[0, 0, 0].tolist()
        errors.append(np.hypot(best.x_px - truth[0], best.y_px - truth[1]))
        assert abs(best.w_px - 12) < 3
        assert abs(best.depth_m - 2) < 0.5
        assert abs(best.color_rgb[0] - 0.8) < 0.2
    assert np.mean(errors) < 1.5
    assert not readout.detect(Latents(torch.zeros(1, 1, 64, 3), (8, 8)))[0]


def test_empty_slots_and_unknown_depth_give_finite_losses():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        readout = CONFIG.build()
    latents, targets = painted(4, 0)
    nothing = ObjectTargets(
        center_px=torch.full_like(targets.center_px, float("nan")),
        size_px=torch.full_like(targets.size_px, float("nan")),
        depth_m=torch.full_like(targets.depth_m, float("nan")),
        color_rgb=torch.full_like(targets.color_rgb, float("nan")),
        visible=torch.zeros_like(targets.visible),
    )
    losses = readout.loss(latents, nothing)
    assert all(torch.isfinite(v) for v in losses.values())
    losses["total"].backward()
    assert all(torch.isfinite(p.grad).all() for p in readout.parameters() if p.grad is not None)
