"""A recipe's name means the same in every folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from worldline.core.errors import InputError
from worldline.train import load_recipe, recipe_files
from worldline.train.recipe_files import find_recipe, shipped_recipes

OURS = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["small", "recipes/small", "recipes/small.py"])
def test_the_projects_recipes_are_found_from_elsewhere(name: str):
    assert shipped_recipes() == OURS
    assert find_recipe(name) == OURS / "small.py"
    assert load_recipe(name).world.name == "small"


def test_recipes_of_the_working_directory_come_first(elsewhere: Path):
    (elsewhere / "recipes").mkdir()
    shutil.copy(OURS / "small.py", elsewhere / "recipes")
    assert find_recipe("small") == Path("recipes/small.py")
    assert find_recipe("play") == OURS / "play.py"


@pytest.mark.parametrize("name", ["nothing", "small.py", "other/small", "recipes/more/small"])
def test_who_errs_is_told_which_there_are(name: str):
    with pytest.raises(InputError, match=r"no such recipe.*genie_like.*play_on, small") as told:
        find_recipe(name)
    assert str(OURS) in str(told.value)


def test_a_package_without_its_repository_says_where_recipes_lie(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
):
    installed = elsewhere / "lib" / "site-packages" / "worldline" / "train" / "recipe_files.py"
    (elsewhere / "lib" / "recipes").mkdir(parents=True)
    (elsewhere / "lib" / "recipes" / "small.py").write_text("")
    monkeypatch.setattr(recipe_files, "__file__", str(installed))
    assert shipped_recipes() is None
    with pytest.raises(InputError, match="lie in the folder recipes/ of its repository"):
        find_recipe("small")
