"""Work for many: divided row by row, with sharded parameters, through Ray Train and Ray tasks."""

from worldline.scale.launch import WorkersLostError, launch, ray_session
from worldline.scale.rows import Split, map_tensors, rowwise, splitting
from worldline.scale.tasks import spread_by_ray
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
    "spread_by_ray",
]
