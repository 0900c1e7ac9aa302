import multiprocessing
import os
import signal
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from worldline.core import InputError, MediaError
from worldline.data.cache import LatentCache, fingerprint, hash_file, hash_frames

KEY = LatentCache.key("content", "encoder")


def tensors(value: float = 1.0) -> dict[str, torch.Tensor]:
    return {"mean": torch.full((2, 3), value), "half": torch.full((4,), value).bfloat16()}


def refuse() -> dict[str, torch.Tensor]:
    raise AssertionError("computed again")


def test_computed_once(tmp_path: Path):
    cache = LatentCache(tmp_path / "cache")
    first = cache.get(KEY, tensors)
    again = LatentCache(tmp_path / "cache").get(KEY, refuse)
    assert first.keys() == again.keys()
    for name, tensor in first.items():
        assert again[name].dtype == tensor.dtype
        assert torch.equal(again[name], tensor)
    other = cache.get(LatentCache.key("content", "other"), lambda: tensors(2.0))
    assert other["mean"][0, 0] == 2.0
    assert cache.path(KEY).stat().st_mode & 0o777 == 0o644


def damage(data: bytes, how: str) -> bytes:
    middle = len(data) - 20
    return {
        "cut": data[: len(data) // 2],
        "empty": b"",
        "bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "other": b"not a safetensors file at all",
    }[how]


@pytest.mark.parametrize("how", ["cut", "empty", "bit", "other"])
def test_a_damaged_file_is_computed_anew_with_a_warning(tmp_path: Path, how: str):
    cache = LatentCache(tmp_path)
    cache.get(KEY, tensors)
    path = cache.path(KEY)
    path.write_bytes(damage(path.read_bytes(), how))
    with pytest.warns(UserWarning, match="damaged, computed anew"):
        got = cache.get(KEY, lambda: tensors(3.0))
    assert got["mean"][0, 0] == 3.0
    assert cache.get(KEY, refuse)["mean"][0, 0] == 3.0


def test_a_file_under_the_name_of_another_is_not_believed(tmp_path: Path):
    cache = LatentCache(tmp_path)
    cache.get(KEY, tensors)
    other = LatentCache.key("else", "encoder")
    cache.path(other).parent.mkdir(exist_ok=True)
    cache.path(other).write_bytes(cache.path(KEY).read_bytes())
    with pytest.warns(UserWarning, match="checksum"):
        cache.get(other, tensors)


def test_nothing_is_kept_of_a_failure(tmp_path: Path):
    cache = LatentCache(tmp_path)
    with pytest.raises(AssertionError):
        cache.get(KEY, refuse)
    assert not cache.path(KEY).exists()
    with pytest.raises(InputError, match="may not be called"):
        cache.get(KEY, lambda: {"worldline.key": torch.ones(1)})
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def _die_while_writing(folder: str) -> None:
    """Killed between the first bytes and the renaming."""
    real = os.fdopen

    def half(handle: int, mode: str):
        stream = real(handle, mode)

        class Dying:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def write(self, content: bytes) -> None:
                stream.write(content[: len(content) // 2])
                stream.flush()
                os.kill(os.getpid(), signal.SIGKILL)

        return Dying()

    os.fdopen = half
    LatentCache(folder).get(KEY, tensors)


def test_a_writer_that_is_killed_leaves_nothing_that_is_read(tmp_path: Path):
    process = multiprocessing.get_context("fork").Process(
        target=_die_while_writing, args=(str(tmp_path),)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    (left,) = (p for p in tmp_path.rglob("*") if p.is_file())
    assert left.suffix == ".partial"
    assert left.stat().st_size > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert LatentCache(tmp_path).get(KEY, lambda: tensors(4.0))["mean"][0, 0] == 4.0
    assert LatentCache(tmp_path).get(KEY, refuse)["mean"][0, 0] == 4.0


def _work(folder: str, start, results) -> None:
    cache = LatentCache(folder)
    start.wait(60)
    total = 0.0
    for number in range(40):
        key = LatentCache.key(str(number), "encoder")
        total += float(cache.get(key, lambda n=number: tensors(float(n)))["mean"].sum())
    results.put(total)


def test_two_processes_write_the_same_keys(tmp_path: Path):
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=_work, args=(str(tmp_path), start, results)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    totals = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert totals == [6.0 * sum(range(40))] * 2
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) == 40
    assert {p.suffix for p in files} == {".safetensors"}


def test_a_cache_needs_a_folder(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        LatentCache(tmp_path / "file")


def test_hashes_tell_contents_apart(tmp_path: Path):
    frames = np.arange(48, dtype=np.uint8).reshape(2, 2, 4, 3)
    assert hash_frames(frames) == hash_frames(frames.copy())
    assert hash_frames(frames) != hash_frames(frames.reshape(2, 4, 2, 3))
    assert hash_frames(frames[:, ::-1]) != hash_frames(frames)
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert hash_file(tmp_path / "a") == hash_file(tmp_path / "b")
    assert hash_file(tmp_path / "a", start_s=1.0) != hash_file(tmp_path / "a")
    assert hash_file(tmp_path / "a", note="64 px") != hash_file(tmp_path / "a")
    with pytest.raises(MediaError, match="cannot be read"):
        hash_file(tmp_path / "none")


def test_a_fingerprint_follows_every_weight_and_the_config():
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    before = fingerprint(network, {"size": 1})
    assert fingerprint(network, {"size": 1}) == before
    assert fingerprint(network, {"size": 2}) != before
    with torch.no_grad():
        network[0].weight[1, 1] += 1e-6
    changed = fingerprint(network, {"size": 1})
    assert changed != before
    network[1].running_mean += 1
    assert fingerprint(network, {"size": 1}) != changed
