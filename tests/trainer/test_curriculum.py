"""How often each task is drawn, as a function of how well the policy does in it."""

import numpy as np
import pytest

from trainer.config import CurriculumConfig, DrawConfig
from trainer.curriculum import CurriculumState, learning_progress, reweight, updated, weights

NAMES = ("a", "b", "c")


def curriculum(**draw: object) -> CurriculumConfig:
    return CurriculumConfig(
        kind="navigation", width=8, height=8, altars=1, max_steps=5,
        tasks={name: {} for name in NAMES}, draw=DrawConfig(**draw),
    )  # fmt: skip


def after(config: CurriculumConfig, *scores: tuple[float, ...], episodes: int = 1) -> CurriculumState:
    """The state after updates in which every task had `episodes` episodes of these scores."""
    state = CurriculumState.initial(len(NAMES))
    for score_K in scores:
        results = np.array([[episodes, episodes * score, 0.0] for score in score_K])
        state = updated(config.draw, state, results)
    return state


def drawn(config: CurriculumConfig, state: CurriculumState) -> list[float]:
    return [round(float(weight), 6) for weight in weights(config, state)]


def test_at_random_all_come_alike_unless_weights_say_otherwise():
    state = CurriculumState.initial(3)
    assert drawn(curriculum(), state) == [round(1 / 3, 6)] * 3
    assert drawn(curriculum(weights={"b": 2.0}), state) == [0.25, 0.5, 0.25]


def test_the_average_moves_by_its_timescale():
    config = curriculum(timescale=0.1)
    assert after(config, (0.5, 0, 0)).score_K[0] == 0.5
    assert after(config, (0.5, 0, 0), (1.0, 0, 0)).score_K[0] == pytest.approx(0.55)
    two_at_once = updated(config.draw, after(config, (0.5, 0, 0)), np.array([[2, 2.0, 0], [0, 0, 0], [0, 0, 0]]))
    assert two_at_once.score_K[0] == pytest.approx(1 - 0.9**2 * 0.5)


def test_a_task_without_episodes_keeps_its_state():
    config = curriculum()
    state = after(config, (0.5, 0.5, 0.5))
    later = updated(config.draw, state, np.array([[1, 1.0, 0], [0, 0, 0], [0, 0, 0]]))
    assert later.score_K[0] > 0.5
    assert later.score_K[1:].tolist() == [0.5, 0.5]


def test_progressive_begins_with_the_first_task():
    config = curriculum(rule="progressive")
    assert drawn(config, CurriculumState.initial(3)) == [1, 0, 0]


def test_progressive_goes_on_when_a_task_is_mastered_and_rehearses():
    config = curriculum(rule="progressive", threshold=0.8, episodes=4, rehearsal=0.2)
    assert drawn(config, after(config, (0.9, 0.9, 0.9), episodes=3)) == [1, 0, 0]  # too few episodes
    assert drawn(config, after(config, (0.7, 0.9, 0.9), episodes=9)) == [1, 0, 0]  # too low a score
    second = after(config, (0.9, 0.9, 0.9), episodes=4)
    assert drawn(config, second) == [0.2, 0.8, 0]
    third = updated(config.draw, second, np.array([[4, 3.6, 0]] * 3))
    assert drawn(config, third) == [0.1, 0.1, 0.8]
    assert drawn(config, updated(config.draw, third, np.array([[9, 9, 0]] * 3))) == [0.1, 0.1, 0.8]  # the last one


def test_learning_progress_prefers_what_rises_or_falls():
    config = curriculum(rule="learning_progress", timescale=0.3)
    rising = after(config, *[(0.0, 0.0, 0.6)] * 2, *[(0.0, step / 10, 0.6) for step in range(6)])
    first, second, third = drawn(config, rising)
    assert second > 2 * first
    assert first == third
    falling = after(config, *[(0.0, 0.2, 0.6), (0.0, 0.9, 0.6)] * 3, *[(0.0, 0.2, 0.6)] * 2)
    assert drawn(config, falling)[1] > 2 * drawn(config, falling)[0]


def test_learning_progress_explores():
    config = curriculum(rule="learning_progress", exploration=0.3)
    rising = after(config, *[(0.0, step / 10, 0.0) for step in range(9)])
    assert min(drawn(config, rising)) >= 0.1


def test_learning_progress_tries_what_it_does_not_know():
    config = curriculum(rule="learning_progress")
    assert drawn(config, CurriculumState.initial(3)) == [round(1 / 3, 6)] * 3
    state = CurriculumState.initial(3)
    for score in (0.0, 0.3, 0.6):
        state = updated(config.draw, state, np.array([[5, 0, 0], [5, 5 * score, 0], [0, 0, 0]]))
    first, second, third = drawn(config, state)
    assert second == third > first


def test_progress_is_over_what_an_untrained_policy_scores():
    """A task that begins at 0.5 and stays there shows no progress, and one cannot begin above 0.75."""
    config = curriculum(rule="learning_progress", timescale=0.5)
    state = after(config, (0.5, 0.9, 0.0), (0.5, 0.9, 0.5))
    assert state.baseline_K.tolist() == [0.5, 0.75, 0.0]
    assert learning_progress(config.draw, state)[0] == 0
    assert learning_progress(config.draw, state)[2] > 0.1


def test_low_scores_are_stretched():
    assert reweight(np.array([0.0, 0.1, 1.0]), 0.1) == pytest.approx([0.0, 0.5, 1.0])


def test_a_state_survives_a_checkpoint():
    config = curriculum(rule="progressive", episodes=1)
    state = after(config, (0.9, 0.5, 0.1))
    again = CurriculumState.from_dict(state.to_dict(), 3)
    assert (again.stage, again.begun) == (state.stage, state.begun) == (1, 1.0)
    assert (weights(config, again) == weights(config, state)).all()
    assert CurriculumState.from_dict(state.to_dict(), 2).stage == 0  # of other tasks
