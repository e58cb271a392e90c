"""From how well a policy does in each task to how often each task is drawn. Pure functions of values.

The rules: at random; progressive, one task after the other as each is mastered; and bidirectional learning progress,
which prefers the tasks whose score rises or falls (Kanitscheider et al. 2021, arXiv:2106.14876). Shapes are in the
names: K tasks. Every rank computes the same, from the results of all.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trainer.curriculum_config import CurriculumConfig
from trainer.task_config import DrawConfig, DrawRule

Array = NDArray[np.float64]
HIGHEST_BASELINE = 0.75  # of an untrained policy; a task that begins above it is nearly mastered
QUANTILE = 0.9  # of learning progress, at which a task is drawn half as often as at most


@dataclass(frozen=True)
class CurriculumState:
    """What is known of every task. NaN where no episode has ended."""

    episodes_K: Array
    """Episodes that ended."""
    score_K: Array
    """Moving average of the score, from 0 to 1."""
    baseline_K: Array
    """The score when the task was first measured."""
    slow_K: Array
    """A slower moving average of the score."""
    stage: int = 0
    """For the progressive rule: the task that is being learned."""
    begun: float = 0.0
    """For the progressive rule: how many episodes of it had ended before."""

    @classmethod
    def initial(cls, tasks: int) -> Self:
        """Nothing is known."""
        unknown_K = np.full(tasks, np.nan)
        return cls(episodes_K=np.zeros(tasks), score_K=unknown_K, baseline_K=unknown_K, slow_K=unknown_K)

    def to_dict(self) -> dict[str, Any]:
        """As lists and plain numbers, for a checkpoint."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any], tasks: int) -> Self:
        """The state that `to_dict` gave; nothing is known where it is of another number of tasks, or empty."""
        if len(saved.get("score_K", ())) != tasks:
            return cls.initial(tasks)
        values: dict[str, Any] = {n: np.array(v) if isinstance(v, list) else v for n, v in saved.items()}
        return cls(**values)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def first_weights(config: CurriculumConfig) -> Array:
    """The weights before anything is known."""
    return weights(config, CurriculumState.initial(len(config.expanded())))


def weights(config: CurriculumConfig, state: CurriculumState) -> Array:
    """How often each task is drawn (K); they add up to 1."""
    match config.draw.rule:
        case DrawRule.random:
            given = config.draw.weights
            weight_K = np.array([given.get(task.name, 1.0) for task in config.expanded()])
        case DrawRule.progressive:
            weight_K = progressive_weights(config.draw, state)
        case DrawRule.learning_progress:
            weight_K = learning_progress_weights(config.draw, state)
    shares_K: Array = weight_K / weight_K.sum()
    return shares_K


def updated(draw: DrawConfig, state: CurriculumState, results_K3: Array) -> CurriculumState:
    """The state after some more episodes: of each task their number, and the sums of their scores and returns."""
    count_K, score_K = results_K3[:, 0], results_K3[:, 1] / np.maximum(1, results_K3[:, 0])
    is_new_K = np.isnan(state.score_K) & (count_K > 0)
    after = replace(
        state,
        episodes_K=state.episodes_K + count_K,
        score_K=_average(state.score_K, score_K, count_K, draw.timescale),
        slow_K=_average(state.slow_K, score_K, count_K, draw.timescale * draw.slow_factor),
        baseline_K=np.where(is_new_K, np.minimum(score_K, HIGHEST_BASELINE), state.baseline_K),
    )
    return _next_stage(draw, after) if draw.rule is DrawRule.progressive else after


def progressive_weights(draw: DrawConfig, state: CurriculumState) -> Array:
    """The task that is being learned, and a share for those before it, so that they are not forgotten."""
    weight_K = np.zeros(len(state.score_K))
    weight_K[: state.stage] = draw.rehearsal / max(1, state.stage)
    weight_K[state.stage] = 1 - draw.rehearsal if state.stage else 1.0
    return weight_K


def learning_progress_weights(draw: DrawConfig, state: CurriculumState) -> Array:
    """A sigmoid of each task's standardized learning progress, and a share for all alike.

    A task in which no episode has ended counts as one of much progress.
    """
    uniform_K = np.full(len(state.score_K), 1 / len(state.score_K))
    progress_K = learning_progress(draw, state)
    known_K = ~np.isnan(progress_K)
    if not known_K.any() or not (deviation := progress_K[known_K].std()):
        return uniform_K
    standard_K = np.zeros_like(progress_K)
    standard_K[known_K] = (progress_K[known_K] - progress_K[known_K].mean()) / deviation
    standard_K[~known_K] = standard_K[known_K].max()
    chosen_K = 1 / (1 + np.exp(np.quantile(standard_K, QUANTILE) - standard_K))
    shares_K: Array = (1 - draw.exploration) * chosen_K / chosen_K.sum() + draw.exploration * uniform_K
    return shares_K


def learning_progress(draw: DrawConfig, state: CurriculumState) -> Array:
    """How far apart the two averages of a task's score are (K), both over what an untrained policy scores."""
    averages = state.score_K, state.slow_K
    fast_K, slow_K = (np.clip((a_K - state.baseline_K) / (1 - state.baseline_K), 0, 1) for a_K in averages)
    return np.abs(reweight(fast_K, draw.smoothing) - reweight(slow_K, draw.smoothing))


def reweight(score_K: Array, smoothing: float) -> Array:
    """Stretches low scores: at 0.1 a rise from 0 to 0.1 becomes one from 0 to 0.5."""
    return (1 - smoothing) * score_K / np.maximum(score_K + smoothing * (1 - 2 * score_K), 1e-12)


def _average(average_K: Array, score_K: Array, count_K: Array, rate: float) -> Array:
    """The moving average after `count` episodes of this mean score; the order of those does not matter."""
    started_K = np.where(np.isnan(average_K), score_K, average_K)
    moved_K = score_K + (1 - rate) ** count_K * (started_K - score_K)
    return np.where(count_K > 0, moved_K, average_K)


def _next_stage(draw: DrawConfig, state: CurriculumState) -> CurriculumState:
    """The next task, if the current one is mastered."""
    enough = state.episodes_K[state.stage] - state.begun >= draw.episodes
    is_last = state.stage == len(state.score_K) - 1
    if is_last or not enough or not state.score_K[state.stage] >= draw.threshold:
        return state
    stage = state.stage + 1
    return replace(state, stage=stage, begun=float(state.episodes_K[stage]))
