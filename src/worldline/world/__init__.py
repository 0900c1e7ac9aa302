"""Worlds: trained models that predict, perceive, are surprised and can be stepped into."""

from worldline.world.session import Session, Snapshot
from worldline.world.surprise import Surprise
from worldline.world.trust import Trust
from worldline.world.world import World

__all__ = ["Session", "Snapshot", "Surprise", "Trust", "World"]
