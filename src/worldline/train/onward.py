"""Training that begins from weights that there are, instead of from none."""

from __future__ import annotations

from worldline.core.errors import InputError
from worldline.train.recipe import Recipe
from worldline.world import World

__all__ = ["begin_from"]


def begin_from(recipe: Recipe, source: World) -> World:
    """An uncalibrated world of the recipe's config with another world's weights, for
    `train_world(start=...)`.

    How a part is sampled or trained may differ between the two (thresholds, weights of a loss);
    what it is made of may not. Parts that the source has and the recipe's world lacks are left
    behind. What readings were divided by is taken over.

    Raises:
        InputError: a part is missing in the source or has weights of another shape.
    """
    world = recipe.world.build()
    for name, part in world.parts.items():
        given = source.parts.get(name)
        if given is None:
            raise InputError(f"the world {source.name} has no {name} to begin from")
        own, other = part.state_dict(), given.state_dict()
        differs = own.keys() != other.keys() or any(
            own[key].shape != other[key].shape for key in own
        )
        if differs:
            raise InputError(
                f"the {name} of the world {source.name} is made otherwise than the recipe's, so "
                "training cannot begin from its weights"
            )
        part.load_state_dict(other)
    if "state" in source.calibration:
        world = world.finished({"state": source.calibration["state"]}, "")
    return world
