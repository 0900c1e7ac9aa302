"""Training: one loop, its tasks, checkpoints and the cost ledger."""

from worldline.train.checkpoint import Checkpoint
from worldline.train.ledger import Ledger, describe_machine
from worldline.train.loop import DivergenceError, Task, Trainer, step_generator
from worldline.train.recipe import Recipe, Stage, load_recipe, train_world
from worldline.train.tasks import DynamicsTask, ReadoutTask, TokenizerTask

__all__ = [
    "Checkpoint",
    "DivergenceError",
    "DynamicsTask",
    "Ledger",
    "ReadoutTask",
    "Recipe",
    "Stage",
    "Task",
    "TokenizerTask",
    "Trainer",
    "describe_machine",
    "load_recipe",
    "step_generator",
    "train_world",
]
