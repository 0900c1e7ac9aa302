"""How far a world may be trusted on a clip, from how well it accounts for the frames given to it.

The evidence is gathered before anything is forecast: how well the tokenizer reproduces the context
frames, how well each context frame was predicted from those before it, and how common such latents
are. Three log-scaled numbers form a feature vector; its Mahalanobis distance from held-out training
material is turned into a probability by a monotone table that was fitted after training on held-out
clips and on material known to lie outside (see the calibration stored with the world).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from worldline.core.latents import Latents
from worldline.tokenizer import Tokenizer, to_unit

__all__ = ["FEATURES", "Trust", "gather_evidence", "judge", "trust_features"]

FEATURES = ("reconstruction_error", "prediction_error", "latent_size")


def trust_features(
    reconstruction_error: float, prediction_error: float, latent_size: float
) -> Float[np.ndarray, " 3"]:
    """Feature vector in the order of `FEATURES`, each the logarithm of a mean square."""
    raw = np.array([reconstruction_error, prediction_error, latent_size], dtype=np.float64)
    return np.log(np.maximum(raw, 1e-8))


@torch.no_grad()
def gather_evidence(
    tokenizer: Tokenizer,
    latents: Latents,
    frames: UInt8[np.ndarray, "t h w 3"],
    surprise: Float[np.ndarray, " s"],
) -> Float[np.ndarray, " 3"]:
    """Features of context frames: `latents` `[1, T, N, C]` of them, and the raw surprise at each
    latent step, of which the first two say nothing."""
    decoded = tokenizer.decode_unit(latents).float()[0]
    truth = to_unit(torch.from_numpy(frames), torch.float32)
    return trust_features(
        float((decoded - truth).square().mean()),
        float(surprise[2:].mean()) if len(surprise) > 2 else 0.0,
        float(latents.tokens.square().mean()),
    )


@dataclass(frozen=True, eq=False)
class Trust:
    """Calibrated map from features to trust.

    Attributes:
        mean: `[F]` of the features of held-out clips.
        precision: `[F, F]` inverse covariance.
        slope, middle, offset: trust = 1 / (1 + exp(slope (log(score + offset) - middle))).
    """

    mean: Float[np.ndarray, " f"]
    precision: Float[np.ndarray, "f f"]
    slope: float = 0.0
    middle: float = 0.0
    offset: float = 0.0

    def score(self, features: Float[np.ndarray, " f"]) -> float:
        """Mahalanobis distance, counting only what is worse than usual.

        A frame that is reproduced and predicted better than usual is no reason for doubt, so
        features below the mean count as the mean.
        """
        away = np.maximum(features - self.mean, 0.0)
        return float(np.sqrt(max(away @ self.precision @ away, 0.0)))

    def value(self, features: Float[np.ndarray, " f"]) -> float:
        """Trust in [0, 1]."""
        logarithm = float(np.log(self.score(features) + max(self.offset, 1e-12)))
        return float(1.0 / (1.0 + np.exp(np.clip(self.slope * (logarithm - self.middle), -50, 50))))

    def judge(self, features: Float[np.ndarray, " f"]) -> tuple[float, str]:
        """Trust in [0, 1] and the reason in words."""
        value = self.value(features)
        away = (features - self.mean) * np.sqrt(np.diag(self.precision))
        worst = FEATURES[int(np.argmax(away))]
        words = {
            "reconstruction_error": "the frames themselves look unlike its training data",
            "prediction_error": "what moved in the context frames surprised it",
            "latent_size": "the frames contain things that it has no code for",
        }[worst]
        if value >= 0.8:
            return value, "High trust: the context looks and moves like the training data."
        if value >= 0.4:
            return value, f"Moderate trust: {words}."
        return value, (
            f"Low trust: this footage is unlike the world's training data ({words}). "
            "Do not rely on this forecast."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "features": list(FEATURES),
            "mean": self.mean.tolist(),
            "precision": self.precision.tolist(),
            "slope": self.slope,
            "middle": self.middle,
            "offset": self.offset,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Trust:
        """Inverse of `to_json`."""
        return cls(
            mean=np.asarray(record["mean"], dtype=np.float64),
            precision=np.asarray(record["precision"], dtype=np.float64),
            slope=float(record["slope"]),
            middle=float(record["middle"]),
            offset=float(record["offset"]),
        )


def judge(calibration: Mapping[str, Any], features: Float[np.ndarray, " f"]) -> tuple[float, str]:
    """Trust in [0, 1] and its reason in words, by a world's calibration."""
    if "trust" not in calibration:
        return 0.0, "No trust: this world has not been calibrated."
    return Trust.from_json(calibration["trust"]).judge(features)
