"""Planning: find actions by imagining what they lead to."""

from worldline.planning.cem import CEM
from worldline.planning.gradient import GradientPlanner
from worldline.planning.icem import ICEM
from worldline.planning.imagination import Imagination, Rollout, Situation
from worldline.planning.mppi import MPPI
from worldline.planning.objective import (
    Earnings,
    Familiarity,
    LatentGoal,
    Objective,
    Over,
    Smoothness,
    Weighted,
    cost_of,
)
from worldline.planning.outside import OutsideCost
from worldline.planning.paths import Landmarks, PathGoal
from worldline.planning.planner import Cost, Plan, Planner, Round, shift
from worldline.planning.reading import ReadGoal, Reading
from worldline.planning.scenes import PlaceReader, PredicateGoal, SceneGoal, world_reader
from worldline.planning.space import ActionSpace

__all__ = [
    "CEM",
    "ICEM",
    "MPPI",
    "ActionSpace",
    "Cost",
    "Earnings",
    "Familiarity",
    "GradientPlanner",
    "Imagination",
    "Landmarks",
    "LatentGoal",
    "Objective",
    "OutsideCost",
    "Over",
    "PathGoal",
    "PlaceReader",
    "Plan",
    "Planner",
    "PredicateGoal",
    "ReadGoal",
    "Reading",
    "Rollout",
    "Round",
    "SceneGoal",
    "Situation",
    "Smoothness",
    "Weighted",
    "cost_of",
    "shift",
    "world_reader",
]
