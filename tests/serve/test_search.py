"""Searches over HTTP give what the library gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.serve.conftest import refused, write_clip

from worldline.core import Provenance
from worldline.data import iter_frames, write_video
from worldline.retrieval import Library

FALLS = "something falls from a height"


def plain(hit: dict) -> dict:
    return {k: v for k, v in hit.items() if k not in ("video", "overlay", "still", "source")}


@pytest.fixture
def told(config):
    """What the library itself answers."""
    answer = Library.open(config.library).search(FALLS).to_json()
    return json.loads(json.dumps(answer))


def test_words_are_answered_as_on_the_command_line(client, told):
    answer = client.get("/v1/search", params={"q": FALLS}).json()
    assert answer["plan"] == told["plan"]
    assert [plain(hit) for hit in answer["hits"]] == [plain(hit) for hit in told["hits"]]
    assert len(answer["hits"]) == 3
    assert client.post("/v1/search", json={"query": FALLS}).json() == answer
    assert client.post("/v1/search", json={"query": told["plan"]}).json() == answer
    first = client.get("/v1/search", params={"q": FALLS, "limit": 1}).json()
    assert first["hits"] == answer["hits"][:1]


def test_a_video_outside_of_the_media_folders_is_found_but_not_shown(client, outside, clips):
    hits = client.get("/v1/search", params={"q": FALLS}).json()["hits"]
    hidden = [hit for hit in hits if hit["source"] == "hidden.mp4"]
    assert len(hidden) == 1
    assert hidden[0]["overlay"] is None
    assert hidden[0]["still"] is None
    assert {Path(h["source"]).parent for h in hits if h not in hidden} == {clips}
    listed = client.get("/v1/videos").text
    assert str(outside.parent) not in listed + json.dumps(hits)
    name = hidden[0]["video"]
    shown = client.get(f"/v1/videos/{name}/overlay.mp4", params={"start_s": 0, "end_s": 1})
    assert "no media folder" in refused(shown, 422)
    assert "no media folder" in refused(client.post("/v1/search", json={"like": name}), 422)


def test_a_known_video_is_most_like_itself(client, clips):
    source = str(clips / "crash.mp4")
    by_source = client.post("/v1/search", json={"like": source}).json()
    assert by_source["plan"]["like"] == source
    first = by_source["hits"][0]
    assert first["source"] == source
    assert first["score"] == pytest.approx(1.0, abs=1e-5)
    for name in (first["video"], "crash.mp4"):
        assert client.post("/v1/search", json={"like": name}).json() == by_source
    both = client.post("/v1/search", json={"like": source, "query": "two objects collide"})
    assert {hit["source"] for hit in both.json()["hits"]} == {source}


def test_an_uploaded_video_finds_what_moves_alike(client, clips):
    with (clips / "crash.mp4").open("rb") as file:
        sent = {"video": ("../../mine.mp4", file, "video/mp4")}
        answer = client.post("/v1/search/like", files=sent, data={"limit": "2"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["plan"]["like"] == "mine.mp4"
    assert 1 <= len(answer.json()["hits"]) <= 2


def test_an_upload_that_is_no_video_or_too_long_is_refused(client, clips, tmp_path):
    def send(content: bytes):
        return client.post("/v1/search/like", files={"video": ("mine.mp4", content)})

    assert refused(send(b"no video at all"), 422).startswith("mine.mp4: ")
    assert refused(send(b""), 422).startswith("mine.mp4: ")
    assert "larger than" in refused(send(bytes(2**21)), 413)
    long = write_clip(tmp_path, "long", "drop", 0, truth=False)
    frames = [frame for _, frame in iter_frames(long)]
    write_video(long, frames, fps=2, provenance=Provenance(source="test"))
    assert "at most 5 s" in refused(send(long.read_bytes()), 422)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"q": "flurb"}, "not known: flurb"),
        ({"q": ""}, "q is empty; give some text"),
        ({"q": " "}, "empty"),
        ({}, "q is missing; give it"),
        ({"q": "fall", "limit": 0}, "limit is less than 1; give 1 or more"),
        ({"q": "fall", "limit": 101}, "limit is more than 100; give 100 or less"),
        ({"q": "fall", "limit": "many"}, "limit is no whole number; give one, such as 10"),
        ({"q": "x" * 2001}, "q is too long; give at most 2000 characters"),
        ({"q": "falls from 2\u00b2 m"}, "2\u00b2"),
    ],
)
def test_bad_words_are_refused_in_a_sentence(client, params, reason):
    assert reason in refused(client.get("/v1/search", params=params), 422)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"query": {"op": "dance"}}', "dance"),
        ('{"query": {"op": "event", "type": "fall", "where": [{"value": NaN}]}}', "NaN"),
        ('{"query": "\\ud800"}', "query"),
        ('{"query": {"op": "\\ud800"}}', "Unicode"),
        ('{"query": [1]}', "query"),
        ('{"query": "fall", "more": 1}', "more is no field of this request; leave it out"),
        ('{"query": "fall", "limit": 1e400}', "limit"),
        ('{"query": "fall", "like": 7}', "like is no text; give text in quotes"),
        ("{}", "empty"),
        ("[]", "the body is no JSON object; give one in braces"),
        ("{", "JSON"),
        ("null", "the body is no JSON object; give one in braces"),
    ],
)
def test_bad_json_is_refused_in_a_sentence(client, body, reason):
    kind = {"content-type": "application/json"}
    assert reason in refused(client.post("/v1/search", content=body, headers=kind), 422)


def test_bottomless_json_is_refused(client):
    body = '{"query": ' + '{"part":' * 5000 + "1" + "}" * 5000 + "}"
    kind = {"content-type": "application/json"}
    response = client.post("/v1/search", content=body, headers=kind)
    assert response.status_code in (400, 422)
    assert refused(response, response.status_code)


@pytest.mark.parametrize("limit", ["3", True, 2.5])
def test_a_limit_in_json_is_a_number(client, limit):
    response = client.post("/v1/search", json={"query": FALLS, "limit": limit})
    assert refused(response, 422).startswith("limit is no whole number")


def test_text_in_place_of_a_file_is_refused_in_plain_words(client):
    said = refused(client.post("/v1/search/like", data={"video": "abc"}), 422)
    assert said == "video is no file; send one, as `curl -F video=@FILE` does"


def test_an_unknown_video_is_not_there(client):
    said = refused(client.post("/v1/search", json={"like": "nowhere.mp4"}), 404)
    assert said.startswith("like: the library has no video called nowhere.mp4; give the id or path")
    assert "POST /v1/search/like" in said


def test_a_library_that_is_not_there_yet_says_so_without_its_place(own, tmp_path):
    said = refused(own.get("/v1/search", params={"q": FALLS}), 409)
    assert "no library here yet" in said
    assert str(tmp_path) not in said
    assert own.get("/v1/library").json()["num_videos"] == 0
    assert own.get("/v1/videos").json() == {"total": 0, "videos": []}
