"""Where a library can be."""

from __future__ import annotations

import shutil

import pytest

from worldline.core.errors import ArtifactError
from worldline.retrieval.library import Library
from worldline.retrieval.place import local_folder


def test_a_folder_is_absolute_and_at_home_where_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert local_folder("~/a") == local_folder("a") == tmp_path / "a"


def test_the_home_of_nobody_is_no_place():
    with pytest.raises(ArtifactError, match="~no-such-user/x: no home folder of this user"):
        Library.open("~no-such-user/x")


def test_a_library_that_lost_its_table_of_videos_is_not_made_anew(tmp_path, make_scene):
    Library.open(tmp_path / "lib").add(make_scene(), uri="a", content_hash="1")
    shutil.rmtree(tmp_path / "lib" / "videos.lance")
    with pytest.raises(ArtifactError, match=r"damaged .its table of videos is gone"):
        Library.open(tmp_path / "lib")


def test_a_library_whose_maker_was_killed_at_once_can_be_made(tmp_path, make_scene):
    with Library.open(tmp_path / "lib").store.writing(lambda _: None):
        pass
    shutil.rmtree(tmp_path / "lib" / "videos.lance")
    Library.open(tmp_path / "lib").add(make_scene(), uri="a", content_hash="1")
    assert [v["uri"] for v in Library.open(tmp_path / "lib").videos()] == ["a"]
