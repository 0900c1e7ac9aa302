"""A hit is shown as a clip and as a picture."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.serve.conftest import refused, wait_for

from worldline.data import probe, read_clip


@pytest.fixture
def hit(client):
    hits = client.get("/v1/search", params={"q": "two objects collide"}).json()["hits"]
    return next(hit for hit in hits if hit["overlay"])


def test_a_hit_has_a_clip_of_its_interval(client, hit, tmp_path):
    answer = client.get(hit["overlay"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp4"
    (tmp_path / "hit.mp4").write_bytes(answer.content)
    info = probe(tmp_path / "hit.mp4")
    assert ("drawn", "a search hit") in info.provenance.details
    start_s = max(0.0, hit["start_s"] - 0.5)
    end_s = min(hit["end_s"] + 0.5, probe(hit["source"]).duration_s)
    assert info.duration_s == pytest.approx(end_s - start_s, abs=0.1)
    plain = read_clip(hit["source"]).frames.shape[2]
    assert info.width_px == plain * -(-384 // plain)  # enlarged by a whole number
    assert client.get(hit["overlay"]).content == answer.content


def test_a_hit_has_a_picture(client, hit):
    answer = client.get(hit["still"])
    assert answer.headers["content-type"] == "image/jpeg"
    image = np.asarray(Image.open(BytesIO(answer.content)))
    assert image.shape[2] == 3
    later = client.get(f"{hit['still']}&at_s={hit['end_s']}")
    assert later.status_code == 200


def test_parts_of_a_clip_can_be_had(client, hit):
    whole = client.get(hit["overlay"]).content
    part = client.get(hit["overlay"], headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    beyond = client.get(hit["overlay"], headers={"range": f"bytes={len(whole)}-"})
    assert refused(beyond, 416)
    assert beyond.headers["content-range"].endswith(f"*/{len(whole)}")
    assert refused(client.get(hit["overlay"], headers={"range": "bytes=b-a"}), 400)


@pytest.mark.parametrize(
    ("params", "status", "reason"),
    [
        ({"start_s": 1, "end_s": 0.5}, 422, "before start_s"),
        ({"start_s": 900, "end_s": 901}, 422, "lasts"),
        ({"start_s": 0, "end_s": 1, "event": 12345}, 404, "no event 12345"),
        ({"start_s": "nan", "end_s": 1}, 422, "start_s is no finite number"),
        ({"start_s": 0, "end_s": "inf"}, 422, "end_s"),
        ({"start_s": -1, "end_s": 1}, 422, "start_s"),
        ({"start_s": 0}, 422, "end_s is missing; give it"),
    ],
)
@pytest.mark.parametrize("kind", ["mp4", "jpg"])
def test_what_cannot_be_shown_is_told(client, hit, kind, params, status, reason):
    place = f"/v1/videos/{hit['video']}/overlay.{kind}"
    assert reason in refused(client.get(place, params=params), status)


def test_videos_that_are_none_are_not_there(client):
    span = {"start_s": 0, "end_s": 1}

    def show(name: str):
        return client.get(f"/v1/videos/{name}/overlay.mp4", params=span)

    assert "no video" in refused(show("0123456789abcdef"), 404)
    assert refused(show("..%2F..%2Fetc"), 404)
    assert "video" in refused(show("ABC"), 422)


def test_a_video_that_was_deleted_is_told(own, tmp_path):
    wait_for(own, own.post("/v1/jobs", json={"paths": ["crash.mp4"]}).json()["id"])
    (hit, *_) = own.get("/v1/search", params={"q": "two objects collide"}).json()["hits"]
    (tmp_path / "media" / "crash.mp4").unlink()
    assert "crash.mp4" in refused(own.get(hit["overlay"]), 422)
