import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch

from worldline.core import ArtifactError, InputError
from worldline.core.latents import Latents
from worldline.nn import SpatialAttention
from worldline.train import Checkpoint, DivergenceError, Trainer, state, step_generator
from worldline.train.loop import to_device


class Line:
    """Fit a line: small enough to know what must come out."""

    def __init__(self, *, spoil_at: int | None = None) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.model = torch.nn.Linear(4, 1)
        self.spoil_at = spoil_at

    def batch(self, step, generator):
        x = torch.randn(32, 4, generator=generator)
        y = x @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]]) + 0.25
        return (x, y * float("nan")) if step == self.spoil_at else (x, y)

    def loss(self, model, batch, generator):
        x, y = batch
        dtype = model.weight.dtype
        noise = 0.01 * torch.randn(x.shape, generator=generator)
        error = model((x + noise).to(dtype)).float() - y
        return {"total": error.square().mean(), "worst": error.abs().max()}

    def num_frames(self, batch):
        return len(batch[0])

    def after_step(self, model):
        self.num_steps = getattr(self, "num_steps", 0) + 1

    def finish(self):
        self.final = self.model.weight.detach().clone()


def trainer(steps: int = 60, **changes) -> Trainer:
    defaults = {"learning_rate": 0.05, "warmup": 5, "checkpoint_every": 10, "log_every": 1}
    return Trainer.Config(steps=steps, average_decay=0.9, **{**defaults, **changes}).build()


def losses(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]


def test_training_finds_the_line_and_books_its_cost(tmp_path):
    task = Line()
    ledger = trainer(300, half=False).run(task, tmp_path)
    torch.testing.assert_close(
        task.model.weight, torch.tensor([[1.0, -2.0, 0.5, 3.0]]), atol=0.05, rtol=0
    )
    assert ledger.steps == 300
    assert ledger.frames_seen == 300 * 32
    # forward 2 * 32 * 4, backward to the weights as much again, per step; the input needs none
    assert ledger.flop == 300 * 2 * 2 * 32 * 4
    assert ledger.sessions == 1


@pytest.fixture
def half_precision(monkeypatch):
    """As if the machine had instructions for bfloat16."""
    monkeypatch.setattr(state, "working_type", lambda half, device: torch.bfloat16)


def test_the_ledger_counts_attention(tmp_path):
    class Attending(Line):
        def __init__(self):
            super().__init__()
            self.model = SpatialAttention(8, 2)

        def loss(self, model, batch, generator):
            return {"total": model(torch.ones(2, 3, 5, 8)).sum()}

        def finish(self):
            pass

    ledger = trainer(1, half=False).run(Attending(), tmp_path)
    tokens = 2 * 3 * 5
    projections = 2 * tokens * 8 * (3 * 8) * 2 + 2 * tokens * 8 * 8 * 3
    products = 2 * (2 * tokens * 5 * 8) * 3  # queries by keys, weights by values
    assert ledger.flop == projections + products


def test_half_precision_learns_too(tmp_path, half_precision):
    task = Line()
    trainer(300).run(task, tmp_path)
    torch.testing.assert_close(
        task.model.weight, torch.tensor([[1.0, -2.0, 0.5, 3.0]]), atol=0.1, rtol=0
    )
    assert task.model.weight.dtype == torch.float32


def test_run_goes_on_in_the_number_type_that_it_began_in(tmp_path, half_precision, monkeypatch):
    class Stop(Exception):  # noqa: N818
        pass

    def stop(step, values):
        if step == 37:
            raise Stop

    trainer().run(Line(), tmp_path / "whole")
    with pytest.raises(Stop):
        trainer().run(Line(), tmp_path / "moved", on_step=stop)
    monkeypatch.setattr(state, "working_type", lambda half, device: torch.float32)
    trainer().run(Line(), tmp_path / "moved")
    assert losses(tmp_path / "moved") == losses(tmp_path / "whole")
    trainer().run(Line(), tmp_path / "elsewhere")
    assert losses(tmp_path / "elsewhere") != losses(tmp_path / "whole")


def test_interrupted_run_goes_on_bit_for_bit(tmp_path):
    whole, halves = Line(), Line()
    trainer().run(whole, tmp_path / "whole")

    class Stop(Exception):  # noqa: N818
        pass

    def stop(step, values):
        if step == 37:
            raise Stop

    with pytest.raises(Stop):
        trainer().run(halves, tmp_path / "halves", on_step=stop)
    resumed = Line()
    ledger = trainer().run(resumed, tmp_path / "halves")
    assert losses(tmp_path / "halves") == losses(tmp_path / "whole")
    assert torch.equal(resumed.model.weight, whole.model.weight)
    assert ledger.sessions == 2
    assert ledger.frames_seen == 60 * 32


def test_a_run_that_is_stopped_keeps_its_last_whole_step(tmp_path):
    whole, halves = Line(), Line()
    trainer().run(whole, tmp_path / "whole")

    def stop(step, values):
        if step == 36:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer().run(halves, tmp_path / "halves", on_step=stop)
    kept = Checkpoint.load(tmp_path / "halves")
    assert kept is not None
    assert kept.step == 37
    resumed = Line()
    ledger = trainer().run(resumed, tmp_path / "halves")
    assert losses(tmp_path / "halves") == losses(tmp_path / "whole")
    assert torch.equal(resumed.model.weight, whole.model.weight)
    assert (ledger.steps, ledger.frames_seen) == (60, 60 * 32)


@pytest.mark.parametrize("where", ["loss", "after_step"])
def test_a_run_that_is_stopped_within_a_step_goes_on_bit_for_bit(tmp_path, monkeypatch, where):
    trainer().run(Line(), tmp_path / "whole")
    calls, real = [], getattr(Line, where)

    def interrupted(self, *arguments):
        calls.append(where)
        if len(calls) == 36:
            raise KeyboardInterrupt
        return real(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Line, where, interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer().run(Line(), tmp_path / "halves")
    kept = Checkpoint.load(tmp_path / "halves")
    assert kept is not None
    # the loss changes nothing yet, but weights have moved when averages follow; the count of
    # operations takes one more pass of the loss
    assert kept.step == {"loss": 34, "after_step": 30}[where]
    trainer().run(Line(), tmp_path / "halves")
    assert losses(tmp_path / "halves") == losses(tmp_path / "whole")


def test_killed_process_goes_on_bit_for_bit(tmp_path):
    trainer().run(Line(), tmp_path / "whole")
    script = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import test_loop
        slow = lambda step, values: time.sleep(0.02)
        test_loop.trainer().run(test_loop.Line(), Path({str(tmp_path / "killed")!r}), on_step=slow)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], env={**os.environ})
    log = tmp_path / "killed" / "losses.jsonl"
    for _ in range(3000):
        if log.is_file() and log.read_text().count("\n") > 25:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = Checkpoint.load(tmp_path / "killed")
    assert before is not None
    assert 20 <= before.step < 60
    trainer().run(Line(), tmp_path / "killed")
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")


def test_not_a_number_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    with pytest.raises(DivergenceError, match="step 25"):
        trainer().run(Line(spoil_at=25), tmp_path)
    kept = Checkpoint.load(tmp_path)
    assert kept is not None
    assert kept.step == 20
    assert all(torch.isfinite(v).all() for v in kept.tensors.values())


class Steep(Line):
    """Its loss is a number at every step, but not its gradient at one."""

    def loss(self, model, batch, generator):
        values = super().loss(model, batch, generator)
        x, _ = batch
        if torch.isinf(x).any():
            weight = model.weight.float()
            values["total"] = torch.sqrt((weight * 0).sum()) + 1.0
        return values

    def batch(self, step, generator):
        x, y = super().batch(step, generator)
        return (x * float("inf"), y) if step == 25 else (x, y)


def test_a_gradient_that_is_no_number_stops_too(tmp_path):
    with pytest.raises(DivergenceError, match=r"the gradient is nan at step 25 \(batch 25"):
        trainer().run(Steep(), tmp_path)
    kept = Checkpoint.load(tmp_path)
    assert kept is not None
    assert kept.step == 20


def test_folder_of_another_run_is_refused(tmp_path):
    trainer(20).run(Line(), tmp_path)
    with pytest.raises(InputError, match="other settings"):
        trainer(30).run(Line(), tmp_path)


def test_damaged_checkpoint_is_named(tmp_path):
    trainer(20).run(Line(), tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtifactError, match=r"checkpoint\.safetensors"):
        Checkpoint.load(tmp_path)


def test_learning_rate_warms_up_and_falls():
    rate = trainer(100, warmup=10).learning_rate
    assert rate(0) == pytest.approx(0.005)
    assert rate(9) == pytest.approx(0.05)
    assert rate(55) == pytest.approx(0.05 * (0.02 + 0.98 * 0.5))
    assert rate(100) == pytest.approx(0.001)


def test_step_generators_differ_by_step_and_seed():
    draws = {
        (seed, step): torch.rand(1, generator=step_generator(seed, step)).item()
        for seed in range(3)
        for step in range(3)
    }
    assert len(set(draws.values())) == 9
    again = torch.rand(1, generator=step_generator(2, 1)).item()
    assert again == draws[2, 1]


def test_batches_are_moved_whole():
    inner = Latents(torch.zeros(1, 2, 4, 3), (2, 2))
    batch = (inner, [torch.ones(2)], 5)
    moved = to_device(batch, "meta")
    assert moved[0].tokens.device.type == "meta"
    assert moved[0].grid == (2, 2)
    assert moved[1][0].device.type == "meta"
    assert moved[2] == 5
    assert inner.tokens.device.type == "cpu"
