import pytest
import torch

from worldline.train.precision import WorkingCopy, working_type


@pytest.mark.parametrize("unit", ["avx512_bf16", "amx_bf16", "bf16"])
def test_bfloat16_is_taken_where_the_processor_has_it(monkeypatch, unit):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, unit: True})
    assert working_type(True, "cpu") == torch.bfloat16
    assert working_type(False, "cpu") == torch.float32
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, unit: False})
    assert working_type(True, "cpu") == torch.float32


def test_working_copy_computes_in_its_type_and_hands_gradients_back():
    original = torch.nn.Linear(3, 2)
    unused = torch.nn.Parameter(torch.ones(1))
    original.register_parameter("unused", unused)
    work = WorkingCopy(original, torch.bfloat16)
    assert isinstance(work.model, torch.nn.Linear)
    with torch.no_grad():
        original.weight.fill_(1 + 2**-12)  # rounded to 1 in bfloat16
    work.refresh()
    assert work.model.weight.dtype == torch.bfloat16
    work.model(torch.ones(1, 3, dtype=torch.bfloat16)).sum().backward()
    work.hand_back()
    assert torch.equal(work.model.weight.detach().float(), torch.ones(2, 3))
    grad = original.weight.grad
    assert grad is not None
    assert grad.dtype == torch.float32
    assert torch.equal(grad, torch.ones(2, 3))
    assert unused.grad is None
    work.refresh()
    assert work.model.weight.grad is None


def test_working_copy_in_single_precision_is_the_model_itself():
    original = torch.nn.Linear(3, 2)
    work = WorkingCopy(original, torch.float32)
    assert work.model is original
    original(torch.ones(1, 3)).sum().backward()
    work.hand_back()
    assert torch.equal(original.weight.grad, torch.ones(2, 3))
    work.refresh()
    assert original.weight.grad is None
