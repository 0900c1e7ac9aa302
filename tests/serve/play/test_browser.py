"""The page in a real browser, on a server in a process of its own."""

from __future__ import annotations

import json
import signal

import pytest
from tests.cli.conftest import start
from tests.serve.play.browser import browse, find_browser, until

PROGRAM = find_browser()

DEAF = """
window.WebSocket = class extends WebSocket {
  set onmessage(call) {
    super.onmessage = (event) => {
      const isLook = typeof event.data === "string" && JSON.parse(event.data).type === "look";
      if (!(isLook && window.isDeaf)) call(event);
    };
  }
};
"""
"""The page hears no more of trust while `isDeaf`, as if the server took long to look back."""


@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium or Chrome on the path")
def test_a_person_plays(folder, tmp_path):
    server = start("play", str(folder), "--port", "0", "--json")
    try:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        with browse(str(PROGRAM), tmp_path / "browser") as page:
            page.resize(1100, 800)
            page.call("Page.addScriptToEvaluateOnNewDocument", source=DEAF)
            page.open(address)
            until(lambda: page.run("document.readyState") == "complete", "the page")
            until(lambda: page.run("document.getElementById('cover').hidden"), "a session")
            play(page)
            grow_old(page)
            assert page.faults == []
    finally:
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=60)
    assert server.returncode == 143, err
    assert "Traceback" not in err


def play(page) -> None:
    def text(name: str) -> str:
        return page.run(f"document.getElementById({name!r}).textContent")

    def frame() -> int:
        return int(page.run("document.getElementById('past').max"))

    assert text("world") == "tiny"
    assert page.run("document.documentElement.scrollHeight") <= 800, "all is to be seen"
    began = frame()
    until(lambda: frame() > began + 3, "the frame number to rise")
    assert text("answer") == "\u2013"
    page.key("ArrowRight", "ArrowRight", down=True)
    until(lambda: text("answer") != "\u2013", "a frame that counts the key")
    page.key("ArrowRight", "ArrowRight", down=False)
    assert (
        page.run(
            "(() => { const c = document.querySelector('#own .picture'), d = c.getContext('2d')"
            ".getImageData(0, 0, c.width, c.height).data; return new Set(d).size; })()"
        )
        > 2
    ), "a picture was drawn"

    page.click("pause")
    until(lambda: text("pause") == "Play", "the pause")
    here = frame()
    page.key("Backspace", "Backspace", down=True)
    page.key("Backspace", "Backspace", down=False)
    until(lambda: frame() < here, "the world to go back")
    assert "play goes on from here" in text("status")

    page.click("fork")
    until(lambda: not page.run("document.getElementById('other').hidden"), "the second picture")
    until(lambda: "what was done before the rewind" in text("other"), "what it shows")
    page.click("record")
    until(lambda: text("record") == "Stop", "the recording to begin")
    page.click("pause")
    back = frame()
    until(lambda: frame() > back + 3, "play to go on")
    page.click("record")
    link = "document.querySelector('#films a')"
    until(lambda: page.run(f"{link}?.textContent"), "the recording")
    head = page.run(
        f"fetch({link}.href).then((a) => a.arrayBuffer())"
        ".then((b) => String.fromCharCode(...new Uint8Array(b).slice(4, 8)))"
    )
    assert head == "ftyp"
    page.click("record")
    until(lambda: text("record") == "Stop", "another recording")
    page.click("fork")
    until(lambda: page.run("document.getElementById('other').hidden"), "one picture again")
    until(lambda: text("record") == "Record again", "the recording to have ended with it")
    page.click("record")
    assert text("record") == "Record", "what was meant to end it began none"

    page.resize(400, 800, touch=True)
    until(lambda: page.run("innerWidth") == 400, "the narrow page")
    assert page.run("document.documentElement.scrollWidth") <= 400
    page.resize(1100, 800)
    until(lambda: page.run("innerWidth") == 1100, "the wide page")
    page.click("restart")
    until(lambda: "seed 1" in text("status"), "another session")

    until(lambda: text("pause") == "Pause", "play")
    page.click("pause")
    until(lambda: text("pause") == "Play", "the pause")
    here = frame()
    page.call("Page.reload")
    until(lambda: page.run("document.readyState") == "complete", "the page again")
    until(lambda: page.run("document.getElementById('cover').hidden"), "the session again")
    until(lambda: "Back in your session" in text("status"), "what it says of that")
    assert frame() >= here > 0


def grow_old(page) -> None:
    """Trust in frames of long ago is greyed and says so, until newer ones were looked at."""

    def trust() -> dict:
        return page.run(
            "(() => { const at = (id) => document.getElementById(id); return { "
            "value: at('trust-value').textContent, age: at('trust-age').textContent, "
            "ink: getComputedStyle(at('trust-value')).opacity, "
            "bar: getComputedStyle(at('trust-bar').firstElementChild).opacity }; })()"
        )

    until(lambda: trust()["value"] == "0.00", "a look at an untrained world")
    page.run("window.isDeaf = true")
    until(lambda: trust()["ink"] == "0.7", "trust to be greyed")
    seen = trust()
    assert seen["bar"] == "0.4"
    assert seen["age"].endswith(" s ago")
    assert float(seen["age"].split()[0]) >= 1.5
    page.click("pause")
    until(lambda: page.run("document.getElementById('pause').textContent") == "Play", "the pause")
    page.run("window.isDeaf = false")
    page.key("Backspace", "Backspace", down=True)  # what one goes back to is looked at at once
    page.key("Backspace", "Backspace", down=False)
    until(lambda: trust() == {"value": "0.00", "age": "", "ink": "1", "bar": "1"}, "a fresh look")
