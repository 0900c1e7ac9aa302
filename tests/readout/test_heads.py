"""Heads for contacts and camera: they learn more than the majority and more than standing still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.readout.test_latent import CONFIG

from worldline.core import STATIC, Provenance
from worldline.core.latents import Latents
from worldline.readout.heads import CameraTargets, camera_motion
from worldline.readout.latent import Detection, LatentReadout, ObjectTargets
from worldline.readout.link import Touch, join_motion, link_detections

BATCH, T, ROWS = 12, 2, 4
SIDE_PX = 8 * ROWS


def turned(angle: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Poses `[B, T, 4, 4]` that turn about y by `angle` and go right by `shift` each frame."""
    poses = torch.eye(4).repeat(len(angle), T, 1, 1)
    for t in range(T):
        cos, sin = (t * angle).cos(), (t * angle).sin()
        poses[:, t, 0, 0], poses[:, t, 0, 2] = cos, sin
        poses[:, t, 2, 0], poses[:, t, 2, 2] = -sin, cos
        poses[:, t, 0, 3] = t * shift
    return poses


def scene(seed: int) -> tuple[Latents, ObjectTargets, CameraTargets]:
    """Two bodies at random places that touch if they are near; latents say where they are, that the
    lower half of the picture is ground, and, in what changes, how the camera turns."""
    draw = torch.Generator().manual_seed(seed)
    first = 6 + 20 * torch.rand(BATCH, 1, 1, 2, generator=draw)
    angle = torch.rand(BATCH, generator=draw) * 2 * np.pi
    near = torch.rand(BATCH, generator=draw) < 0.4
    reach = torch.where(near, 9.0, 22.0)
    way = torch.stack([angle.cos(), angle.sin()], -1) * reach[:, None]
    second = (first + way[:, None, None]).clamp(3, SIDE_PX - 3)
    touch = (second - first).norm(dim=-1)[:, 0, 0] < 12
    center = torch.cat([first, second], dim=2).expand(BATCH, T, 2, 2).contiguous()
    cells = (torch.arange(ROWS) + 0.5) * 8
    image = torch.zeros(BATCH, 3, ROWS, ROWS)
    for k in range(2):
        off = center[:, 0, k, :, None] - cells
        glow = torch.exp(-(off / 8).square())
        spot = glow[:, 1, :, None] * glow[:, 0, None, :]
        image += torch.stack(
            [spot, spot * off[:, 0, None, :] / 8, spot * off[:, 1, :, None] / 8], dim=1
        )
    image[:, 2, ROWS // 2 :] += 1.5
    turn = 0.04 * torch.randn(BATCH, generator=draw)
    tokens = image.permute(0, 2, 3, 1).reshape(BATCH, 1, ROWS * ROWS, 3).repeat(1, T, 1, 1)
    tokens += (turn / 0.04)[:, None, None, None] * torch.arange(T)[:, None, None]
    touching = torch.zeros(BATCH, T, 2, 3, dtype=torch.bool)
    touching[:, :, 0, 1] = touching[:, :, 1, 0] = touch[:, None]
    touching[..., 2] = center[..., 1] > SIDE_PX / 2
    objects = ObjectTargets(
        center_px=center,
        size_px=torch.full((BATCH, T, 2, 2), 11.0),
        depth_m=torch.full((BATCH, T, 2), 2.0),
        color_rgb=torch.full((BATCH, 2, 3), 0.5),
        visible=torch.ones(BATCH, T, 2, dtype=torch.bool),
        touching=touching,
        has_touching=torch.ones(BATCH, dtype=torch.bool),
    )
    poses = turned(turn, 2 * turn)
    return Latents(tokens, (ROWS, ROWS)), objects, CameraTargets(poses, torch.full((BATCH,), 1.1))


@pytest.fixture(scope="module")
def readout() -> LatentReadout:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = replace(CONFIG, rows=ROWS, width=16, contacts=True, camera=True).build()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, 60)
    for step in range(60):
        losses = model.loss(*scene(step))
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def test_contacts_are_found_better_than_by_the_majority(readout):
    ground: list[tuple[bool, bool]] = []
    pairs: list[tuple[bool, bool]] = []
    for seed in range(1000, 1004):
        latents, objects, _ = scene(seed)
        for i in range(BATCH):
            one = Latents(latents.tokens[i : i + 1], latents.grid)
            touches = readout.detect_touches(one)
            assert touches is not None
            pairs.append(
                (bool(objects.touching[i, 0, 0, 1]), any(t.confidence > 0.5 for t in touches[1]))
            )
            for detection in readout.detect(one)[1]:
                away = (
                    objects.center_px[i, 1] - torch.tensor([detection.x_px, detection.y_px])
                ).norm(dim=-1)
                if away.min() < 4:
                    truth = bool(objects.touching[i, 1, int(away.argmin()), 2])
                    assert detection.touches_static is not None
                    ground.append((truth, detection.touches_static > 0.5))
    for found in (ground, pairs):
        truth, said = np.array(found).T
        majority = max(truth.mean(), 1 - truth.mean())
        right = (truth == said).mean()
        assert right > majority + 0.3 * (1 - majority), (right, majority)


def test_motion_is_read_better_than_by_standing_still_and_with_honest_doubt(readout):
    latents, _, camera = scene(2000)
    errors, stills, doubts = [], [], []
    for i in range(BATCH):
        found = readout.read_camera(Latents(latents.tokens[i : i + 1], latents.grid))
        assert found is not None
        motion, std, ratio, ratio_std = found
        truth = camera_motion(camera.world_from_camera[i : i + 1])[0, 1:, 1] * 0.02
        errors.append((motion[1:, 1] - truth).abs().mean())
        stills.append(truth.abs().mean())
        doubts.append(std[1:, 1].mean())
        assert (motion[0] == 0).all()
        assert ratio == pytest.approx(1.1, rel=0.2)
        assert ratio_std > 0
    assert np.mean(errors) < 0.5 * np.mean(stills)
    assert 0.1 < np.mean(errors) / np.mean(doubts) < 2


def test_unknown_touches_and_cameras_teach_nothing_and_missing_ones_are_refused(readout):
    latents, objects, camera = scene(1)
    unknown = replace(objects, has_touching=torch.zeros(BATCH, dtype=torch.bool))
    none = CameraTargets(
        torch.full_like(camera.world_from_camera, torch.nan), torch.full((BATCH,), torch.nan)
    )
    losses = readout.loss(latents, unknown, none)
    assert all(torch.isfinite(value) for value in losses.values())
    assert losses["ground"] == losses["pair"] == losses["pair_way"] == losses["camera"] == 0
    with pytest.raises(ValueError, match="no clip has a camera"):
        readout.loss(latents, objects)
    with pytest.raises(ValueError, match="the clips say none"):
        readout.loss(latents, replace(objects, touching=None), camera)


def test_heads_are_off_unless_asked_for():
    model = CONFIG.build()
    assert model.contacts is None
    assert model.camera is None
    one = Latents(torch.zeros(1, 2, 64, 3), (8, 8))
    assert model.detect_touches(one) is None
    assert model.read_camera(one) is None


def test_motions_join_to_the_path_that_they_came_from():
    poses = turned(torch.tensor([0.03]), torch.tensor([0.2]))
    motion = camera_motion(poses)[0].double() * torch.tensor([0.02] * 3 + [0.1] * 3)
    std = np.full((T, 6), 0.1)
    std[0] = 0
    camera = join_motion(motion.numpy(), std, 80.0, 4.0, 64)
    np.testing.assert_allclose(camera.world_from_camera, poses[0], atol=1e-6)
    np.testing.assert_allclose(camera.place_std_m, 0.1 * np.sqrt(3 * np.arange(T)))


def test_touches_become_contacts_between_tracks():
    def seen(x: float, static: float) -> Detection:
        return Detection(x, 30.0, 1.0, 10.0, 10.0, 2.0, (0.1 * x / 10, 0.5, 0.5), 0.9, static)

    frames = [[seen(10.0 + t, 0.1), seen(40.0 - t, 0.9)] for t in range(8)]
    met = [Touch((10.0 + t, 30.0), (40.0 - t, 30.0), 0.8) for t in range(8)]
    touches = [[met[t]] if 3 <= t < 6 else [] for t in range(8)]
    found = link_detections(
        frames, np.arange(8) * 0.1, size_px=64, provenance=Provenance(), touches=touches
    ).contacts
    ground, pair = (next(c for c in found if (c.b == STATIC) is s) for s in (True, False))
    assert len(found) == 2
    assert (pair.start_s, pair.end_s) == pytest.approx((0.3, 0.5))
    assert pair.confidence == pytest.approx(0.8)
    assert (ground.start_s, ground.end_s) == pytest.approx((0.0, 0.7))
    assert ground.confidence == pytest.approx(0.9)
    far = [[Touch((10.0, 55.0), (40.0, 55.0), 0.9)] for _ in range(8)]
    quiet = [[seen(10.0 + t, 0.1), seen(40.0 - t, 0.2)] for t in range(8)]
    assert not link_detections(
        quiet, np.arange(8) * 0.1, size_px=64, provenance=Provenance(), touches=far
    ).contacts
