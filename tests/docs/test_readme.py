import re
from pathlib import Path

import pytest

from worldline.data import write_video
from worldline.sim import make_clip

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code", blocks())
def test_python_blocks_run_as_they_stand(code, tmp_path, monkeypatch, capsys):
    clip = make_clip("drop", 0, seed=4)
    write_video(tmp_path / "drop.mp4", clip.frames, time_s=clip.time_s, provenance=clip.provenance)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert "(4, 16, 64, 64, 3)" in capsys.readouterr().out


def test_what_the_readme_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in target or (ROOT / target).exists(), target


def test_the_tree_in_the_readme_is_the_tree():
    named = set(re.findall(r"^      (\w+)/ ", README, flags=re.MULTILINE))
    there = {p.parent.name for p in (ROOT / "src" / "worldline").glob("*/__init__.py")}
    assert named == there
