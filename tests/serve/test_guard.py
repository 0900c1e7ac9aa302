"""What is refused before anything is done, and that answers do not leak."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from tests.serve.conftest import refused

from worldline.core.errors import InputError
from worldline.serve import create_app
from worldline.serve.guard import COOKIE, Guard


@pytest.fixture
def locked(config):
    app = create_app(replace(config, token="a secret"))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


def test_a_token_is_needed_where_there_is_one(locked):
    assert locked.get("/v1/health").status_code == 200
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic a secret"}):
        answer = locked.get("/v1/jobs", headers=headers)
        assert "token" in refused(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert locked.get("/v1/jobs", headers={"authorization": "Bearer a secret"}).status_code == 200
    large = locked.post("/v1/search/like", content=b"x", headers={"content-length": "1"})
    assert refused(large, 401)  # before the body is looked at
    operation = locked.get("/openapi.json").json()["paths"]["/v1/jobs"]["get"]
    assert operation["security"] == [{"token": []}]


def test_the_page_takes_the_token_once_and_keeps_it_in_a_cookie(locked):
    assert refused(locked.get("/"), 401)
    assert refused(locked.get("/", params={"token": "wrong"}), 401)
    entered = locked.get("/", params={"token": "a secret"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert locked.get("/style.css").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[::2]", "a:b:c"])
def test_other_names_are_refused(client, host):
    told = refused(client.get("/", headers={"host": host}), 403)
    assert "not called by that name; `--name` gives it further ones" in told


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "LOCALHOST:8431", "[::1]:80"])
def test_own_names_are_taken(client, host):
    assert client.get("/v1/health", headers={"host": host}).status_code == 200


def test_pages_elsewhere_change_nothing(client):
    def post(origin: str):
        return client.post("/v1/jobs", json={"paths": ["x"]}, headers={"origin": origin})

    assert "another origin" in refused(post("http://evil.example"), 403)
    assert "another origin" in refused(post("null"), 403)
    assert "media folder" in refused(post("http://localhost"), 422)
    kind = {"content-type": "text/plain"}  # what a form of a page elsewhere could send
    assert refused(client.post("/v1/jobs", content='{"paths": ["x"]}', headers=kind), 422)


def test_large_bodies_are_refused_with_and_without_their_length(client):
    def drip():
        for _ in range(40):
            yield b" " * 2**16

    body = b" " * (2**20 + 1)
    kind = {"content-type": "application/json"}
    for content in (body, drip()):
        answer = client.post("/v1/search", content=content, headers=kind)
        assert "larger than 1 MiB" in refused(answer, 413)


@pytest.mark.parametrize("path", ["/nope", "/v1", "/v1/", "/docs", "/../etc/passwd", "/v1/jobs/"])
def test_unknown_addresses_are_problems(client, path):
    assert "openapi.json" in refused(client.get(path, follow_redirects=False), 404)


def test_unknown_methods_are_problems(client):
    answer = client.put("/v1/search")
    assert refused(answer, 405)
    assert answer.headers["allow"] == "GET, POST"
    assert client.put("/v1/jobs/0123456789abcdef").headers["allow"] == "DELETE, GET"
    assert client.put("/style.css").headers["allow"] == "GET"


def test_a_media_folder_that_is_none_is_named(config, tmp_path):
    with pytest.raises(InputError, match=r"--media .*nowhere: no such folder"):
        create_app(replace(config, media=(tmp_path / "nowhere",)))


def speak(app, messages, headers=((b"host", b"localhost"),)):
    """What a guarded app answers to some messages; after them nothing comes any more."""
    guard = Guard(app, hosts=(), token="", timeout_s=0.05, max_bytes=lambda path: 8)
    sent = []

    async def receive():
        if messages:
            return messages.pop(0)
        await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers)}
    asyncio.run(guard({**scope, "query_string": b""}, receive, send))
    return sent


def test_a_body_that_does_not_come_is_not_waited_for():
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def echo(request):
        return PlainTextResponse(await request.body())

    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    part = {"type": "http.request", "body": b"1234", "more_body": True}
    whole = {"type": "http.request", "body": b"5678", "more_body": False}
    sent = speak(app, [part, whole])
    assert sent[0]["status"] == 200
    assert b"".join(m.get("body", b"") for m in sent) == b"12345678"
    sent = speak(app, [part])
    assert sent[0]["status"] == 408
    assert b"did not come within 0.05 s" in sent[-1]["body"]
    sent = speak(app, [part, part, part])
    assert sent[0]["status"] == 413
    assert b"larger than 8 bytes" in sent[-1]["body"]
