"""Training: one loop, its tasks and objectives, recipes, checkpoints and the cost ledger."""

from worldline.train.bodies import BodyTask
from worldline.train.checkpoint import Checkpoint
from worldline.train.distill import distill_world, distillation_recipe, halvings
from worldline.train.ledger import Ledger, describe_machine
from worldline.train.loop import DivergenceError, Task, Trainer, step_generator
from worldline.train.many import Workers, run_by_many
from worldline.train.recipe import Data, Recipe, Stage, train_world
from worldline.train.recipe_files import load_recipe
from worldline.train.rewards import RewardTask
from worldline.train.sizes import SIZES, Size, size_named
from worldline.train.tasks import ObjectiveTask, TokenizerTask, TrajectoryTask

__all__ = [
    "SIZES",
    "BodyTask",
    "Checkpoint",
    "Data",
    "DivergenceError",
    "Ledger",
    "ObjectiveTask",
    "Recipe",
    "RewardTask",
    "Size",
    "Stage",
    "Task",
    "TokenizerTask",
    "Trainer",
    "TrajectoryTask",
    "Workers",
    "describe_machine",
    "distill_world",
    "distillation_recipe",
    "halvings",
    "load_recipe",
    "run_by_many",
    "size_named",
    "step_generator",
    "train_world",
]
