"""Evaluates a policy in episodes that are the same every time, of one task or of several suites.

Samples its actions, as in training, from a seed of its own, so that evaluating a policy twice gives the same metrics
and does not affect the training.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.agent import Policy, act
from trainer.curriculum_config import CurriculumConfig, SimConfig
from trainer.envs.episodes import RETURN
from trainer.memory import forget
from trainer.stop import Stop
from trainer.vector import Environments


@dataclass(frozen=True)
class Evaluation:
    """The figures of every suite, and the replays of their first episodes."""

    figures: dict[str, float]
    replays: tuple[Path, ...]


def evaluate_all(
    policy: Policy, curriculum: CurriculumConfig, sim: SimConfig, stop: Stop, *, replay: Path | None = None
) -> Evaluation | None:
    """The figures of every suite of `sim`, with its name in theirs if there are several; None after a signal to stop.

    A suite's first episode is written to `replay`, with the suite's name at the end if there are several.
    """
    suites = sim.suites_of(curriculum)
    figures: dict[str, float] = {}
    replays: list[Path] = []
    for name, suite in suites.items():
        is_one_of_several = len(suites) > 1
        path = replay.with_name(replay.name.replace(".", f"_{name}.", 1)) if replay and is_one_of_several else replay
        found = evaluate(policy, suite, curriculum, sim, stop, replay=path)
        if found is None:
            return None
        prefix = f"eval/{name}" if is_one_of_several else "eval"
        figures |= {f"{prefix}/{figure}": value for figure, value in found.items()}
        replays += [path] if path and path.exists() else []
    return Evaluation(figures, tuple(replays))


def evaluate(
    policy: Policy, suite: CurriculumConfig, trained: CurriculumConfig, sim: SimConfig, stop: Stop, *,
    replay: Path | None = None,
) -> dict[str, float] | None:  # fmt: skip
    """What the environment measures, and the reward, per agent and episode; None after a signal to stop.

    Of each environment it is the first episode that counts, since shorter ones would come more often.
    """
    device = policy.value_head.weight.device
    generator = torch.Generator(device).manual_seed(sim.seed)
    if replay:
        replay.parent.mkdir(parents=True, exist_ok=True)
    with Environments(suite, count=sim.episodes, seed=sim.seed, replay=replay, trained=trained) as environments:
        block = environments.block
        returns_E, infos_EI = block.returns.copy(), block.infos.copy()  # NaN
        state_NS = policy.initial_state(environments.shape.rows)
        while (block.episodes == 0).any():
            if stop.is_requested:
                return None
            features_NF = torch.from_numpy(block.features).to(device)
            action_N, _, _, state_NS = act(policy, features_NF, state_NS, generator)
            environments.step(action_N.cpu().numpy())
            state_NS = forget(state_NS, torch.from_numpy(block.dones).to(device))
            is_first_E = np.isnan(returns_E) & (block.episodes > 0)
            returns_E[is_first_E], infos_EI[is_first_E] = block.returns[is_first_E], block.infos[is_first_E]
        figures = environments.means_of(returns_E, infos_EI)
        return {name: figures[name] for name in environments.spec.infos} | {"reward": figures[RETURN]}
