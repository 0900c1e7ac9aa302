"""Where a library can be."""

from __future__ import annotations

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
