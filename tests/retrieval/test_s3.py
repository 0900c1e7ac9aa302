"""A library at an S3 server on this machine."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from worldline.core.errors import ArtifactError
from worldline.core.scene import Event
from worldline.retrieval.commit import sweep
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.library import Library
from worldline.retrieval.missing import missing, surplus
from worldline.retrieval.schema import EVENTS
from worldline.retrieval.store import LEASE_S

PLACE = "s3://bucket/library"
NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch) -> str:
    import boto3

    for name in NAMES:
        monkeypatch.setenv(name, endpoint if name == "AWS_ENDPOINT" else "us-east-1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="bucket")
    for entry in client.list_objects_v2(Bucket="bucket").get("Contents", ()):
        client.delete_object(Bucket="bucket", Key=entry["Key"])
    return PLACE


def fall(height_m: float) -> Event:
    return Event("fall", 0.0, 1.0, {"object": 0}, {"height_m": height_m})


WRITER = """
import json, sys
from worldline.core.scene import Scene
from worldline.retrieval.library import Library

place, scene, name = json.loads(sys.stdin.readline())
library = Library.open(place)
sys.stdin.readline()  # both begin at once
for uri in (f"{name}0", "shared", f"{name}1"):
    library.add(Scene.from_json(scene), uri=uri, content_hash=name)
library.remove(f"{name}0")
"""


def test_two_writers_at_once_lose_nothing(bucket, make_scene):
    scene = make_scene([fall(2.0)])
    Library.open(bucket).add(scene, uri="first", content_hash="1")
    command = [sys.executable, "-W", "error", "-c", WRITER]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in "ab"]
    for writer, name in zip(writers, "ab", strict=True):
        assert writer.stdin is not None
        writer.stdin.write(json.dumps([bucket, scene.to_json(), name]) + "\n")
    for writer in writers:
        writer.communicate("\n", timeout=120)
    assert [writer.returncode for writer in writers] == [0, 0]
    library = Library.open(bucket)
    rows = library.store.read("videos", columns=["uri"])
    expected = ["first", "shared", "a1", "b1"]
    assert sorted(row["uri"] for row in rows) == sorted(expected)
    assert missing(library.store) == []
    assert len(library.search("fall", limit=50).hits) == len(expected)
    assert len(library.search(like=scene, limit=50).hits) == len(expected)
    # What one writer wrote and the other replaced at the same moment is swept when it is old.
    sweep(library.store, 0.0)
    assert set(surplus(library.store).values()) == {0}


def test_rows_without_a_claim_are_swept_by_age_alone(bucket, make_scene):
    library = Library.open(bucket)
    library.add(make_scene([fall(2.0)]), uri="a", content_hash="1")
    row = library.store.read(EVENTS)[0]
    ages = {"young": 60.0, "old": 2 * LEASE_S}
    stamps = {name: f"{time.time_ns() - round(age * 1e9):016x}-x" for name, age in ages.items()}
    library.store.append(EVENTS, [{**row, "ingest_id": stamp} for stamp in stamps.values()])
    library.add(make_scene([fall(3.0)]), uri="b", content_hash="1")
    left = {row["ingest_id"] for row in library.store.read(EVENTS)}
    assert len(left) == 3
    assert stamps["young"] in left


def test_a_bucket_that_is_not_there_says_so(bucket):
    with pytest.raises(ArtifactError, match=r"s3://nowhere/library: .*no such bucket"):
        Library.open("s3://nowhere/library").videos()
    assert not LanceStore(bucket).exists


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"AWS_ENDPOINT": "http://127.0.0.1:9"}, "no server answers; check AWS_ENDPOINT"),
        ({"AWS_ALLOW_HTTP": "false"}, "set AWS_ALLOW_HTTP=true"),
    ],
)
def test_an_endpoint_that_cannot_be_used_says_so(bucket, monkeypatch, setting, said):
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ArtifactError, match=f"^{PLACE}: no library can be opened here .*{said}"):
        Library.open(bucket)
