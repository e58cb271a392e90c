"""GAE and V-trace: by hand, and against slow sums that are written as the papers define them."""

import numpy as np
import pytest
import torch
from torch import Tensor, tensor

from trainer.advantage import gae, vtrace


def column(*values: float) -> Tensor:
    return tensor(values, dtype=torch.float32).unsqueeze(1)


REWARD, VALUE, NEXT = column(1, 4), column(2, 1), column(1, 2)
NEVER, FIRST = column(0, 0), column(1, 0)


def test_the_advantage_discounts_what_comes_after():
    """γ = ½, λ = 1: the last step earns 4 + ½·2 - 1 = 4; the first, 1 + ½·1 - 2 + ½·4 = 1.5."""
    assert gae(REWARD, VALUE, NEXT, NEVER, gamma=0.5, lam=1.0).flatten().tolist() == [1.5, 4.0]


def test_without_lambda_the_advantage_looks_one_step_ahead():
    assert gae(REWARD, VALUE, NEXT, NEVER, gamma=0.5, lam=0.0).flatten().tolist() == [-0.5, 4.0]


def test_nothing_flows_back_over_the_end_of_an_episode():
    """The first step ended its episode: 1 - 2, whatever the next one brings."""
    assert gae(REWARD, VALUE, column(0, 2), FIRST, gamma=0.5, lam=1.0).flatten().tolist() == [-1.0, 4.0]


def test_an_episode_that_is_cut_is_worth_what_its_last_state_promises():
    """The first step was cut at a state of value 6: 1 + ½·6 - 2 = 2, and nothing of the next episode's 4."""
    assert gae(REWARD, VALUE, column(6, 2), FIRST, gamma=0.5, lam=1.0).flatten().tolist() == [2.0, 4.0]


def test_agents_do_not_mix():
    reward, zero = tensor([[1.0, 0.0], [0.0, 1.0]]), torch.zeros(2, 2)
    assert gae(reward, zero, zero, zero, gamma=1.0, lam=1.0).tolist() == [[1.0, 1.0], [0.0, 1.0]]


def test_vtrace_clips_both_ratios():
    """γ = ½, λ = 1, ρ̄ = 2, c̄ = 1, ratios 3 and ½.

    The last step: δ = 4, v = 1 + ½·4 = 3, advantage 4. The first: δ = -½, v = 2 + 2·(-½) + ½·1·(3 - 1) = 2,
    advantage 1 + ½·3 - 2 = ½.
    """
    advantage, target = vtrace(
        REWARD, VALUE, NEXT, NEVER, column(3, 0.5), gamma=0.5, lam=1.0, rho_clip=2.0, c_clip=1.0
    )
    assert advantage.flatten().tolist() == [0.5, 4.0]
    assert target.flatten().tolist() == [2.0, 3.0]


def test_vtrace_ends_with_the_episode():
    advantage, target = vtrace(
        REWARD, VALUE, column(6, 2), FIRST, column(3, 0.5), gamma=0.5, lam=1.0, rho_clip=2.0, c_clip=1.0
    )
    assert advantage.flatten().tolist() == [2.0, 4.0]  # 1 + ½·6 - 2
    assert target.flatten().tolist() == [6.0, 3.0]  # 2 + 2·2


Experience = dict[str, np.ndarray]


def experience(seed: int, *, steps: int = 12, agents: int = 3) -> Experience:
    """Random experience with ends and cuts of episodes; in double precision."""
    rng = np.random.default_rng(seed)
    shape = (steps, agents)
    done, end = rng.random(shape) < 0.2, rng.random(shape) < 0.5
    value, after = rng.normal(size=shape), rng.normal(size=shape)  # after: the last observation of an episode
    next_value = np.where(done, np.where(end, 0.0, after), np.vstack([value[1:], rng.normal(size=(1, agents))]))
    return {"reward": rng.normal(size=shape), "value": value, "next_value": next_value, "done": done}


def tensors(given: Experience) -> list[Tensor]:
    return [torch.from_numpy(given[name]) for name in ("reward", "value", "next_value", "done")]


def gae_by_definition(e: Experience, gamma: float, lam: float) -> np.ndarray:
    """Equation 16: at each step, the sum over the rest of the episode of (γλ)^l δ(t + l)."""
    advantage = np.zeros_like(e["reward"])
    for t, n in np.ndindex(advantage.shape):
        for k in range(t, len(advantage)):
            delta = e["reward"][k, n] + gamma * e["next_value"][k, n] - e["value"][k, n]
            advantage[t, n] += (gamma * lam) ** (k - t) * delta
            if e["done"][k, n]:
                break
    return advantage


def vtrace_by_definition(e: Experience, ratio: np.ndarray, gamma: float, rho_bar: float, c_bar: float) -> np.ndarray:
    """Equation 1: v(s) = V(s) + Σ_t γ^(t-s) (Π_{i=s}^{t-1} c_i) ρ_t (r_t + γ V(t+1) - V(t)), over an episode."""
    target = e["value"].copy()
    for s, n in np.ndindex(target.shape):
        for t in range(s, len(target)):
            product = np.prod([min(c_bar, ratio[i, n]) for i in range(s, t)])
            delta = e["reward"][t, n] + gamma * e["next_value"][t, n] - e["value"][t, n]
            target[s, n] += gamma ** (t - s) * product * min(rho_bar, ratio[t, n]) * delta
            if e["done"][t, n]:
                break
    return target


@pytest.mark.parametrize(("gamma", "lam"), [(0.99, 0.95), (0.9, 1.0), (1.0, 0.0)])
def test_gae_is_the_sum_that_defines_it(gamma: float, lam: float):
    given = experience(0)
    np.testing.assert_allclose(gae(*tensors(given), gamma=gamma, lam=lam), gae_by_definition(given, gamma, lam))


@pytest.mark.parametrize(("rho_clip", "c_clip"), [(1.0, 1.0), (2.0, 0.5), (100.0, 100.0)])
def test_vtrace_is_the_sum_that_defines_it(rho_clip: float, c_clip: float):
    """With λ = 1; the advantage is what the next state's target makes of the action: section 4.2."""
    given, gamma = experience(1), 0.9
    ratio = np.random.default_rng(2).lognormal(size=given["reward"].shape)
    advantage, target = vtrace(
        *tensors(given), torch.from_numpy(ratio), gamma=gamma, lam=1.0, rho_clip=rho_clip, c_clip=c_clip
    )
    expected = vtrace_by_definition(given, ratio, gamma, rho_clip, c_clip)
    np.testing.assert_allclose(target, expected)
    later = np.vstack([expected[1:], given["next_value"][-1:]])
    bootstrap = np.where(given["done"], given["next_value"], later)
    np.testing.assert_allclose(advantage, given["reward"] + gamma * bootstrap - given["value"])


@pytest.mark.parametrize("lam", [1.0, 0.95, 0.0])
def test_on_policy_vtrace_is_td_lambda(lam: float):
    given = tensors(experience(3))
    ones = torch.ones_like(given[0])
    advantage, target = vtrace(*given, ones, gamma=0.9, lam=lam, rho_clip=1.0, c_clip=1.0)
    expected = gae(*given, gamma=0.9, lam=lam)
    assert torch.equal(advantage, expected)
    assert torch.equal(target, given[1] + expected)
