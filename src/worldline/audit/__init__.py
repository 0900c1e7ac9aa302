"""Measuring predictions against the truth, and scenes against the laws."""

from worldline.audit.baselines import (
    ConstantVelocityWarp,
    CopyLast,
    FrozenMean,
    Predictor,
    StateOracle,
)
from worldline.audit.gate import audit_scene
from worldline.audit.objects import ObjectMatch, ObjectProbe
from worldline.audit.prediction import Metric, PredictionTable, evaluate_predictors
from worldline.audit.validation import Validation, validate, validate_many
from worldline.audit.visual import psnr, ssim

__all__ = [
    "ConstantVelocityWarp",
    "CopyLast",
    "FrozenMean",
    "Metric",
    "ObjectMatch",
    "ObjectProbe",
    "PredictionTable",
    "Predictor",
    "StateOracle",
    "Validation",
    "audit_scene",
    "evaluate_predictors",
    "psnr",
    "ssim",
    "validate",
    "validate_many",
]
