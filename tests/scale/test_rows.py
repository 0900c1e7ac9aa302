"""Work that is divided by rows: shares that make up the whole, and what is refused."""

from dataclasses import dataclass

import pytest
import torch

from worldline.scale import Split, map_tensors, rowwise, splitting


@dataclass(frozen=True, eq=False)
class Pair:
    one: torch.Tensor
    other: torch.Tensor | None
    name: str = "pair"


@pytest.mark.parametrize(("num", "size"), [(6, 2), (5, 2), (1, 3), (7, 4), (4, 1)])
def test_shares_are_of_one_size_and_make_up_the_whole(num, size):
    whole = torch.arange(float(num * 3)).reshape(num, 3)
    shares = [Split(rank, size).share(whole) for rank in range(size)]
    assert len({len(share) for share in shares}) == 1
    assert torch.equal(torch.cat(shares)[:num], whole)
    blank = torch.cat([Split(rank, size).share(whole, blank=True) for rank in range(size)])
    assert torch.equal(blank[:num], whole)
    assert not blank[num:].any()


def test_nothing_is_changed_where_nothing_is_divided():
    seen = []

    @rowwise
    def double(x, generator=None):
        seen.append(x)
        return 2 * x

    x = torch.ones(3, requires_grad=True)
    assert double(x, generator=torch.Generator()).tolist() == [2, 2, 2]
    assert seen[0] is x


def test_a_divided_function_may_not_draw_and_its_rows_must_agree():
    @rowwise
    def add(x, y):
        return x

    with splitting(Split(0, 2)):
        with pytest.raises(ValueError, match=r"add works row by row, but was given \[2, 3\] rows"):
            add(torch.ones(2), torch.ones(3))
        with pytest.raises(ValueError, match="may not draw random numbers"):
            add(torch.ones(2), torch.Generator())


def test_tensors_are_found_however_they_are_nested():
    given = {"a": [torch.ones(2), Pair(torch.ones(1), None)], "b": (torch.zeros(()), 3, "c")}
    found = map_tensors(lambda x: x + 1, given)
    assert found["a"][0].tolist() == [2, 2]
    assert found["a"][1].one.tolist() == [2]
    assert found["a"][1].other is None
    assert found["b"] == (torch.ones(()), 3, "c")
