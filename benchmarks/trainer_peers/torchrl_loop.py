"""PPO of TorchRL's parts: its collector, `GAE`, replay buffer and `ClipPPOLoss`, on the trainer's environments.

Advantages are computed once for each update, and the layers that actions and values share once for each minibatch.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from tensordict import TensorDict, TensorDictBase
from tensordict.nn import ProbabilisticTensorDictSequential, TensorDictModule
from torch import nn
from torch.distributions import Categorical
from torchrl.collectors import Collector
from torchrl.data import Categorical as CategoricalSpec
from torchrl.data import Composite, LazyTensorStorage, TensorDictReplayBuffer, Unbounded
from torchrl.data.replay_buffers.samplers import SamplerWithoutReplacement
from torchrl.envs import EnvBase
from torchrl.modules import ActorValueOperator, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from benchmarks.trainer_peers.case import environments_of, layout_of
from benchmarks.trainer_peers.network import Network
from benchmarks.trainer_peers.turns import Turns
from trainer.config import Config, PPOConfig
from trainer.vector import Environments


def train(config: Config, turns: Turns) -> None:
    """Learn from what the collector brings."""
    layout, ppo = layout_of(config), config.trainer.ppo
    with environments_of(config) as environments:
        spec = environments.spec
        network = Network(spec.observations.shape[0], spec.actions, config.agent)
        parts = actor_and_critic(network)
        collector = Collector(
            AgentRows(environments), parts.get_policy_operator(), frames_per_batch=layout.samples, total_frames=-1
        )
        optimizer = torch.optim.Adam(network.parameters(), lr=config.trainer.optimizer.learning_rate, eps=1e-5)
        advantages = GAE(
            gamma=ppo.gamma, lmbda=ppo.gae_lambda, value_network=parts.get_value_operator(), average_gae=False
        )
        buffer = TensorDictReplayBuffer(
            storage=LazyTensorStorage(layout.samples), sampler=SamplerWithoutReplacement(), batch_size=layout.minibatch
        )
        loss = loss_of(parts, ppo)
        for collected in collector:
            with torch.no_grad():
                advantages(collected)
            buffer.extend(collected.reshape(-1))
            learn(loss, optimizer, network, buffer, ppo)
            turns.count(layout.samples)


def actor_and_critic(network: Network) -> ActorValueOperator:
    """The network as TorchRL's parts: what is shared, the head for actions, and the one for values."""
    head = TensorDictModule(network.action_head, ["hidden"], ["logits"])
    return ActorValueOperator(
        TensorDictModule(network.trunk, ["observation"], ["hidden"]),
        ProbabilisticActor(head, in_keys=["logits"], distribution_class=Categorical, return_log_prob=True),
        ValueOperator(network.value_head, in_keys=["hidden"]),
    )


def loss_of(parts: ActorValueOperator, ppo: PPOConfig) -> ClipPPOLoss:
    """The loss; its values are those of what the actor has computed already."""
    actor: ProbabilisticTensorDictSequential = parts.get_policy_operator()
    return ClipPPOLoss(
        actor, parts.get_value_head(), clip_epsilon=ppo.clip_coef, entropy_coeff=ppo.ent_coef,
        critic_coeff=0.5 * ppo.vf_coef, loss_critic_type="l2", normalize_advantage=ppo.norm_adv,
    )  # fmt: skip


def learn(
    loss: ClipPPOLoss, optimizer: torch.optim.Optimizer, network: nn.Module, buffer: Iterable[TensorDictBase],
    ppo: PPOConfig,
) -> None:  # fmt: skip
    """Epochs of minibatches."""
    for _ in range(ppo.update_epochs):
        for minibatch in buffer:
            losses = loss(minibatch)
            total = losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]
            optimizer.zero_grad()
            total.backward()
            nn.utils.clip_grad_norm_(network.parameters(), ppo.max_grad_norm)
            optimizer.step()


class AgentRows(EnvBase):
    """The trainer's environments as a batch, one row for each agent. They reset themselves."""

    def __init__(self, environments: Environments) -> None:
        rows, seen = environments.shape.rows, environments.spec.observations
        super().__init__(device="cpu", batch_size=[rows])
        self._environments, self._block = environments, environments.block
        self.observation_spec = Composite(
            observation=Unbounded((rows, *seen.shape), dtype=torch.uint8), shape=[rows]
        )
        self.action_spec = CategoricalSpec(environments.spec.actions, shape=(rows,))
        self.reward_spec = Unbounded((rows, 1))
        ends = {name: CategoricalSpec(2, shape=(rows, 1), dtype=torch.bool) for name in
                ("done", "terminated", "truncated")}  # fmt: skip
        self.done_spec = Composite(ends, shape=[rows])

    def _reset(self, tensordict: TensorDictBase | None = None, **_: object) -> TensorDict:
        """What the environments that ended, and have begun anew, observe; the others are left alone."""
        return TensorDict({"observation": torch.tensor(self._block.features)}, self.batch_size)

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        block = self._block
        self._environments.step(tensordict["action"].numpy())
        observation = torch.tensor(block.features)
        if block.truncated.any():
            cut = torch.from_numpy(block.truncated)
            observation[cut] = torch.from_numpy(block.final_features)[cut]
        return TensorDict(
            {
                "observation": observation,
                "reward": torch.tensor(block.rewards)[:, None],
                "done": torch.tensor(block.dones)[:, None],
                "terminated": torch.tensor(block.terminals)[:, None],
                "truncated": torch.tensor(block.truncated)[:, None],
            },
            self.batch_size,
        )

    def _set_seed(self, seed: int | None) -> None:
        """The environments have been given theirs."""
