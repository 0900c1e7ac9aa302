"""Is the same motion found again in another look, from another camera? The goal: rank 1 in 95 %.

    OMP_NUM_THREADS=1 python benchmarks/similarity.py [--each 9] [--lookalikes 3] [--takes FILE]

216 dynamics (24 families, 9 each; split held-out, seed 9000) are simulated and filmed twice: the
second time in other colours, patterns, light and floor, with the camera up to 26 degrees round and
9 degrees higher or lower, zoomed by up to 1.25, and mirrored every other time. Some are filmed with
other physics of the same family in the look of the first. All are written to video files and
perceived from them. Each clip of a motion is asked for among all other clips. Rows: MobileNetV2's
mean over frames, histogram of optical flow, descriptors of paths by hand, the network untrained and
trained.

Takes are kept in FILE while they are made, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from record import write_record

from worldline.retrieval.benchmark.similarity import (
    Compare,
    compare_flows,
    compare_looks,
    compare_paths,
    compare_vectors,
    measure,
)
from worldline.retrieval.benchmark.takes import FAMILIES, SIZE_PX, Film, Take, film_takes, to_line
from worldline.retrieval.motions.network import MotionNetworkConfig
from worldline.retrieval.motions.views import HELD_OUT_FAMILIES

SEED = 9000


def gather(file: Path, each: int, lookalikes: int) -> list[Take]:
    takes = [Take.read(line) for line in file.open()] if file.is_file() else []
    done = {(take.family, take.index, take.film) for take in takes}
    with file.open("a") as out:
        for index in range(each):
            for family in FAMILIES:
                films = tuple(Film) if index < lookalikes else (Film.FIRST, Film.AGAIN)
                missing = [film for film in films if (family, index, film) not in done]
                for take in film_takes((family,), (index,), seed=SEED, films=missing):
                    out.write(to_line(take) + "\n")
                    out.flush()
                    takes.append(take)
    return takes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=9)
    parser.add_argument("--lookalikes", type=int, default=3)
    parser.add_argument("--takes", type=Path)
    parser.add_argument("--dry", action="store_true", help="write no record")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        takes = gather(given.takes or Path(folder) / "takes", given.each, given.lookalikes)
    torch.manual_seed(0)
    rows: dict[str, Compare] = {
        "visual: MobileNetV2": compare_looks,
        "histogram of optical flow": compare_flows,
        "paths, by hand": compare_paths,
        "untrained": compare_vectors(MotionNetworkConfig().build().eval()),
        "trained": compare_vectors(),
    }
    record = {}
    for name, compare in rows.items():
        outcome = measure(takes, compare)
        unseen = measure(takes, compare, HELD_OUT_FAMILIES)
        record[name] = outcome.to_json() | {
            "rank_1_held_out_families": round(unseen.rank_1, 4),
            "num_queries_held_out_families": unseen.num_queries,
        }
        print(
            f"{name:26} rank 1 {outcome.rank_1:.3f}, 5 {outcome.rank_5:.3f} "
            f"(n {outcome.num_queries}); families never seen {unseen.rank_1:.3f} "
            f"(n {unseen.num_queries}); look-alike first {outcome.lookalike_first:.3f} "
            f"(n {outcome.num_lookalikes})",
            flush=True,
        )
    if not given.dry:
        facts = {"num_clips": len(takes), "num_dynamics": given.each * len(FAMILIES)}
        facts |= {"size_px": SIZE_PX, "seed": SEED, "goal_rank_1": 0.95, "rows": record}
        write_record("similarity", facts)


if __name__ == "__main__":
    main()
