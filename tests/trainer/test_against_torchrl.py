"""GAE, V-trace and PPO's loss are those of TorchRL, where that is installed (`pip install torchrl`).

It keeps some factors in float32, so what is computed here in float64 agrees to 1e-5.
"""

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical

from tests.trainer.test_advantage import experience
from trainer import ppo
from trainer.advantage import gae, vtrace
from trainer.config import PPOConfig

NEAR = {"rtol": 1e-5, "atol": 1e-5}
functional = pytest.importorskip("torchrl.objectives.value.functional")


def columns(seed: int) -> dict[str, Tensor]:
    """Experience (T, N), where a next value of 0 after an end says what `terminated` would."""
    return {name: torch.from_numpy(array) for name, array in experience(seed, steps=20, agents=4).items()}


def torchrls(value: Tensor) -> Tensor:
    """(T, N) as TorchRL has it: (N, T, 1)."""
    return value.T.unsqueeze(-1)


def back(value: Tensor) -> Tensor:
    return value.squeeze(-1).T


@pytest.mark.parametrize(("gamma", "lam"), [(0.99, 0.95), (0.9, 1.0), (0.95, 0.0)])
def test_gae(gamma: float, lam: float):
    given = columns(0)
    value, after, reward, done = (torchrls(given[name]) for name in ("value", "next_value", "reward", "done"))
    advantage, target = functional.generalized_advantage_estimate(
        gamma, lam, value, after, reward, done, torch.zeros_like(done)
    )
    ours = gae(given["reward"], given["value"], given["next_value"], given["done"], gamma=gamma, lam=lam)
    torch.testing.assert_close(ours, back(advantage), **NEAR)
    torch.testing.assert_close(ours + given["value"], back(target), **NEAR)


@pytest.mark.parametrize(("rho_clip", "c_clip"), [(1.0, 1.0), (2.0, 0.5), (100.0, 100.0)])
def test_vtrace(rho_clip: float, c_clip: float):
    """TorchRL's advantage has the clipped ratio in it. PPO's surrogate brings its own, so ours has none."""
    given, gamma = columns(1), 0.9
    log_ratio = torch.randn(given["reward"].shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    value, after, reward, done = (torchrls(given[name]) for name in ("value", "next_value", "reward", "done"))
    now, then = torchrls(log_ratio), torch.zeros_like(reward)
    advantage, target = functional.vtrace_advantage_estimate(
        gamma, now, then, value, after, reward, done, torch.zeros_like(done), rho_thresh=rho_clip, c_thresh=c_clip
    )
    ratio = log_ratio.exp()
    ours, our_target = vtrace(
        given["reward"], given["value"], given["next_value"], given["done"], ratio,
        gamma=gamma, lam=1.0, rho_clip=rho_clip, c_clip=c_clip,
    )  # fmt: skip
    torch.testing.assert_close(our_target, back(target), **NEAR)
    torch.testing.assert_close(ours * ratio.clamp(max=rho_clip), back(advantage), **NEAR)


@pytest.mark.parametrize("norm_adv", [True, False])
def test_the_loss_of_ppo(norm_adv: bool):
    """Its `ClipPPOLoss`, in which the policy's logits and the values are what an identity makes of the observation."""
    from tensordict import TensorDict
    from tensordict.nn import ProbabilisticTensorDictSequential, TensorDictModule
    from torchrl.modules import ProbabilisticActor
    from torchrl.objectives import ClipPPOLoss

    generator = torch.Generator().manual_seed(0)
    logits, value = torch.randn(64, 5, generator=generator), torch.randn(64, generator=generator)
    action = torch.randint(5, (64,), generator=generator)
    old = Categorical(logits=logits + 0.3 * torch.randn(64, 5, generator=generator)).log_prob(action)
    advantage, target = torch.randn(64, generator=generator), torch.randn(64, generator=generator)
    actor: ProbabilisticTensorDictSequential = ProbabilisticActor(
        TensorDictModule(torch.nn.Identity(), ["seen"], ["logits"]),
        in_keys=["logits"], distribution_class=Categorical, return_log_prob=True,
    )  # fmt: skip
    critic = TensorDictModule(torch.nn.Identity(), ["expected"], ["state_value"])
    theirs = ClipPPOLoss(
        actor, critic, clip_epsilon=0.2, entropy_coeff=0.03, critic_coeff=1.4, loss_critic_type="l2",
        normalize_advantage=norm_adv,
    )  # fmt: skip
    said = theirs(TensorDict({
        "seen": logits, "expected": value[:, None], "action": action, "action_log_prob": old,
        "advantage": advantage[:, None], "value_target": target[:, None],
    }, [64]))  # fmt: skip
    config = PPOConfig(clip_coef=0.2, ent_coef=0.03, vf_coef=0.7 * 4, norm_adv=norm_adv)
    ours = ppo.losses(config, logits, value, action, old, value, advantage, target)
    # Their deviation is that of a sample, over N - 1: advantages are smaller by the root of 63/64.
    scale = (63 / 64) ** 0.5 if norm_adv else 1.0
    torch.testing.assert_close(ours.policy * scale, said["loss_objective"])
    torch.testing.assert_close(config.vf_coef * ours.value, said["loss_critic"])
    torch.testing.assert_close(-config.ent_coef * ours.entropy, said["loss_entropy"])
    torch.testing.assert_close(ours.clipped, said["clip_fraction"])
