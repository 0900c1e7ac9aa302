import numpy as np
import pytest

from worldline.core.readings import Readings

VALUES = np.arange(6.0).reshape(3, 2)
READINGS = Readings(("a", "b"), VALUES, VALUES != 3)


def test_columns_come_by_name_and_others_are_unknown():
    found = READINGS.columns(("c", "b"))
    np.testing.assert_array_equal(found.values[:, 1], VALUES[:, 1])
    np.testing.assert_array_equal(found.known, [[False, True], [False, False], [False, True]])
    assert READINGS.at(slice(1, None)).num_frames == 2


@pytest.mark.usefixtures("as_users_run")
def test_what_does_not_fit_is_refused():
    known = np.ones((3, 2), dtype=bool)
    with pytest.raises(ValueError, match="for 1 columns"):
        Readings(("a",), VALUES, known)
    with pytest.raises(ValueError, match="one name"):
        Readings(("a", "a"), VALUES, known)
    with pytest.raises(ValueError, match=r"not finite .* row 1"):
        Readings(("a", "b"), np.where(VALUES == 2, np.nan, VALUES), known)
