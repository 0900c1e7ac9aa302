"""The page and the socket: play, bad input, limits, coming back."""

from __future__ import annotations

import json
import math
import re
import threading
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from starlette.websockets import WebSocketDisconnect
from tests.serve.play.conftest import Seen, call, serve

from worldline.core import Clip, Origin
from worldline.data import write_video
from worldline.serve.play import door, stage
from worldline.serve.play.files import FILES
from worldline.serve.play.pictures import CUT, FORKED, PAUSED, RECORDING
from worldline.serve.play.seat import Seat

RIGHT, LEFT = [1, 0, -1], [-1, 0, -1]


class Links(HTMLParser):
    """What a page loads, and whether it would run anything written into it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in named)
        assert tag != "script" or "src" in named
        self.links += [named[name] for name in ("src", "href") if name in named]


def test_the_page_loads_its_own_files_and_no_others(config):
    with serve(config) as client:
        answer = client.get("/")
        links = Links(answer.text).links
        assert {"/play/play.css", "/play/play.js", "/icon.svg"} == set(links)
        for link in [*links, *(f"/play/{name}" for name in FILES)]:
            got = client.get(link)
            assert got.status_code == 200, link
            assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", got.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert client.get("/play/app.py").status_code == 404
        assert client.get("/v1/recordings/x.mp4").status_code == 404
        assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 403
        health = client.get("/v1/health").json()
        assert health["max_players"] == 2
        assert health["state"] in ("loading", "ready")


def test_actions_reach_the_world(config):
    with serve(config) as client, call(client) as player:
        hello = player.begin(seed=1)
        assert (hello["world"], hello["size"], hello["seed"]) == ("tiny", 64, 1)
        assert hello["fps"] == pytest.approx(20)
        assert hello["pad"]["buttons"] == [{"name": "grip", "column": 2, "key": "space"}]
        start = player.frame()
        assert (start.frame, start.actions) == (0, [[0, 0, -1]])
        player.say("act", action=RIGHT, number=7)
        first = player.frame(act=7)
        assert first.actions == [RIGHT]
        assert player.frame().frame > first.frame
        player.say("ping", sent=12.5)
        assert player.wait("pong") == {"type": "pong", "sent": 12.5}
        assert "not been calibrated" in player.wait("look")["reason"]


def test_pause_step_rewind_fork_and_record(config):
    with serve(config) as client, call(client) as player:
        player.begin()
        player.say("act", action=RIGHT, number=1)
        player.frame(act=1, least=4)
        here = player.stop()
        assert here.flags == PAUSED | CUT
        player.say("step")
        assert player.wait("state")["paused"]
        stepped = player.frame()
        assert (stepped.frame, stepped.flags) == (here.frame + 1, PAUSED)
        player.say("rewind", frames=1)
        assert player.wait("state")["frame"] == here.frame
        back = player.frame()
        assert (back.frame, back.pictures) == (here.frame, here.pictures)
        player.say("fork", other="old")
        assert player.wait("state")["forked"]
        assert player.frame().flags == FORKED | PAUSED
        player.say("record", on=True)
        assert player.wait("state")["recording"]
        player.say("act", action=LEFT, number=2)
        player.say("step")
        twice = player.frame(least=here.frame + 1)
        assert twice.flags == FORKED | RECORDING | PAUSED
        assert twice.actions == [LEFT, RIGHT]
        assert twice.pictures[1] == stepped.pictures[0]  # the same noise, the old action
        assert twice.pictures[0] != twice.pictures[1]
        player.say("join")  # of another number of pictures, so that the recording ends
        told = player.wait("recorded")
        assert told["frames"] == 1
        film = client.get(told["href"])
        assert film.headers["content-type"] == "video/mp4"
        assert "attachment" in film.headers["content-disposition"]
        player.say("restart", seed=5)
        state = player.wait("state")
        while state["after"] != "restart":  # that of the join may come later than the recording
            state = player.wait("state")
        assert (state["seed"], state["paused"]) == (5, False)
        assert player.frame().frame <= 2


def test_a_pause_is_confirmed_also_when_no_frame_follows(config):
    with serve(config) as client, call(client) as player:
        player.begin()
        here = player.stop()
        for _ in range(2):
            player.say("pause", on=True)
            told = player.frame()
            assert (told.frame, told.flags) == (here.frame, PAUSED)
        player.say("pause", on=False)
        assert player.frame(least=here.frame + 1).flags == 0


def test_a_recording_reads_back_as_generated(config, tmp_path):
    with serve(config) as client, call(client) as player:
        player.begin()
        player.say("record", on=True)
        player.wait("state")
        player.frame(least=player.frame().frame + 3)
        player.say("record", on=False)
        file = tmp_path / "film.mp4"
        file.write_bytes(client.get(player.wait("recorded")["href"]).content)
    clip = Clip.read(file)
    assert clip.provenance.origin is Origin.GENERATED
    assert clip.size_px == (512, 512)
    assert clip.fps == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no json", "not JSON"),
        ('{"type": "act", "action": [NaN, 0, 0]}', "not JSON"),
        ('{"type": "act", "action": [1e999, 0, 0]}', "no finite number"),
        ('{"type": "act", "action": [0, 0]}', "a list of 3 numbers"),
        ('{"type": "act", "action": "up"}', "a list of 3 numbers"),
        ('{"type": "dance"}', 'unknown type "dance"'),
        ('{"type": "open"}', "means nothing here"),
    ],
)
def test_nonsense_is_answered_and_the_world_goes_on(config, text, reason):
    with serve(config) as client, call(client) as player:
        player.begin()
        player.socket.send_text(text)
        assert reason in player.wait("error")["reason"]
        assert player.frame(least=player.frame().frame + 1)


def test_what_goes_too_far_ends_the_connection_and_not_the_server(config, monkeypatch):
    monkeypatch.setattr(door, "_RATE", 1e-3)  # however slow this machine is, it sends more
    monkeypatch.setattr(door, "_MOST_EXCESS", 20)
    monkeypatch.setattr(door, "_MOST_BAD", 3)

    def end_of(player) -> dict:
        while True:
            found = player.take()
            if isinstance(found, dict) and found["type"] == "closed":
                return found

    with serve(replace(config, max_players=9)) as client:
        with call(client) as player:
            player.begin()
            player.socket.send_text(json.dumps({"type": "act", "action": "x" * 20_000}))
            assert end_of(player)["code"] == 1009
        with call(client) as player:
            player.begin()
            for _ in range(int(door._BURST) + 21):
                player.say("act", action=RIGHT, number=1)
            assert "send fewer" in player.wait("error")["reason"]
            assert end_of(player) == {
                "type": "closed",
                "code": 1008,
                "reason": "too many messages; send fewer",
            }
        with call(client) as player:
            player.begin(resume=player.hello.get("token"))
            for _ in range(4):
                player.say("dance")
            assert end_of(player)["reason"] == "too many messages that make no sense"
        with call(client) as player:
            player.say("step")
            assert "must be" in player.wait("error")["reason"]
            assert end_of(player)["code"] == 1008
        assert client.get("/v1/health").json()["status"] == "ok"


def test_places_are_limited_and_given_back(config):
    with serve(config) as client:
        with call(client) as first, call(client) as second, call(client) as third:
            first.begin()
            second.begin()
            third.say("open")
            assert "2 of 2 places are taken" in third.wait("full")["reason"]
            assert third.take() == {
                "type": "closed",
                "code": 1013,
                "reason": "2 of 2 places are taken; try again in a minute",
            }
            first.say("leave")
            second.frame()
        with call(client) as fourth:
            assert not fourth.begin()["resumed"]


def test_a_lost_connection_comes_back_to_the_same_moment(config):
    with serve(config) as client:
        with call(client) as player:
            token = player.begin()["token"]
            player.say("act", action=RIGHT, number=1)
            player.frame(act=1)
            left = player.stop()
        with call(client) as player:
            hello = player.begin(resume=token)
            assert (hello["resumed"], hello["token"]) == (True, token)
            assert player.frame().frame >= left.frame
            with call(client) as thief:
                assert thief.begin(resume=token)["resumed"]
                found = player.take()
                while isinstance(found, Seen) or found["type"] != "closed":
                    found = player.take()
                assert found["code"] == 4001
                thief.frame(least=left.frame + 1)
        with call(client) as player:
            assert not player.begin(resume="unknown")["resumed"]


def test_nobody_waits_for_a_session_for_ever(config):
    with serve(replace(config, resume_s=0.01)) as client:
        with call(client) as player:
            token = player.begin()["token"]
        with call(client) as other:
            other.begin()
            other.frame(least=12)
        with call(client) as player:
            assert not player.begin(resume=token)["resumed"]


@pytest.mark.parametrize(("limit", "reason"), [("idle_s", "nothing was done"), ("max_s", "lasts")])
def test_sessions_end_with_a_reason(config, limit, reason):
    with serve(replace(config, **{limit: 0.5})) as client, call(client) as player:
        player.begin()
        over = player.wait("over")
        assert reason in over["reason"]
        assert "open another" in over["reason"]
        found = player.take()
        while isinstance(found, Seen):
            found = player.take()
        assert found["code"] == 4000


def test_a_token_is_needed_where_there_is_one(config):
    with serve(replace(config, token="secret")) as client:
        assert client.get("/").status_code == 401
        with pytest.raises(WebSocketDisconnect), call(client):
            pass
        assert client.get("/", params={"token": "secret"}).status_code == 200
        with call(client, authorization="Bearer secret") as player:
            assert player.begin()["world"] == "tiny"


def test_a_page_elsewhere_cannot_play(config):
    origin = {"host": "localhost", "origin": "https://elsewhere.example"}
    with serve(config) as client, pytest.raises(WebSocketDisconnect):
        client.websocket_connect("/v1/play", headers=origin).__enter__()


def test_a_video_can_be_what_one_begins_with(config, openings, tmp_path):
    file = tmp_path / "clip.mp4"
    write_video(file, openings[0].frames, fps=20, provenance=openings[0].provenance)
    with serve(replace(config, clip=file)) as client, call(client) as player:
        player.begin()
        player.frame(least=1)


def test_a_world_that_cannot_be_opened_is_told(config):
    with serve(replace(config, world="nowhere")) as client, call(client) as player:
        player.say("open")
        assert "no world 'nowhere'" in player.wait("error")["reason"]
        assert client.get("/v1/health").json()["state"] == "failed"


def test_what_was_looked_at_before_a_restart_says_nothing_after_it(config, monkeypatch):
    may_end, calls = threading.Event(), []

    def slow(session):
        calls.append(session)
        number = len(calls)
        assert may_end.wait(60)
        return {"frame": session.num_steps, "trust": 0.5, "reason": str(number), "lines": []}

    monkeypatch.setattr("worldline.serve.play.player.look_back", slow)
    with serve(config) as client, call(client) as player:
        player.begin()
        player.frame(least=2)
        player.say("restart")
        assert player.wait("state")["after"] == "restart"
        may_end.set()
        assert player.wait("look")["reason"] == "2", "the first was of the session before"
        while player.frame().trust != 0.5:  # frames that were on their way
            pass
        may_end.clear()
        player.say("restart")
        while not (seen := player.frame()).flags & CUT:
            assert seen.trust == 0.5
        assert math.isnan(seen.trust)
        may_end.set()


def test_pages_left_while_the_world_opens_hold_no_place(config, monkeypatch):
    may_open, open_now = threading.Event(), stage.open_stage

    def slow(config):
        may_open.wait(20)
        return open_now(config)

    monkeypatch.setattr(stage, "open_stage", slow)
    with serve(config) as client:
        for _ in range(config.max_players):
            with call(client) as player:
                player.say("open")
                player.wait("loading")
        may_open.set()
        with call(client) as player:
            player.begin()
            assert client.get("/v1/health").json()["players"] == 1


def test_a_fault_here_ends_the_connection_with_a_word(config, monkeypatch, caplog):
    def fail(seat, message):
        raise RuntimeError("a wire came loose")

    with serve(config) as client:
        with call(client) as player:
            player.begin()
            monkeypatch.setattr(Seat, "hear", fail)
            player.say("step")
            while isinstance(found := player.take(), Seen) or found["type"] != "closed":
                pass
        monkeypatch.undo()
        assert found["code"] == 1011
        assert found["reason"] == "the connection failed; please report this"
        assert "a wire came loose" in caplog.text
        with call(client) as player:
            player.begin()
            player.frame(least=1)
