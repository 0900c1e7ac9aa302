from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from worldline.audit.silhouettes import Silhouettes
from worldline.core import Clip, InputError


def test_true_frames_overlap_nearly_whole_and_the_empty_view_not_at_all(crossing: Clip) -> None:
    finder = Silhouettes.of(crossing)
    assert crossing.segmentation is not None
    assert crossing.background is not None
    assert finder.ids == (0, 1)
    assert finder.overlaps(crossing.frames[12], crossing.segmentation[12]).min() > 0.8
    assert (finder.overlaps(crossing.background[0], crossing.segmentation[12]) == 0).all()


def test_bodies_that_change_places_overlap_with_nothing(crossing: Clip) -> None:
    finder = Silhouettes.of(crossing)
    assert crossing.segmentation is not None
    mask = crossing.segmentation[0]
    swapped = np.where(mask >= 0, 1 - mask, mask)
    assert finder.overlaps(crossing.frames[0], swapped).max() < 0.1


def test_a_body_out_of_sight_says_nothing(crossing: Clip) -> None:
    finder = Silhouettes.of(crossing)
    assert crossing.segmentation is not None
    mask = np.where(crossing.segmentation[0] == 0, -1, crossing.segmentation[0])
    found = finder.overlaps(crossing.frames[0], mask)
    assert np.isnan(found[0])
    assert found[1] > 0.8


def test_it_needs_truth_and_the_right_size(crossing: Clip) -> None:
    with pytest.raises(InputError, match="segmentation"):
        Silhouettes.of(replace(crossing, segmentation=None))
    with pytest.raises(InputError, match="resize"):
        Silhouettes.of(crossing).read(crossing.frames[0][:32, :32])
