from __future__ import annotations

from worldline.report.stopwatch import Stopwatch


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_every_second_belongs_to_one_stage() -> None:
    clock, heard = Clock(), list[str]()
    watch = Stopwatch(clock, heard.append)

    def frames():
        for number in range(3):
            clock.now_s += 2.0  # decoding
            yield number

    clock.now_s += 50.0  # before any stage: nobody's
    with watch.stage("Perceive"):
        clock.now_s += 1.0
        seen = []
        for number in watch.pull("Decode", frames()):
            clock.now_s += 10.0  # perceiving
            seen.append(number)
        with watch.stage("Audit"):
            clock.now_s += 5.0
        clock.now_s += 0.5
    watch.describe("Decode", "3 frames")
    assert seen == [0, 1, 2]
    assert {s.name: s.seconds for s in watch.stages} == {
        "Perceive": 31.5,
        "Decode": 6.0,
        "Audit": 5.0,
    }
    assert [s.what for s in watch.stages] == ["", "3 frames", ""]
    assert heard == ["Perceive", "Audit"]


def test_a_stage_may_come_again_and_may_fail() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    for _ in range(2):
        try:
            with watch.stage("Draw"):
                clock.now_s += 1.0
                raise ValueError
        except ValueError:
            clock.now_s += 7.0
    assert [(s.name, s.seconds) for s in watch.stages] == [("Draw", 2.0)]
