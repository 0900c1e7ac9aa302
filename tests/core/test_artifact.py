"""`Artifact`: bitwise round trip, and damage of each kind named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from worldline.core.artifact import Artifact
from worldline.core.errors import ArtifactError, InputError


@pytest.fixture
def artifact() -> Artifact:
    generator = torch.Generator().manual_seed(0)
    return Artifact(
        config={"type": "test/model", "version": 1, "dims": [1, 2]},
        tensors={
            "weight": torch.randn(5, 7, generator=generator),
            "half": torch.randn(3, generator=generator).to(torch.bfloat16),
            "transposed": torch.randn(4, 6, generator=generator).T,
            "steps": torch.tensor(123456789),
            "empty": torch.zeros(0, 3),
        },
        calibration={"trust": {"edges": [0.1, 0.5]}},
        card="# A model\n\nMade for a test: été.\n",
    )


def test_round_trip_is_bitwise(artifact: Artifact, tmp_path: Path):
    artifact.save(tmp_path / "new" / "folder")
    back = Artifact.load(tmp_path / "new" / "folder")
    assert set(back.tensors) == set(artifact.tensors)
    for name, tensor in artifact.tensors.items():
        assert back.tensors[name].dtype == tensor.dtype, name
        assert torch.equal(back.tensors[name], tensor), name
    assert back.config == artifact.config
    assert back.calibration == artifact.calibration
    assert back.card == artifact.card


def test_weights_can_be_read_by_whoever_can_read_the_card(artifact: Artifact, tmp_path: Path):
    artifact.save(tmp_path)
    modes = {file.stat().st_mode for file in tmp_path.iterdir()}
    assert len(modes) == 1


def test_saving_twice_gives_the_same_bytes(artifact: Artifact, tmp_path: Path):
    artifact.save(tmp_path / "a")
    artifact.save(tmp_path / "b")
    Artifact.load(tmp_path / "a").save(tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_dtype_casts_floating_point_only(artifact: Artifact, tmp_path: Path):
    artifact.save(tmp_path, dtype=torch.bfloat16)
    back = Artifact.load(tmp_path)
    assert torch.equal(back.tensors["weight"], artifact.tensors["weight"].to(torch.bfloat16))
    assert back.tensors["steps"].dtype == torch.int64
    assert back.tensors["steps"].item() == 123456789


def test_parameters_are_saved_without_their_graph(tmp_path: Path):
    weight = torch.nn.Parameter(torch.ones(2))
    Artifact({"type": "test"}, {"w": weight * 2}).save(tmp_path)
    assert torch.equal(Artifact.load(tmp_path).tensors["w"], torch.tensor([2.0, 2.0]))


def test_card_and_calibration_may_be_missing(artifact: Artifact, tmp_path: Path):
    artifact.save(tmp_path)
    (tmp_path / "card.md").unlink()
    (tmp_path / "calibration.json").unlink()
    back = Artifact.load(tmp_path)
    assert (back.card, back.calibration) == ("", {})


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_missing_file_is_named(artifact: Artifact, tmp_path: Path, name: str):
    artifact.save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match=f"no {name}"):
        Artifact.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        Artifact.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b""),
        ("model.safetensors", b"not weights at all"),
        ("config.json", b"{"),
        ("config.json", b"[1, 2]"),
        ("config.json", b"\xff\xfe\x00"),
        ("calibration.json", b"{"),
        ("calibration.json", b"3"),
        ("calibration.json", b"[" * 100_000),
        ("config.json", b"[" * 100_000),
        ("card.md", b"\xff\xfe\x00"),
    ],
)
def test_a_damaged_file_is_refused(artifact: Artifact, tmp_path: Path, name: str, content: bytes):
    artifact.save(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"damaged artifact \({name}: "):
        Artifact.load(tmp_path)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_truncated_weights_are_refused(artifact: Artifact, tmp_path: Path, keep: float):
    artifact.save(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(ArtifactError, match="damaged artifact"):
        Artifact.load(tmp_path)


def test_a_flipped_bit_in_a_weight_is_found(artifact: Artifact, tmp_path: Path):
    artifact.save(tmp_path)
    file = tmp_path / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.safetensors: other bytes than were saved"):
        Artifact.load(tmp_path)
    (tmp_path / "SHA256SUMS").unlink()
    Artifact.load(tmp_path)  # of a world without sums nobody can tell
