"""What a training is said to take before it starts, beside what it took."""

from dataclasses import replace

import pytest
from tests.train.test_recipe import nano

from worldline.tokenizer import VideoTokenizer
from worldline.train import Recipe, load_recipe, train_world
from worldline.train.estimate import estimate_training


def strided() -> Recipe:
    """As `nano`, but a latent step is four frames after the first."""
    recipe = nano(steps=2)
    tokenizer = VideoTokenizer.Config(
        channels=16, fine_width=8, coarse_width=16, fine_depth=1, coarse_depth=1
    )
    world = replace(recipe.world, tokenizer=tokenizer, trajectory=None, context=9)
    stages = [replace(stage, length=9) for stage in recipe.stages if stage.name != "trajectory"]
    return replace(recipe, world=world, data=recipe.data[:2], stages=tuple(stages))


@pytest.mark.parametrize("recipe", [nano(steps=2), strided()], ids=["images", "video"])
def test_estimates_are_near_what_training_counts(recipe, tmp_path):
    _, ledgers = train_world(recipe, tmp_path)
    for item in estimate_training(recipe):
        # objectives' own work and the share of unrolled clips are not part of the estimate
        assert 0.4 < item.flop / ledgers[item.stage].flop < 2.0, item.stage
        assert item.parameters > 0


@pytest.mark.parametrize("name", ["genie_like", "cosmos_like", "vjepa_like"])
def test_the_dial_goes_from_under_a_million_to_billions(name):
    small, large = (estimate_training(load_recipe(name, size)) for size in ("nano", "large"))
    parts = {item.stage: item.parameters for item in small}
    assert sum(parts.values()) - parts.get("decoder", 0) < 1e6
    assert max(item.parameters for item in large) > 2e9
    assert max(item.state_bytes for item in large) > 40e9


@pytest.mark.parametrize("name", ["small", "small_jepa", "imagine"])
def test_every_part_of_the_bundled_worlds_is_counted(name):
    for item in estimate_training(load_recipe(name)):
        assert item.parameters > 0
        assert item.flop > 0, item.stage
