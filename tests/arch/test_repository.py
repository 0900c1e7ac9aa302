"""What is in the repository: nothing of the machine it was written on, and all versions pinned."""

from __future__ import annotations

import re
import stat
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = {".py", ".md", ".toml", ".txt", ".json", ".html", ".css", ".js", ".yml", ".yaml", ".cfg", ""}

LARGE_EXTRAS = ("agents", "games", "judge", "pusht", "rerun", "text")

# Registries are the reader's own setting, and a path of somebody's machine helps nobody.
FORBIDDEN = re.compile(
    r"https?://[^\s\"')]*(?:pypi|pythonhosted|pytorch\.org/whl|npmjs|debian\.org|/simple\b)"
    r"|--(?:extra-)?index-url[ =]\S*//"
    r"|file://"
    r"|(?<![\w.])/(?:work|root|opt|home/\w+|Users/\w+)/\w"
)


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so that nothing says which files belong to the project")
    done = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_nothing_names_a_registry_or_a_machine():
    found = []
    for file in tracked_files():
        if file.suffix not in TEXT or not file.is_file() or file == Path(__file__):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if match := FORBIDDEN.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {match.group()}")
    assert not found


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("see https://packages.example/simple", True),
        ("--extra-index-url https://packages.example/cpu", True),
        ("cp /opt/somewhere/x .", True),
        ("/home/me/x", True),
        ("the paper: https://arxiv.org/abs/2407.01392", False),
        ("frames/work/second", False),
        ("run `make test`", False),
    ],
)
def test_the_pattern_finds_what_it_should(text: str, bad: bool):
    assert bool(FORBIDDEN.search(text)) is bad


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normal(name): version for name, version in pinned}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed() -> set[str]:
    """Names of all distributions that the project with its extras brings in, here.

    Extras of some size need not be installed; then only what they name is looked at.
    """
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    extras = project["optional-dependencies"]
    large = {normal(Requirement(text).name) for name in LARGE_EXTRAS for text in extras[name]}
    pending = [Requirement(text) for requirements in lists for text in requirements]
    found: set[str] = set()
    seen: set[str] = set()
    while pending:
        requirement = pending.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        found.add(normal(requirement.name))
        chosen = [{"extra": extra} for extra in (requirement.extras or {""})]
        try:
            wants = distribution(requirement.name).requires or []
        except PackageNotFoundError:
            if normal(requirement.name) not in large:
                raise
            continue
        for text in wants:
            wanted = Requirement(text)
            if wanted.marker is None or any(wanted.marker.evaluate(extra) for extra in chosen):
                pending.append(wanted)
    return found


def test_every_package_that_is_needed_is_pinned():
    # A PyTorch built for a GPU brings its own libraries, at the versions that it asks for itself.
    gpu = {name for name in needed() if name.startswith(("nvidia-", "cuda-", "triton"))}
    assert needed() - gpu - set(pins()) == set()


def test_no_extra_names_opencv_with_windows():
    """It overwrites the headless build, and needs libraries of a window system."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not {"opencv-python", "gym-pusht"} & needed()
    assert "opencv-python-headless" in " ".join(project["dependencies"])


def test_ci_script_can_be_run():
    assert (ROOT / ".ci" / "run").stat().st_mode & stat.S_IXUSR


def test_make_lists_every_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    phony = re.findall(r"^\.PHONY: ([\w-]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(phony) >= 8
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert listed == phony
