"""A headless Chromium, driven by its DevTools protocol over a web socket."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_S = 120.0
"""For a machine that does much else; nothing here waits longer than it has to."""


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def until(check: Callable[[], Any], what: str) -> Any:
    """What a check gives as soon as it gives something."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for: {what}")


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.faults: list[str] = []
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if told.get("id") == number:
                assert "error" not in told, told
                return told["result"]
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        if told["method"] == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(told["params"]["exceptionDetails"])[:500])
        if told["method"] == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
            self.faults.append(json.dumps(told["params"]["entry"])[:500])

    def run(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        told = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def key(self, code: str, key: str, *, down: bool) -> None:
        kind = "rawKeyDown" if down else "keyUp"
        self.call("Input.dispatchKeyEvent", type=kind, code=code, key=key)

    def click(self, name: str) -> None:
        """Press an element with the mouse, in its middle, once it stays where it is."""
        x, y = self.run(
            f"(async () => {{ const e = document.getElementById({name!r}); "
            "const look = () => { e.scrollIntoView({block: 'center'}); "
            "const b = e.getBoundingClientRect(); "
            "return [b.x + b.width / 2, b.y + b.height / 2]; };"
            "for (let was = look(), now; ; was = now) { "
            "await new Promise((done) => setTimeout(done, 60)); now = look(); "
            "if (String(now) === String(was) && e.contains(document.elementFromPoint(...now))) "
            "return now; } })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def resize(self, width: int, height: int, *, touch: bool = False) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)

    def theme(self, name: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self, file: Path) -> None:
        """A screenshot."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def browse(program: str, folder: Path) -> Iterator[Page]:
    """A tab of a fresh browser that keeps its things in a folder."""
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
    quiet = ("--no-first-run", "--disable-extensions", "--disable-background-networking")
    process = subprocess.Popen(
        [program, *flags, *quiet, "--remote-debugging-port=0", f"--user-data-dir={folder}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = folder / "DevToolsActivePort"
        until(lambda: told.exists() and told.read_text().count("\n"), "the browser's port")
        port = told.read_text().split()[0]
        with urlopen(Request(f"http://127.0.0.1:{port}/json/new", method="PUT")) as answer:
            address = json.loads(answer.read())["webSocketDebuggerUrl"]
        with connect(address, max_size=None, proxy=None) as socket:
            yield Page(socket)
    finally:
        process.kill()
        process.wait()
