"""The network: its precision, compiled or not, and whether torch may choose algorithms that are not deterministic."""

import os

import pytest
import torch
from observing import vector

from trainer.agent import Policy, compile_policy
from trainer.config import AgentConfig, Precision
from trainer.training import set_deterministic

AGENT = AgentConfig(hidden_size=32, hidden_layers=2)
CPU = torch.device("cpu")


def policy(precision: Precision = Precision.float32) -> Policy:
    torch.manual_seed(0)
    return Policy(vector(7), 5, AGENT, precision)


def test_bfloat16_is_used_inside_and_seen_nowhere():
    """Products have eight bits; weights, gradients and what comes out are float32."""
    features = torch.randint(0, 2, (64, 7), dtype=torch.uint8)
    exact, rough = policy(), policy(Precision.bfloat16)
    seen: list[torch.dtype] = []
    rough.trunk[0].register_forward_hook(lambda *arguments: seen.append(arguments[2].dtype))
    (logits, value, _), (other_logits, other_value, _) = exact(features), rough(features)
    assert seen == [torch.bfloat16]
    assert {x.dtype for x in (logits, value, other_logits, other_value)} == {torch.float32}
    assert 0 < (value - other_value).abs().max() < 0.05 * value.abs().max()
    torch.autograd.backward(other_value.sum())
    assert {(p.dtype, p.grad.dtype) for p in rough.trunk.parameters()} == {(torch.float32, torch.float32)}


@pytest.mark.slow
def test_a_compiled_policy_computes_the_same():
    """Forward and backward, and under the names that a checkpoint has."""
    features = torch.randint(0, 2, (64, 7), dtype=torch.uint8)
    plain, compiled = policy(), policy()
    compile_policy(compiled, CPU)
    assert all(p.grad is None for p in compiled.parameters())
    for each in (plain, compiled):
        logits, value, _ = each(features)
        torch.autograd.backward(logits.square().sum() + value.sum())
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_deterministic_algorithms_are_asked_of_torch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    try:
        set_deterministic(True)
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.backends.cudnn.deterministic
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        set_deterministic(False)
    assert not torch.are_deterministic_algorithms_enabled()
