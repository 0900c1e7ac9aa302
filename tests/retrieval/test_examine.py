"""What becomes of one file."""

from __future__ import annotations

from dataclasses import replace

from worldline.core.scene import Event
from worldline.retrieval.library import Library
from worldline.retrieval.store import ArrayStore


def test_what_of_a_file_was_lost_is_said_with_its_name(tmp_path, make_scene, write_fake, look):
    video = tmp_path / "a.mp4"
    write_fake(video, make_scene([Event("fall", 0.0, 0.5, {"object": 0}, {"height_m": 1.0})]))
    damage = "truncated: the last 3 frames are missing"
    library = Library(ArrayStore(), look=lambda file: replace(look(file), damage=damage))
    for status in ("added", "unchanged"):
        (result,) = library.ingest(video).results
        assert (str(result.status), result.error) == (status, f"{video}: {damage}")
