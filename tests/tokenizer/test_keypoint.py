import numpy as np
import pytest
import torch

from worldline.core.latents import Latents
from worldline.tokenizer import KeypointTokenizer

SIZE = 32


def build(**sizes) -> KeypointTokenizer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return KeypointTokenizer.Config(size_px=SIZE, width=8, **sizes).build().eval()


def raw_tokens(bodies: list[list[float]], ground: list[float]) -> torch.Tensor:
    """Bodies of three, the rest without mass, and a ground."""
    empty = [0.0, 0.0, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0]
    return torch.tensor([[*bodies, *[empty] * (3 - len(bodies)), ground]])


def disc(x: float, y: float, radius: float, color: list[float]) -> list[float]:
    """A whole disc; coordinates and radius in halves of a side."""
    return [x, y, radius / 2, radius / 2, 0.0, (np.pi * radius**2 / 4) ** 0.5, *color]


def test_a_disc_is_painted_where_it_is_and_as_large():
    tokens = raw_tokens([disc(0.25, -0.5, 0.4, [1, 0, 0])], [0.0] * 9)
    image = build(edge_px=0.5).paint(tokens)[0]
    at = (np.arange(SIZE) + 0.5) / 16 - 1
    away = np.hypot(at - 0.25, at[:, None] + 0.5)
    np.testing.assert_allclose(image[0].numpy()[away < 0.34], 1, atol=0.05)
    np.testing.assert_allclose(image[0].numpy()[away > 0.46], 0, atol=0.05)
    assert abs(float(image[0].mean()) - np.pi * 0.4**2 / 4) < 0.004
    assert not image[1:].abs().max() > 1e-3


def test_the_ground_is_a_plane_of_colours():
    ground = [0.1, 0.2, 0.3, 0.5, 0.0, 0.0, 0.0, -0.25, 0.0]
    image = build().paint(raw_tokens([], ground))[0]
    at = (torch.arange(SIZE) + 0.5) / 16 - 1
    torch.testing.assert_close(image[0], (0.1 + 0.5 * at).expand(SIZE, -1))
    torch.testing.assert_close(image[1], (0.2 - 0.25 * at)[:, None].expand(-1, SIZE))
    torch.testing.assert_close(image[2], torch.full((SIZE, SIZE), 0.3))


def test_moments_of_known_maps_paint_the_picture_again(monkeypatch):
    tokenizer = build(edge_px=0.25)
    told = raw_tokens(
        [disc(-0.3, 0.2, 0.3, [0.8, -0.2, 0.4])], [-0.5, 0.1, 0.0, 0.2, 0, 0, 0, 0, 0]
    )
    image = tokenizer.paint(told)
    mask = tokenizer.paint(raw_tokens([disc(-0.3, 0.2, 0.3, [1, 1, 1])], [0.0] * 9))[:, :1]
    maps = torch.cat([mask, torch.zeros(1, 2, SIZE, SIZE), 1 - mask], dim=1)
    monkeypatch.setattr(tokenizer, "maps", lambda images: maps)
    raw, spread = tokenizer.moments(image)
    # a faint pull to the middle, where a map is small
    torch.testing.assert_close(raw[0, 0, :2], told[0, 0, :2], rtol=0, atol=0.01)
    torch.testing.assert_close(raw[0, 0, 2:6], told[0, 0, 2:6], rtol=0, atol=0.02)
    torch.testing.assert_close(raw[0, 0, 6:], told[0, 0, 6:], rtol=0, atol=0.12)
    torch.testing.assert_close(raw[0, -1], told[0, -1], rtol=0, atol=0.05)
    assert spread[0, 0] > 100 * spread[0, 1:].max()


def test_place_moves_with_the_picture_and_colour_does_not_matter_untrained():
    """What stands out is the first body from the start."""
    tokenizer = build()
    scenes = [((-0.4, 0.1), [0.9, -0.9, 0.0]), ((0.1, 0.1), [0.9, -0.9, 0.0])]
    scenes += [((0.1, 0.1), [-0.9, 0.9, 0.0])]
    raw = torch.cat([raw_tokens([disc(*at, 0.3, color)], [0.0] * 9) for at, color in scenes])
    with torch.no_grad():
        found, _ = tokenizer.moments(tokenizer.paint(raw))
    x, y = found[:, 0, 0], found[:, 0, 1]
    assert 0.05 < float(x[1] - x[0]) < 0.5  # the ground pulls it to the middle
    assert float((y[1] - y[0]).abs()) < 0.02
    assert float((x[2] - x[1]).abs()) < 0.02


def test_learning_makes_sketches_better():
    tokenizer = build().train()
    rng = np.random.default_rng(0)
    told = torch.cat(
        [
            raw_tokens(
                [disc(*rng.uniform(-0.6, 0.6, 2), rng.uniform(0.2, 0.4), rng.uniform(-1, 1, 3))],
                [*rng.uniform(-1, 1, 3), *[0.0] * 6],
            ).float()
            for _ in range(32)
        ]
    )
    with torch.no_grad():
        images = tokenizer.paint(told)
    frames = ((images + 1) * 127.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)[:, None]
    weight = torch.ones(32, 1, SIZE, SIZE)
    optimizer = torch.optim.Adam(tokenizer.parameters(), lr=3e-3)
    sketch = []
    for step in range(40):
        losses = tokenizer.loss(frames, weight, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        sketch.append(float(losses["sketch"].detach()))
    assert np.mean(sketch[-5:]) < 0.6 * np.mean(sketch[:5])


def test_latents_are_measured_to_unit_variance_except_for_what_hardly_varies():
    tokenizer = build()
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (3, 4, SIZE, SIZE, 3), generator=generator).to(torch.uint8)
    raw, _ = tokenizer.moments(tokenizer._images(frames))
    tokenizer.measure_latents(frames)
    tokens = tokenizer.encode(frames).tokens.flatten(0, 1)
    torch.testing.assert_close(tokens.mean(0), torch.zeros(4, 9), rtol=0, atol=1e-4)
    wide = raw.std(dim=0) > 0.05
    torch.testing.assert_close(tokens.std(dim=0)[wide], torch.ones(int(wide.sum())))
    assert (tokens.std(dim=0)[~wide] < 1.001).all()


def test_decoding_undoes_the_normalisation():
    tokenizer = build()
    tokenizer.latent_mean.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(0))
    tokenizer.latent_std.fill_(0.5)
    raw = raw_tokens([disc(0, 0, 0.5, [1, 1, 1])], [0.0] * 9).float()
    tokens = (raw - tokenizer.latent_mean) / 0.5
    decoded = tokenizer.decode_unit(Latents(tokens[:, None], (2, 2)))
    torch.testing.assert_close(decoded[0, 0].permute(2, 0, 1), tokenizer.paint(raw)[0])


@pytest.mark.parametrize("config", [{"size_px": 30}, {"rows": 1}])
def test_impossible_sizes_are_refused(config):
    with pytest.raises(ValueError, match="must be"):
        KeypointTokenizer.Config(**config).build()
