"""Folders to write to: what can become one, and what is said where that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from worldline.cli.places import check_folder, make_folder
from worldline.core import InputError


def test_what_is_or_can_become_a_folder_passes_and_nothing_is_made(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path, tmp_path / "a" / "b", tmp_path / "link" / "a"):
        check_folder("--out", path)
    assert [path.name for path in tmp_path.iterdir()] == ["link"]
    make_folder("--out", tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("use", [check_folder, make_folder])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("file", "--out {}: is a file; give a folder"),
        ("file/a/b", "--out {}: {root}/file is a file; give a folder"),
        ("loop", "--out {}: cannot be used (too many levels of symbolic links); give a folder"),
        ("dangling/a", "--out {}: a link that leads nowhere; give a folder"),
        ("x" * 300, "--out {}: cannot be used (file name too long); give a folder"),
    ],
)
def test_what_cannot_is_named(path: str, reason: str, use, tmp_path: Path):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(InputError) as caught:
        use("--out", tmp_path / path)
    assert str(caught.value) == reason.format(tmp_path / path, root=tmp_path)


def test_a_folder_that_cannot_be_made_is_named():
    with pytest.raises(InputError, match=r"--out /proc/no-such: cannot be .*; give another folder"):
        make_folder("--out", Path("/proc/no-such"))
