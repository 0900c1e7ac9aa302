"""Habits that hold for every module: names, size, docstrings, layers, what an import costs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from importlinter import api as import_linter

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
FILES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 400

HEAVY = ("torch", "cv2", "mujoco", "av", "lancedb", "scipy", "pyarrow", "PIL")


def module_name(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def each(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("file", files, ids=map(module_name, files))


def public_names(tree: ast.Module) -> list[str]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            assert node.value is not None
            return list(ast.literal_eval(node.value))
    raise AssertionError("no __all__")


def defined_names(tree: ast.Module) -> set[str]:
    """Names bound at the top level of a module, also inside `if` and `try`."""
    names: set[str] = set()
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        match pending.pop():
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(a.asname or a.name).partition(".")[0] for a in aliases}
            case ast.Assign(targets=targets):
                names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.If(body=body, orelse=orelse):
                pending += [*body, *orelse]
            case ast.Try(body=body, handlers=handlers, orelse=orelse):
                pending += [*body, *orelse, *(s for h in handlers for s in h.body)]
    return names


@cache
def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@each(FILES)
def test_names_in_all_exist(file: Path):
    names = public_names(parse(file))
    assert len(names) == len(set(names))
    assert set(names) <= defined_names(parse(file))


@each(FILES)
def test_file_is_short(file: Path):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@each(FILES)
def test_public_things_are_described(file: Path):
    tree = parse(file)
    assert ast.get_docstring(tree), "the module has no docstring"
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    public = set(public_names(tree))
    for node in tree.body:
        if not isinstance(node, kinds) or node.name not in public:
            continue
        assert ast.get_docstring(node), f"{node.name} has no docstring"
        members = node.body if isinstance(node, ast.ClassDef) else []
        for member in members:
            if isinstance(member, kinds) and not member.name.startswith("_"):
                assert ast.get_docstring(member), f"{node.name}.{member.name} has no docstring"


@each([file for file in FILES if file.name == "__init__.py"])
def test_a_package_exports_what_it_says(file: Path):
    """Re-exports are real: what a package imports from its modules is in their `__all__`."""
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("worldline."):
            home = SOURCE.joinpath(*str(node.module).split("."))
            home = home / "__init__.py" if home.is_dir() else home.with_suffix(".py")
            assert {alias.name for alias in node.names} <= set(public_names(parse(home)))


@each([file for file in FILES if file.name != "__init__.py"])
def test_annotations_are_postponed(file: Path):
    """The check of annotations in tests relies on it, and names may be used before they exist."""
    futures = [n for n in parse(file).body if isinstance(n, ast.ImportFrom)]
    assert any(n.module == "__future__" and n.names[0].name == "annotations" for n in futures)


def test_rooms_import_only_rooms_above_them():
    # Its log handler writes to a console that pytest replaces: run it as a person does.
    command = "from importlinter.cli import lint_imports_command as check; check()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--config", "pyproject.toml", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_every_room_has_a_layer():
    """A room that the contract does not name would be free to import anything."""
    options = import_linter.read_configuration(str(ROOT / "pyproject.toml"))
    (contract,) = options["contracts_options"]
    layered = set(re.findall(r"\w+", " ".join(contract["layers"])))
    rooms = {folder.parent.name for folder in SOURCE.glob("worldline/*/__init__.py")}
    assert rooms <= layered


@pytest.mark.parametrize(
    "statement",
    [
        "import worldline",
        "from worldline import Clip",
        "import worldline.cli.main",
        "import worldline.retrieval",
        "import worldline.world.folders",
    ],
)
def test_import_is_light(statement: str):
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "worldline" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_help_loads_no_command():
    code = (
        "import sys\nfrom worldline.cli.main import main\ncode = main(['--help'])\n"
        "print(code, sorted(m for m in sys.modules if m in ('numpy', 'tyro', 'rich', 'torch')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_public_names_load_on_first_use():
    import worldline
    from worldline.core.clip import Clip

    assert worldline.Clip is Clip
    assert set(worldline.__all__) <= {*dir(worldline), "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = worldline.Nonsense


def test_the_package_is_typed():
    assert (SOURCE / "worldline" / "py.typed").is_file()
