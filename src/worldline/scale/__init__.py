"""Training by many: work divided row by row, sharded parameters, the launch through Ray Train."""

from worldline.scale.launch import WorkersLostError, launch, ray_session
from worldline.scale.rows import Split, map_tensors, rowwise, splitting
from worldline.scale.team import ALONE, Alone, Team

__all__ = [
    "ALONE",
    "Alone",
    "Split",
    "Team",
    "WorkersLostError",
    "launch",
    "map_tensors",
    "ray_session",
    "rowwise",
    "splitting",
]
