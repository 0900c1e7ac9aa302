"""Train the bundled motion embedding from nothing.

    python -m worldline.retrieval.motions.train --out FOLDER [--views FILE.npz]

Simulates 50 dynamics of each of 19 families and glimpses at each from four sides, renders some more
from two, and learns by contrast. Takes some 10 minutes of one core. Five families are held out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from worldline.core.artifact import Artifact
from worldline.retrieval.motions.learn import Learning, learn
from worldline.retrieval.motions.network import MotionNetwork
from worldline.retrieval.motions.views import HELD_OUT_FAMILIES, SEEN_FAMILIES, Views, make_views

__all__ = ["main", "write"]

NUM_DYNAMICS, NUM_RENDERED, SEED = 50, 8, 77
_FIRST_RENDERED = 500

WEIGHTS = (1.0, 0.2, 0.05)
"""Of fields, bodies and pairs: what did best on 114 more rendered dynamics of the seen families,
with perfect tracks and with bad ones. Learned weights trust tracks less."""


def write(network: MotionNetwork, folder: Path, num_dynamics: int, losses: list[float]) -> None:
    """Save weights, config and card."""
    last = sum(losses[-50:]) / max(len(losses[-50:]), 1)
    card = f"""# Motion embedding

Vectors of how things move, for `worldline search --like`: one of all motion in a window of 4 s, one
of each track, one of each pair of tracks that come near each other; compared by late interaction.

- **Learned from** {num_dynamics} simulated dynamics (seed {SEED}, split train) of
  {len(SEEN_FAMILIES)} families, each seen by several cameras, mostly as true boxes with the
  faults of trackers made up, some rendered, with flow measured in the pictures. As many more come
  from playing these faster, slower, backwards or upside down.
- **Never seen**: {", ".join(HELD_OUT_FAMILIES)}.
- **Cost**: {len(losses)} steps; loss over the last 50 steps {last:.2f}.
- **Made by** `python -m worldline.retrieval.motions.train`.
- **Limits**: the camera must stand still or nearly so; what happens at the wrong speed is another
  motion; large turns of the camera round the action change the picture of a motion, and then also
  its vectors. `python benchmarks/similarity.py` measures it.
"""
    config = network.config.to_json()
    Artifact(config, network.state_dict(), card=card).save(folder, dtype=torch.float16)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", type=Path, help="made before, or to be kept here")
    parser.add_argument(
        "--dynamics", type=int, default=NUM_DYNAMICS, help="of each family, glimpsed at"
    )
    parser.add_argument("--rendered", type=int, default=NUM_RENDERED, help="of each family")
    parser.add_argument("--steps", type=int, default=Learning.steps)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.views is not None and given.views.is_file():
        views = Views.load([given.views])
    else:
        films = range(_FIRST_RENDERED, _FIRST_RENDERED + given.rendered)
        views = Views.join(
            [
                make_views(SEEN_FAMILIES, range(given.dynamics), seed=SEED, rendered=False),
                make_views(SEEN_FAMILIES, films, seed=SEED, rendered=True),
            ]
        )
        if given.views is not None:
            views.save(given.views)
    losses: list[float] = []

    def note(step: int, loss: float, _: MotionNetwork) -> None:
        losses.append(loss)
        if step % 50 == 49:
            print(f"step {step + 1}: loss {sum(losses[-50:]) / 50:.3f}", flush=True)

    network = learn(views, Learning(steps=given.steps, seed=given.seed), note)
    network.set_weights(*WEIGHTS)
    write(network, given.out, len(views.family), losses)


if __name__ == "__main__":
    main()
