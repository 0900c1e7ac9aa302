"""Training by many: work divided row by row, sharded parameters, the launch through Ray Train."""

from worldline.scale.launch import launch, ray_session
from worldline.scale.rows import Split, map_tensors, rowwise, splitting
from worldline.scale.team import ALONE, Alone, Sharded, Team, find_blocks

__all__ = [
    "ALONE",
    "Alone",
    "Sharded",
    "Split",
    "Team",
    "find_blocks",
    "launch",
    "map_tensors",
    "ray_session",
    "rowwise",
    "splitting",
]
