"""What HTTP adds to a search: a running server beside `Library.search` in this process.

The library holds the scenes of sixteen simulated clips again and again, under as many names as
are asked for. The same queries go in turn to the library here and, over a connection that is kept,
to `worldline serve` on this machine; then to that by several clients at once.

    OMP_NUM_THREADS=1 python benchmarks/serve_latency.py --videos 1000
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).parent))

from record import write_record

from worldline.physics import detect_events
from worldline.retrieval import Library
from worldline.retrieval.ingest import Seen
from worldline.retrieval.lance import LanceStore
from worldline.sim import make_clip

QUERIES = (
    "something falls from a height",
    "a ball falls more than 2 m",
    "two objects collide",
    "a ball bounces at least twice",
    "nothing falls",
    "a collision, then a stop within 2 s",
)
FAMILIES = ("drop", "collide", "bounce", "roll")


def fill(folder: Path, place: Path, num_videos: int) -> None:
    scenes = []
    for index in range(16):
        scene = make_clip(FAMILIES[index % len(FAMILIES)], index, seed=1).scene
        assert scene is not None
        scenes.append(scene if scene.events else scene.with_events(detect_events(scene)))
    folder.mkdir()
    for index in range(num_videos):
        (folder / f"{index:06d}.mp4").write_text(str(index))

    def look(path: Path) -> Seen:
        return Seen(scenes[int(path.stem) % len(scenes)], "truth")

    report = Library(LanceStore(str(place)), look=look).ingest(folder)
    assert report.to_json()["added"] == num_videos


def describe_ms(times_s: list[float]) -> dict[str, float]:
    cuts = quantiles(times_s, n=20)
    return {
        "n": len(times_s),
        "p50_ms": round(1000 * median(times_s), 2),
        "p95_ms": round(1000 * cuts[18], 2),
    }


def ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    given = parser.parse_args()
    paths = [f"/v1/search?q={quote(query)}&limit=10" for query in QUERIES]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "library"
        fill(Path(folder) / "clips", place, given.videos)
        library = Library.open(place)
        command = [sys.executable, "-m", "worldline.cli.main", "serve", "--library", str(place)]
        server = subprocess.Popen(
            [*command, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            host = urlsplit(json.loads(server.stdout.readline())["address"]).netloc
            connection = http.client.HTTPConnection(host, timeout=60)
            for query, path in zip(QUERIES, paths, strict=True):  # warm, and the same answers
                hits = json.loads(ask(connection, path))["hits"]
                own = library.search(query, limit=10).hits
                assert [h["score"] for h in hits] == [h.score for h in own], query
            times: dict[str, list[float]] = {"library": [], "http": [], "health": []}
            for _ in range(given.rounds):
                for query, path in zip(QUERIES, paths, strict=True):
                    start_s = time.perf_counter()
                    library.search(query, limit=10).to_json()
                    times["library"].append(time.perf_counter() - start_s)
                    start_s = time.perf_counter()
                    ask(connection, path)
                    times["http"].append(time.perf_counter() - start_s)
                    start_s = time.perf_counter()
                    ask(connection, "/v1/health")
                    times["health"].append(time.perf_counter() - start_s)
            times["http_at_once"] = at_once(host, paths, given.clients, given.rounds)
        finally:
            server.terminate()
            server.wait(60)
    added = [b - a for a, b in zip(times["library"], times["http"], strict=True)]
    rows = {name: describe_ms(values) for name, values in times.items()}
    rows["added"] = describe_ms(added)
    for name, row in rows.items():
        print(f"{name:14} n {row['n']:5}  p50 {row['p50_ms']:8.2f} ms  p95 {row['p95_ms']:8.2f} ms")
    facts = {"videos": given.videos, "queries": len(QUERIES), "clients_at_once": given.clients}
    write_record("serve_latency", {**facts, "rows": rows})


def at_once(host: str, paths: list[str], num_clients: int, rounds: int) -> list[float]:
    times: list[float] = []

    def work() -> None:
        connection = http.client.HTTPConnection(host, timeout=60)
        for _ in range(max(1, rounds // num_clients)):
            for path in paths:
                start_s = time.perf_counter()
                ask(connection, path)
                times.append(time.perf_counter() - start_s)

    threads = [threading.Thread(target=work) for _ in range(num_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


if __name__ == "__main__":
    main()
