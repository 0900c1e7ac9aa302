"""How long does a search take in a library of 10,000, 100,000 and 1,000,000 segments?

    OMP_NUM_THREADS=1 python benchmarks/search_latency.py [--segments 10000 100000 1000000]

Libraries are made up, straight into the store: videos of 1 to 60 segments (10 on average), 2 events
and 1.5 moving objects per segment, a fifth of the videos simulated (confidence 1, names known), the
others as perceived from pixels (confidence below 1, half of the objects without a name). Types of
events and heights, speeds and times have long tails; motions scatter around 500 paths.

Each kind of query is asked `--queries` times (50 at least) with other events, objects and
thresholds, in one process that has the library open, on a local disk that has it cached; "first" is
the first query after opening, with the import of the database. Milliseconds of wall time, and of
processor time over all threads, which says more where other work is on the machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
from record import rows_of_today, write_record

from worldline.core import Provenance, Scene
from worldline.retrieval import Library
from worldline.retrieval.columns import arrow_schema
from worldline.retrieval.lance import LanceStore
from worldline.retrieval.motions import Kind, describe
from worldline.retrieval.rows import current_definitions
from worldline.retrieval.schema import COMMON_QUANTITIES, EVENTS, MOTIONS, SCHEMA_VERSION, VIDEOS

TYPES = {
    "contact": 0.24, "start": 0.12, "stop": 0.12, "enter": 0.1, "exit": 0.1, "rise": 0.06,
    "fall": 0.06, "still": 0.05, "bounce": 0.04, "collide": 0.03, "occlude": 0.02,
    "near_miss": 0.02,
    "throw": 0.015, "roll": 0.01, "topple": 0.005, "turn": 0.01,
}  # fmt: skip
PAIRS = {"contact", "collide", "near_miss"}
LABELS = ("car", "person", "ball", "box", "cylinder", "bicycle", "dog", "cup")
COLORS = ("red", "green", "blue", "yellow", "white", "black", "gray", "brown")
QUANTITIES = {
    "fall": ("height_m", -0.5, 1.0), "rise": ("height_m", -1.0, 1.0),
    "bounce": ("restitution", -0.7, 0.4), "collide": ("approach_speed_mps", 0.5, 0.8),
    "near_miss": ("ttc_s", 0.0, 0.5), "throw": ("speed_mps", 1.0, 0.6),
}  # fmt: skip
"""Of some types of event: what is measured, mean and spread of its logarithm."""

CHUNK_VIDEOS = 10_000
KINDS = ["structure", "counts and absence", "like", "like and structure"]


def make_library(place: Path, num_segments: int, rng: np.random.Generator) -> None:
    store = LanceStore(str(place))
    paths = [random_vector(rng) for _ in range(500)]
    made = 0
    with store.writing(lambda dead_after_s: None):
        first = 0
        while made < num_segments:
            sizes = np.clip(rng.lognormal(1.9, 0.9, CHUNK_VIDEOS).astype(int) + 1, 1, 60)
            sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), num_segments - made)) + 1]
            made += int(sizes.sum())
            for table, rows in tables_of(first, sizes, paths, rng).items():
                store._write(table, lambda handle, rows=rows: handle.add(rows))
            first += len(sizes)
        store.compact()


def random_vector(rng: np.random.Generator) -> np.ndarray:
    found = describe(scene(rng))
    return found[rng.integers(len(found))].vector


def tables_of(first: int, sizes: np.ndarray, paths: list, rng: np.random.Generator) -> dict:
    num = len(sizes)
    uris = np.array(
        [
            f"/footage/camera-{i % 97:02d}/2026-11/clip-{i:07d}.mp4"
            for i in range(first, first + num)
        ]
    )
    ids = np.array([f"{0x18EC78000000000 + i:016x}-{i:08x}" for i in range(first, first + num)])
    truth = rng.random(num) < 0.2
    num_events, num_motions = rng.poisson(2.0 * sizes), rng.poisson(1.5 * sizes)
    events = events_of(np.repeat(np.arange(num), num_events), sizes, truth, rng)
    video = events.pop("video")
    common = {"duration_s": 2.0 * sizes + 2, "fps": np.full(num, 25.0)}
    number = {"width_px": 640, "height_px": 360, "schema_version": SCHEMA_VERSION}
    videos = {
        "uri": uris, "ingest_id": ids, "content_hash": ids, **common,
        **{name: np.full(num, value) for name, value in number.items()},
        "origin": np.where(truth, "simulated", "recorded"),
        "evidence": np.where(truth, "truth", "pixels"),
        "num_events": num_events, "num_motions": num_motions,
        "num_segments": np.minimum(sizes, num_motions),
        "definitions": [current_definitions()] * num,
        **{name: [""] * num for name in ("damage", "ingested_at")},
    }  # fmt: skip
    owner = np.repeat(np.arange(num), num_motions)
    segment = (rng.random(len(owner)) * sizes[owner]).astype(int)
    vectors = np.array(paths)[rng.integers(len(paths), size=len(owner))]
    vectors = vectors + rng.normal(0, 0.03, vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vector = pa.FixedSizeListArray.from_arrays(
        pa.array(vectors.astype(np.float32).ravel()), vectors.shape[1]
    )
    motions = {
        "uri": uris[owner], "ingest_id": ids[owner], "segment": segment,
        "start_s": 2.0 * segment, "end_s": 2.0 * segment + 4,
        "kind": rng.choice([str(kind) for kind in Kind], len(owner)),
        "tracks": rng.integers(0, 9, (len(owner), 1)).tolist(), "vector": vector,
    }  # fmt: skip
    events |= {"uri": uris[video], "ingest_id": ids[video]}
    return {
        name: pa.table(
            {field.name: as_array(columns[field.name], field.type) for field in arrow_schema(name)},
            schema=arrow_schema(name),
        )
        for name, columns in ((EVENTS, events), (MOTIONS, motions), (VIDEOS, videos))
    }


def as_array(column: object, kind: pa.DataType) -> pa.Array:
    return column if isinstance(column, pa.Array) else pa.array(column, kind)


def events_of(
    video: np.ndarray, sizes: np.ndarray, truth: np.ndarray, rng: np.random.Generator
) -> dict:
    num = len(video)
    chances = np.array(list(TYPES.values()))
    types = rng.choice(list(TYPES), num, p=chances / chances.sum())
    pair = np.isin(types, list(PAIRS))
    start_s = rng.random(num) * 2 * sizes[video]
    duration_s = rng.exponential(0.6, num)
    known = truth[video]
    confidence = np.where(known, 1.0, rng.beta(5, 2, num))
    values = {name: np.full(num, np.nan) for name in COMMON_QUANTITIES}
    values["duration_s"] = duration_s
    texts = [""] * num
    for kind, (name, mean, spread) in QUANTITIES.items():
        rows = np.flatnonzero(types == kind)
        values[name][rows] = rng.lognormal(mean, spread, len(rows))
    measured = {name: column.tolist() for name, column in values.items()}
    for row, (kind, sure) in enumerate(zip(types.tolist(), known.tolist(), strict=True)):
        facts = {"duration_s": measured["duration_s"][row]}
        if kind in QUANTITIES:
            name = QUANTITIES[kind][0]
            facts[name] = measured[name][row]
            if not sure:
                facts[f"{name}_std"] = 0.1 * facts[name]
        texts[row] = json.dumps(facts, sort_keys=True)
    named = known[:, None] | (rng.random((num, 2)) < 0.5)
    labels = np.where(named, rng.choice(LABELS, (num, 2)), "object")
    colors = rng.choice(COLORS, (num, 2))
    offsets = np.concatenate([[0], np.cumsum(np.where(pair, 2, 1))])
    use = np.stack([np.ones(num, bool), pair], axis=1).ravel()
    roles = np.where(pair[:, None], np.array([["a", "b"]]), np.array([["object", ""]]))
    lists = {
        "roles": roles,
        "tracks": rng.integers(0, 9, (num, 2)),
        "labels": labels,
        "colors": colors,
    }
    order = np.arange(num) - np.searchsorted(video, video)
    return {
        "video": video, "number": order, "type": types, "start_s": start_s,
        "end_s": start_s + duration_s, "confidence": confidence, "quantities": texts,
        "definition_version": types,
        **{name: pa.array(c, pa.float64(), from_pandas=True) for name, c in values.items()},
        **{
            name: pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(c.ravel()[use]))
            for name, c in lists.items()
        },
    }  # fmt: skip


def structure(rng: np.random.Generator) -> str:
    one, two = rng.choice(LABELS, 2, replace=False)
    color, number = rng.choice(COLORS), round(float(rng.uniform(0.2, 4)), 2)
    return str(rng.choice([
        "something falls from a height", f"a {one} falls more than {number} m",
        f"a {color} {one} falls", f"near-miss between a {one} and a {two}",
        f"a near miss with ttc under {number} s", f"a {one} hits a {two}", "something topples",
        f"a {one} hits a {two}, then the {two} topples", f"a {color} ball bounces",
        f"something is thrown faster than {2 * number} m/s", "two objects collide",
        f"a {one} stops", f"something falls, then bounces within {number} s", f"a {one} rolls",
    ]))  # fmt: skip


def counting(rng: np.random.Generator) -> str:
    one, number = rng.choice(LABELS), rng.integers(2, 5)
    return str(rng.choice([
        f"a ball bounces at least {number} times", f"at least {number} falls", "nothing falls",
        f"at least {number} near misses", "something falls without bouncing", "no collision",
        f"a {one} falls but never bounces", f"a {one} hits something without falling",
        f"at most {number} contacts",
    ]))  # fmt: skip


def scene(rng: np.random.Generator) -> Scene:
    """Two bodies that move for 2.5 seconds."""
    time_s = np.linspace(0, 2.5, 50)
    speed, pull = rng.normal(0, 50, (2, 1, 2)), rng.normal(0, 50, (2, 1, 2))
    shape = np.abs(np.sin(time_s * rng.uniform(0.5, 3)))
    center = 200 + speed * time_s[None, :, None] + pull * shape[None, :, None]
    seen = np.ones((2, 50), dtype=bool)
    return Scene(
        time_s=time_s, width_px=640, height_px=360, ids=np.arange(2), labels=("object", "object"),
        present=seen, visible=seen, center_px=center, size_px=np.full((2, 50, 2), 20.0),
        center_px_std=np.zeros((2, 50, 2)), color_rgb=None, events=(), provenance=Provenance(),
    )  # fmt: skip


def measure(place: Path, num_queries: int, chosen: list[str]) -> dict:
    begun = perf_counter()
    library = Library.open(place)
    library.search("something falls from a height")
    row: dict = {"first_ms": round(1e3 * (perf_counter() - begun))}
    kinds: dict[str, Callable[[np.random.Generator], dict]] = {
        "structure": lambda rng: {"query": structure(rng)},
        "counts and absence": lambda rng: {"query": counting(rng)},
        "like": lambda rng: {"like": scene(rng)},
        "like and structure": lambda rng: {"like": scene(rng), "query": structure(rng)},
    }
    for name, make in kinds.items():
        if name not in chosen:
            continue
        rng = np.random.default_rng(1)
        wall, cpu, hits, slowest = [], [], 0, ("", 0.0)
        for _ in range(num_queries):
            asked = make(rng)
            begun, worked = perf_counter(), process_time()
            hits += len(library.search(**asked).hits)
            wall.append(1e3 * (perf_counter() - begun))
            cpu.append(1e3 * (process_time() - worked))
            slowest = max(slowest, (str(asked.get("query", "")), wall[-1]), key=lambda s: s[1])
        times = {"wall": np.percentile(wall, [50, 95]), "cpu": np.percentile(cpu, [50, 95])}
        row[name] = {
            "n": num_queries,
            **{f"p50_{kind}_ms": round(p50, 1) for kind, (p50, _) in times.items()},
            **{f"p95_{kind}_ms": round(p95, 1) for kind, (_, p95) in times.items()},
            "slowest": [slowest[0], round(slowest[1], 1)],
            "mean_hits": round(hits / num_queries, 1),
        }
    store = library.store
    assert isinstance(store, LanceStore)
    row["recall_of_nearest"] = recall(store)
    row |= {table: store.count(table) for table in (VIDEOS, EVENTS, MOTIONS)}
    return row


def recall(store: LanceStore, num_vectors: int = 50, limit: int = 100) -> float:
    """Share of the 100 nearest motions that the search in use finds; 1 is exact."""
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(num_vectors):
        near, vector = [], random_vector(rng)
        for store.exact in (True, False):
            rows = store.nearest(MOTIONS, vector, limit=limit, columns=("uri", "segment", "kind"))
            near.append({tuple(row.values()) for row in rows})
        found += len(near[0] & near[1]) / len(near[0])
    return round(found / num_vectors, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--kinds", nargs="+", default=KINDS, help="a part of the kinds at a time")
    parser.add_argument("--folder", type=Path, help="keep the libraries here, and use those there")
    arguments = parser.parse_args()
    facts = {"queries": arguments.queries}
    rows = rows_of_today("search_latency", facts)
    with tempfile.TemporaryDirectory() as scratch:
        for num_segments in arguments.segments:
            place = (arguments.folder or Path(scratch)) / str(num_segments)
            if not place.exists():
                begun = perf_counter()
                make_library(place, num_segments, np.random.default_rng(0))
                print(f"{num_segments} segments made in {perf_counter() - begun:.0f} s", flush=True)
            told = measure(place, arguments.queries, arguments.kinds)
            rows[str(num_segments)] = {**rows.get(str(num_segments), {}), **told}
            print(num_segments, json.dumps(rows[str(num_segments)], indent=1), flush=True)
            write_record("search_latency", {**facts, "rows": rows})


if __name__ == "__main__":
    main()
