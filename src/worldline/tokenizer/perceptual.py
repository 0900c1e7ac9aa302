"""Perceptual distances: candidates."""

from __future__ import annotations
import math, os
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

KIND = os.environ.get("PERC", "ssim")


def _gauss(x, sigma=1.5, r=5):
    k = torch.exp(-0.5 * (torch.arange(-r, r + 1, dtype=torch.float32) / sigma) ** 2)
    k = k / k.sum()
    c = x.shape[1]
    x = F.conv2d(x, k.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)
    return F.conv2d(x, k.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)


def ssim_term(image, truth, heavy):
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    x = (image * luma).sum(1, keepdim=True) / 2 + 0.5
    y = (truth * luma).sum(1, keepdim=True) / 2 + 0.5
    out = 0.0
    for s in range(3):
        mx, my = _gauss(x), _gauss(y)
        vx, vy = _gauss(x * x) - mx**2, _gauss(y * y) - my**2
        cov = _gauss(x * y) - mx * my
        m = (2 * cov + 0.0009) / (vx + vy + 0.0009)
        if s == 2:
            m = m * (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
        mass = heavy[..., 5:-5, 5:-5]
        out = out + ((1 - m) * mass).mean() / 3
        x, y, heavy = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2), F.avg_pool2d(heavy, 2)
    return out


_W = None


def random_term(image, truth, heavy):
    global _W
    if _W is None:
        g = torch.Generator().manual_seed(0)
        _W = [
            torch.randn(o, i, 3, 3, generator=g) / math.sqrt(9 * i / 2)
            for i, o in ((3, 16), (16, 32), (32, 64))
        ]
    a, b, out = image, truth, 0.0
    for w in _W:
        a, b = F.relu(F.conv2d(a, w, padding=1)), F.relu(F.conv2d(b, w, padding=1))
        na = a / (a.square().sum(1, keepdim=True) + 1e-3).sqrt()
        nb = b / (b.square().sum(1, keepdim=True) + 1e-3).sqrt()
        out = out + ((na - nb).square().sum(1, keepdim=True) * heavy).mean() / 3
        a, b, heavy = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2), F.avg_pool2d(heavy, 2)
    return out


def gabor_term(image, truth, heavy):
    global _W
    if _W is None:
        r = 4
        yy, xx = torch.meshgrid(torch.arange(-r, r + 1.0), torch.arange(-r, r + 1.0), indexing="ij")
        fs = []
        for o in range(4):
            t = math.pi * o / 4
            u = xx * math.cos(t) + yy * math.sin(t)
            env = torch.exp(-(xx**2 + yy**2) / (2 * 2.0**2))
            for ph in (0, math.pi / 2):
                f = env * torch.cos(2 * math.pi * u / 6 + ph)
                f = f - env * (f.sum() / env.sum())
                fs.append(f / f.norm())
        _W = torch.stack(fs)[:, None]
    out = 0.0
    a, b = image, truth
    for _ in range(3):
        n, c, h, w = a.shape
        fa = F.conv2d(a.reshape(n * c, 1, h, w), _W, padding=4).view(n, c, 4, 2, h, w)
        fb = F.conv2d(b.reshape(n * c, 1, h, w), _W, padding=4).view(n, c, 4, 2, h, w)
        ea, eb = (fa.square().sum(3) + 1e-4).sqrt(), (fb.square().sum(3) + 1e-4).sqrt()
        norm = eb.mean(2, keepdim=True) + 0.1
        out = out + (((ea - eb).abs() / norm).mean((1, 2))[:, None] * heavy).mean() / 3
        a, b, heavy = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2), F.avg_pool2d(heavy, 2)
    return out


def perceptual_distance(image: Tensor, truth: Tensor, heavy: Tensor) -> Tensor:
    return {"ssim": ssim_term, "random": random_term, "gabor": gabor_term}[KIND](
        image, truth, heavy
    )
