"""Names stay where they tie two roles, and give way to what they stand for elsewhere."""

from __future__ import annotations

from worldline.retrieval import Brake, Fall, Roll, Turn, Who
from worldline.retrieval.variables import tied


def test_a_name_that_ties_two_roles_becomes_a_short_one():
    one = Who(("ball",), name="object 1")
    query = Fall().cast(object=one).then(Roll().cast(object=Who(name="object 1")))
    x = Who(("ball",), name="x")
    assert tied(query) == Fall().cast(object=x).then(Roll().cast(object=Who(name="x")))


def test_alternatives_are_each_about_what_is_named_once():
    car = Who(("car",), name="object 1")
    query = Brake().cast(object=car) | Turn().cast(object=Who(name="object 1"))
    assert tied(query) == Brake().of("car") | Turn().of("car")
