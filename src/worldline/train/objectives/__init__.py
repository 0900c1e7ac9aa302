"""Objectives: what a world learns for."""

from worldline.train.objectives.alignment import StateAlignment
from worldline.train.objectives.base import Follower, Objective, Parts
from worldline.train.objectives.depiction import Depiction
from worldline.train.objectives.distillation import Distillation
from worldline.train.objectives.forcing import SelfForcing
from worldline.train.objectives.gaussian import SketchedGaussian
from worldline.train.objectives.hidden_actions import HiddenActions
from worldline.train.objectives.inverse import InverseModel
from worldline.train.objectives.masked import MaskedVideo
from worldline.train.objectives.prediction import NextFrame, Reading, Reconstruction
from worldline.train.objectives.spread import Slowness, VarianceCovariance
from worldline.train.objectives.telling import StateTelling, told_scale

__all__ = [
    "OBJECTIVES",
    "Depiction",
    "Distillation",
    "Follower",
    "HiddenActions",
    "InverseModel",
    "MaskedVideo",
    "NextFrame",
    "Objective",
    "Parts",
    "Reading",
    "Reconstruction",
    "SelfForcing",
    "SketchedGaussian",
    "Slowness",
    "StateAlignment",
    "StateTelling",
    "VarianceCovariance",
    "told_scale",
]

OBJECTIVES: tuple[type[Objective], ...] = (
    Reconstruction,
    NextFrame,
    Reading,
    MaskedVideo,
    SketchedGaussian,
    StateAlignment,
    StateTelling,
    Distillation,
    HiddenActions,
    InverseModel,
    SelfForcing,
    VarianceCovariance,
    Slowness,
    Depiction,
)
"""Every objective."""
