"""The suite `expectation`: readings, rows, and that nobody looks ahead."""

import numpy as np
import pytest

from worldline.audit.suites.expectation import (
    Reading,
    Settings,
    flow_warp_error,
    latent_norm,
    pixel_difference,
    run,
)
from worldline.audit.suites.result import RowKind, SuiteResult
from worldline.audit.suites.subject import Subject, of_world
from worldline.audit.suites.twins import PROPERTIES
from worldline.dynamics import FlowDynamics
from worldline.world import World


def noise(num: int = 10, size: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (num, size, size, 3), dtype=np.uint8)


def test_readings_leave_the_context_out():
    felt = np.array([9.0, 9.0, 1.0, 2.0, 3.0, 8.0, 0.0, 0.0])
    assert Reading(2, "max")(felt) == 8
    assert Reading(2, "mean")(felt) == pytest.approx(14 / 6)
    assert Reading(2, "top 3")(felt) == pytest.approx(13 / 3)
    assert Reading(4, "top 6")(felt) == pytest.approx(11 / 4)


@pytest.mark.parametrize(
    "judge",
    [
        pixel_difference,
        flow_warp_error,
        latent_norm(lambda frames: frames.reshape(len(frames), -1)),
    ],
)
def test_surprise_does_not_look_at_future_frames(judge):
    frames = noise()
    spoiled = frames.copy()
    spoiled[6:] = 255 - spoiled[6:]
    before, after = judge(frames), judge(spoiled)
    assert before.shape == (10,)
    np.testing.assert_array_equal(before[:6], after[:6])
    assert (before[6:] != after[6:]).any()


def test_flow_that_goes_on_is_no_surprise():
    y, x = np.mgrid[:32, :32]
    frames = np.stack(
        [
            np.repeat(
                (255 * np.exp(-((x - 6 - 2 * t) ** 2 + (y - 16) ** 2) / 18)).astype(np.uint8)[
                    ..., None
                ],
                3,
                axis=-1,
            )
            for t in range(8)
        ]
    )
    stops = frames.copy()
    stops[5:] = stops[4]
    assert flow_warp_error(frames)[5] < 0.3 * flow_warp_error(stops)[5]
    assert (flow_warp_error(frames)[:2] == 0).all()


def test_a_subject_beside_the_trivial_ones():
    """Who is surprised by brightness alone is right or wrong by chance, but never tied at once."""
    subject = Subject("bright", surprise=lambda frames: frames.mean(axis=(1, 2, 3)), size_px=32)
    settings = Settings(quick=True, properties=("permanence", "colour"))
    told: list[float] = []
    result = run(subject, settings, told.append)
    table = result.table("pairwise_accuracy")
    assert [row.name for row in table.rows[:3]] == ["bright", "pixel difference", "flow-warp error"]
    assert table.rows[0].kind is RowKind.SUBJECT
    assert table.row("bright").cells["all"].n == 2
    assert table.row("bright").cells["permanence"].n == 1
    assert table.rows[-1].cells["permanence"].value == 1.0
    assert "colour" not in table.rows[-1].cells
    kinds = result.table("accuracy_by_kind")
    assert kinds.columns[0] == "permanence: behind a screen"
    assert kinds.rows[0].cells["colour: behind a screen"].n == 1
    assert SuiteResult.from_json(result.to_json()).scenarios == result.scenarios
    assert told[-1] == 1.0
    assert told == sorted(told)


def test_a_quick_run_asks_of_every_property_once():
    subject = Subject("bright", surprise=lambda frames: frames.mean(axis=(1, 2, 3)), size_px=32)
    told: list[float] = []
    result = run(subject, Settings(quick=True), told.append)
    table = result.table("pairwise_accuracy")
    assert table.columns == (*PROPERTIES, "all")
    assert {of: table.row("bright").cells[of].n for of in PROPERTIES} == dict.fromkeys(
        PROPERTIES, 1
    )
    assert result.facts["development_pairs"] == 3
    # Heard of along the way, not at the end of each row: 14 pairs, and 14 times per row.
    assert told == sorted(told)
    assert len(set(told)) > 3 * 14


def test_one_who_always_knows_is_always_right():
    seen: dict[bytes, int] = {}

    def knows(frames: np.ndarray) -> np.ndarray:
        """Possible clips are asked about first, so an equal opening was seen before."""
        opening = frames[:5].tobytes()
        seen[opening] = seen.get(opening, 0) + 1
        return np.full(len(frames), float(seen[opening] % 2 == 0))

    result = run(
        Subject("oracle", surprise=knows, size_px=32), Settings(quick=True, properties=("energy",))
    )
    assert result.table("pairwise_accuracy").row("oracle").cells["energy"].value == 1.0


def test_the_small_see_the_same_pairs_shrunk():
    shapes = set()

    def looks(frames: np.ndarray) -> np.ndarray:
        shapes.add(frames.shape[1:])
        return frames.mean(axis=(1, 2, 3))

    settings = Settings(quick=True, properties=("colour",))
    results = [run(Subject("s", surprise=looks, size_px=size), settings) for size in (32, 64)]
    assert shapes == {(32, 32, 3), (64, 64, 3)}
    assert results[0].scenarios == results[1].scenarios


def test_a_world_is_asked_with_its_parts_in_rows_of_their_own():
    dynamics = FlowDynamics.Config(stem_width=8, width=16, depth=3, heads=2, window=6)
    world = World.Config(name="tiny", dynamics=dynamics, trajectory=None).build()
    settings = Settings(num_test=2, num_development=1, num_untrained=1, properties=("energy",))
    table = run(of_world(world), settings).table("pairwise_accuracy")
    assert [row.name for row in table.rows] == [
        "tiny",
        "tiny, latent error alone",
        "object files alone",
        "untrained, latent error alone",
        "pixel difference",
        "flow-warp error",
        "latent norm",
    ]
    assert [row.cells["energy"].n for row in table.rows] == [2, 2, 2, 1, 2, 2, 2]
    assert all(len(row.cells["energy"].values) == 2 for row in table.rows)
