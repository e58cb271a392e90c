"""What the episodes of an update say, beside its losses: rewards, measures, and how each task of a curriculum fares."""

import math

import numpy as np
from torch import Tensor

from trainer.curriculum import Array, CurriculumState, updated, weights
from trainer.envs.episodes import RETURN
from trainer.training import Training


def measure(run: Training, reward_TN: Tensor) -> dict[str, float]:
    """The reward of an episode, and what the environment measures, over all ranks; without what is not known yet.

    Where every episode has the same length, the reward is that of an episode at this update's rate.
    """
    spec, known = run.environments.spec, run.environments.measure()
    rate = reward_TN.mean().item() * spec.max_steps
    reward = known.get(RETURN, math.nan) if spec.ends_early else rate
    names = ("reward", *spec.infos)
    figures = run.ranks.mean(reward, *(known.get(name, math.nan) for name in spec.infos))
    return {name: figure for name, figure in zip(names, figures, strict=True) if math.isfinite(figure)}


def follow_curriculum(run: Training, state: CurriculumState) -> tuple[CurriculumState, dict[str, float]]:
    """The curriculum's state after the episodes that have ended on any rank, and the metrics of its tasks.

    Episodes that begin from now on are drawn accordingly, on every rank.
    """
    results_K3: Array = np.sum(run.ranks.gather(run.environments.take_results()), axis=0)
    after = updated(run.config.curriculum.draw, state, results_K3)
    draw_by(run, after)
    return after, task_metrics(run, results_K3)


def draw_by(run: Training, state: CurriculumState) -> None:
    """Have new episodes drawn as this state says."""
    run.environments.block.weights[:] = weights(run.config.curriculum, state)


def task_metrics(run: Training, results_K3: Array) -> dict[str, float]:
    """Of each task how often it is drawn, and of those in which episodes have ended their share, score and return."""
    tasks, ended = run.config.curriculum.expanded(), results_K3[:, 0].sum()
    if len(tasks) == 1:
        return {}
    figures: dict[str, float] = {}
    for task, weight, (count, score, total) in zip(tasks, run.environments.block.weights, results_K3, strict=True):
        figures[f"curriculum/{task.name}/weight"] = float(weight)
        if ended:
            figures[f"curriculum/{task.name}/share"] = float(count / ended)
        if count:
            figures[f"curriculum/{task.name}/score"] = float(score / count)
            figures[f"curriculum/{task.name}/return"] = float(total / count)
    return figures
