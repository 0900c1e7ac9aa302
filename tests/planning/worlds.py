"""Tiny untrained worlds that take actions, their weights shaken so that they answer to them."""

from __future__ import annotations

import torch

from worldline.dynamics import ControlEncoder, FlowDynamics, JepaDynamics
from worldline.readout.latent import LatentReadout
from worldline.readout.reward import RewardReadout
from worldline.tokenizer import PatchTokenizer, WholeTokenizer
from worldline.world import World

SIZE = {"width": 16, "depth": 3, "heads": 2, "stem_width": 8, "window": 4}


def tiny_world(kind: str, *, action_size: int = 2, reward: bool = False) -> World:
    controls = ControlEncoder.Config(action_size=action_size)
    if kind == "vector":
        rows, channels = 1, 6
        tokenizer = WholeTokenizer.Config(
            size_px=16, channels=channels, width=4, hidden=16, decoder_width=8
        )
    else:
        rows, channels = 4, 48
        tokenizer = PatchTokenizer.Config(size_px=16)
    cells = {"rows": rows, "channels": channels}
    family = FlowDynamics.Config if kind == "flow" else JepaDynamics.Config
    with torch.random.fork_rng():
        torch.manual_seed(0)
        world = World.Config(
            name=f"tiny-{kind}",
            tokenizer=tokenizer,
            dynamics=family(**cells, **SIZE, controls=controls),
            readout=LatentReadout.Config(**cells, width=8, depth=1),
            trajectory=None,
            reward=RewardReadout.Config(**cells, width=8, action_size=action_size)
            if reward
            else None,
            context=2,
        ).build()
        for name, part in world.parts.items():
            for parameter in part.parameters():
                if name != "tokenizer" or kind != "vector":
                    parameter.data += 0.05 * torch.randn_like(parameter)
    return world
