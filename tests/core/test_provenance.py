"""`Provenance`: the mark in a file's metadata, also when it is damaged or forged."""

from __future__ import annotations

import pytest

from worldline.core.provenance import METADATA_KEY, Origin, Provenance

MARK = Provenance(
    Origin.GENERATED,
    source="drop é.mp4",
    producer="worldline 0.1 small",
    seed=2**40,
    details=(("audit", "pass"), ("samples", "4")),
)


def test_mark_survives_metadata():
    assert Provenance.from_metadata(MARK.to_metadata(), "futures.mp4") == MARK


def test_containers_may_change_the_case_of_the_key():
    shouted = {key.upper(): value for key, value in MARK.to_metadata().items()}
    assert Provenance.from_metadata({"ENCODER": "x", **shouted}, "futures.mkv") == MARK


@pytest.mark.parametrize("metadata", [{}, {"comment": "my holiday"}, {"title": "worldline"}])
def test_a_file_without_a_mark_is_a_recording(metadata: dict[str, str]):
    assert Provenance.from_metadata(metadata, "a.mp4") == Provenance(source="a.mp4")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda text: text[: text.index("{")],
        lambda text: text.replace("generated", "painted"),
        lambda text: text.replace(text[text.index("{") :], "[1, 2]"),
        lambda text: text.replace(text[text.index("{") :], "7"),
        lambda text: text.replace(str(2**40), "[]"),
        lambda text: text.replace(str(2**40), '"many"'),
        lambda text: text[: text.index("{")] + "[" * 100_000,
    ],
)
def test_a_damaged_mark_never_passes_for_a_recording(damage):
    metadata = {METADATA_KEY: damage(MARK.to_metadata()[METADATA_KEY])}
    read = Provenance.from_metadata(metadata, "a.mp4")
    assert read.origin is Origin.GENERATED
    assert read.source == "a.mp4"
    assert dict(read.details) == {"damaged_mark": "true"}


def test_json_round_trip():
    assert Provenance.from_json(MARK.to_json()) == MARK
    assert Provenance.from_json({}) == Provenance()
    assert MARK.to_json()["origin"] == "generated"
    assert MARK.to_json()["details"] == {"audit": "pass", "samples": "4"}


def test_an_unknown_origin_is_refused():
    with pytest.raises(ValueError, match="painted"):
        Provenance.from_json({"origin": "painted"})
