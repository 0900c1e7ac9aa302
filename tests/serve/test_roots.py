"""Paths that clients name, and paths that they are told."""

from __future__ import annotations

import pytest

from worldline.core.errors import InputError
from worldline.serve.roots import MediaRoots


@pytest.fixture
def roots(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / f"{name}.mp4").touch()
    (tmp_path / "link").symlink_to(tmp_path / "two")
    return MediaRoots.check([tmp_path / "one", tmp_path / "link"])


def test_relative_and_absolute_paths_are_found_as_they_are_spelled(roots, tmp_path):
    assert roots.find("sub/one.mp4") == tmp_path / "one" / "sub" / "one.mp4"
    assert roots.find("sub/two.mp4") == tmp_path / "link" / "sub" / "two.mp4"
    assert roots.find(str(tmp_path / "link" / "sub")) == tmp_path / "link" / "sub"
    assert roots.find(".") == tmp_path / "one"
    with pytest.raises(InputError, match="nothing of this name"):
        roots.find(str(tmp_path / "two" / "sub"))  # inside, but by a name that is not open


def test_links_between_folders_are_followed_and_others_are_not(roots, tmp_path):
    (tmp_path / "one" / "to-two").symlink_to(tmp_path / "two")
    (tmp_path / "one" / "up").symlink_to("..")
    assert roots.holds(roots.find("to-two"))
    with pytest.raises(InputError, match="nothing of this name"):
        roots.find("up")
    assert not roots.holds(tmp_path / "one" / "up" / "secret.mp4")
    assert not roots.holds("s3://bucket/a.mp4")
    assert not roots.holds("a\0b")


def test_sentences_lose_paths_that_are_not_open(roots, tmp_path):
    inside, place = f"{tmp_path}/one/sub/one.mp4", f"{tmp_path}/my library"
    said = f"{place}: rows of {inside} and /etc/deep/secret.mp4, are lost (/var/x/y)"
    assert roots.clean(said, {place: "the library"}) == (
        f"the library: rows of {inside} and secret.mp4, are lost (y)"
    )
    assert roots.clean("lib: a library, lib", {"lib": "mine"}) == "mine: a library, mine"
    assert roots.clean("speeds of 3 m/s and 1/2", {}) == "speeds of 3 m/s and 1/2"
    assert roots.show("/etc/deep/secret.mp4") == "secret.mp4"
