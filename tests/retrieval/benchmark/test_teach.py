"""Teaching the spotter: from clips to lessons, and from a trained network to what is bundled."""

from __future__ import annotations

import numpy as np
import torch
from tests.retrieval.spotting.conftest import draw

from worldline.data import write_video
from worldline.physics import ONTOLOGY
from worldline.retrieval.benchmark.clips import ClipFile
from worldline.retrieval.benchmark.looking import Sight
from worldline.retrieval.benchmark.teach import make_lessons, settle, write
from worldline.retrieval.colors import COLORS
from worldline.retrieval.spotting.network import SpotterNetworkConfig
from worldline.retrieval.spotting.spots import load_spotter, spot


def film(folder, speed_px_s=20.0):
    scene, kept = draw(50, speed_px_s=speed_px_s)
    video = folder / f"{speed_px_s}.mp4"
    frames = [kept.frame(i) for i in range(len(kept.images))]
    write_video(video, frames, fps=12.5, provenance=scene.provenance)
    return Sight(ClipFile("a", "drawn", video, folder / "a.json"), scene, scene)


def test_a_clip_becomes_windows_with_answers(tmp_path):
    (lesson,) = make_lessons([film(tmp_path)], 1)
    fall = list(ONTOLOGY).index("fall")
    assert lesson.window[fall] == 1
    assert lesson.tokens.tracks.tolist() == [1]


def test_what_is_settled_and_written_comes_back(tmp_path):
    lessons = make_lessons([film(tmp_path, speed) for speed in (8.0, 20.0, 30.0)], 1)
    torch.manual_seed(0)
    config = SpotterNetworkConfig(types=tuple(ONTOLOGY), colors=COLORS, width=16, depth=1, heads=2)
    network = config.build().eval()
    settle(network, lessons, lessons)
    write(network, tmp_path / "made", len(lessons), 0.1)
    again = load_spotter(tmp_path / "made")
    assert again.config == config
    torch.testing.assert_close(again.axes, network.axes)  # exact, unlike the weights
    assert "3 windows" in (tmp_path / "made" / "card.md").read_text()
    scene, kept = draw(50)
    first, second = (spot(scene, kept, network=n).windows[0] for n in (network, again))
    np.testing.assert_allclose(first.window, second.window, atol=0.1)
