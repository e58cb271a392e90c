"""Stable-Baselines3's PPO, on the trainer's environments as a vector of its own kind: one row for each agent.

Its layers are shared by actions and values, as ours are: a features extractor, and heads without layers of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from benchmarks.trainer_peers.case import environments_of, layout_of
from benchmarks.trainer_peers.network import Network
from benchmarks.trainer_peers.turns import Turns
from trainer.config import AgentConfig, Config
from trainer.vector import Environments


def train(config: Config, turns: Turns) -> None:
    """The same network as everyone's."""
    trunk = {"features_extractor_class": Trunk, "features_extractor_kwargs": {"agent": config.agent}, "net_arch": []}
    learn(config, turns, trunk)


def train_separate(config: Config, turns: Turns) -> None:
    """As `net_arch` gives it by default: layers of these sizes for actions, and as many for values."""
    layers = [config.agent.hidden_size] * config.agent.hidden_layers
    learn(config, turns, {"net_arch": layers, "activation_fn": nn.ReLU})


def learn(config: Config, turns: Turns, policy: dict[str, Any]) -> None:
    """Its own `learn`, with a callback that counts."""
    layout, ppo = layout_of(config), config.trainer.ppo
    with environments_of(config) as environments:
        model = PPO(
            "MlpPolicy", AgentRows(environments), policy_kwargs=policy, device="cpu", seed=config.seed,
            learning_rate=config.trainer.optimizer.learning_rate, n_steps=layout.steps, batch_size=layout.minibatch,
            n_epochs=ppo.update_epochs, gamma=ppo.gamma, gae_lambda=ppo.gae_lambda, clip_range=ppo.clip_coef,
            ent_coef=ppo.ent_coef, vf_coef=ppo.vf_coef, max_grad_norm=ppo.max_grad_norm,
        )  # fmt: skip
        model.set_logger(Logger(None, []))
        model.learn(config.trainer.total_timesteps, callback=Count(turns, layout.samples))


class Trunk(BaseFeaturesExtractor):
    """The layers of the network."""

    def __init__(self, observation_space: Box, agent: AgentConfig) -> None:
        super().__init__(observation_space, agent.hidden_size)
        self.trunk = Network(observation_space.shape[0], 1, agent).trunk

    def forward(self, features_BF: Tensor) -> Tensor:
        return self.trunk(features_BF)


class Count(BaseCallback):
    """An update is done when the next rollout begins."""

    def __init__(self, turns: Turns, samples: int) -> None:
        super().__init__()
        self._turns, self._samples, self._has_begun = turns, samples, False

    def _on_rollout_start(self) -> None:
        if self._has_begun:
            self._turns.count(self._samples)
        self._has_begun = True

    def _on_step(self) -> bool:
        return True


class AgentRows(VecEnv):
    """The trainer's environments, each agent of each of them an environment here. They reset themselves."""

    def __init__(self, environments: Environments) -> None:
        spec = environments.spec
        self._environments, self._block = environments, environments.block
        self._actions = np.zeros(environments.shape.rows, np.int64)
        space = Box(0, 255, spec.observations.shape, np.uint8)
        super().__init__(environments.shape.rows, space, Discrete(spec.actions))

    def reset(self) -> np.ndarray:
        return self._block.features.copy()

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        self._environments.step(self._actions)
        block = self._block
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row in np.flatnonzero(block.dones):
            cut = bool(block.truncated[row])
            infos[row] = {"TimeLimit.truncated": cut}
            if cut:
                infos[row]["terminal_observation"] = block.final_features[row].copy()
        return block.features.copy(), block.rewards.copy(), block.dones.copy(), infos

    def close(self) -> None: ...

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Iterable[int] | None = None) -> list[bool]:
        return [False] * self.num_envs
