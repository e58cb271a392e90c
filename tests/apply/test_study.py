"""What Optuna is asked, with the study made anew for each question."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from expiac import Choice, ExpiacError, IntUniform, Search, Uniform
from expiac.apply.search.study import FAILED, LIVE, Past, Study, Verdicts
from expiac.state.facts import COMPLETE, PRUNED

SPACE = {"x": Uniform(0, 1), "y": Uniform(1e-3, 1, log=True), "n": IntUniform(1, 4), "agent": Choice(("a", "b"))}
NUMBERS = {"x": Uniform(0, 1), "y": Uniform(0, 1)}


def _study(space: Mapping[str, Any] = SPACE, **how: Any) -> Study:
    return Study("lr", Search(trials=50, space=space, **how), ["minimize"])


def _error(values: Mapping[str, float]) -> float:
    return (values["x"] - 0.3) ** 2 + (values["y"] - 0.7) ** 2


def _run(trials: int, **how: Any) -> list[Past]:
    """Trials one after the other, each proposed by a study of its own."""
    past: list[Past] = []
    for number in range(trials):
        (made,) = _study(NUMBERS, **how).propose(past, [number])
        past.append(Past(number, made.values, COMPLETE, (_error(made.values),), made.sampler))
    return past


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "nsga2", "random", "TPESampler"])
def test_the_same_past_gives_the_same_proposal(sampler: str) -> None:
    first, second = (_run(12, sampler=sampler) for _ in range(2))
    assert first == second
    assert len({tuple(one.values.items()) for one in first}) == 12
    assert first != _run(12, sampler=sampler, seed=1)


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_it_learns_from_results(sampler: str) -> None:
    """The last ten of sixty lie nearer than the first ten, on average, and the best is near."""
    errors = [one.results[0] for one in _run(60, sampler=sampler)]
    assert sum(errors[-10:]) < sum(errors[:10]) / 4
    assert min(errors) < 0.005


def test_proposals_made_together_differ() -> None:
    past = [Past(number, {"x": 0.1 * number, "y": 0.5, "n": 2, "agent": "a"}, COMPLETE, (0.1 * number,))
            for number in range(10)]
    made = _study().propose(past, [10, 11, 12])
    assert [one.number for one in made] == [10, 11, 12]
    assert len({one.values["x"] for one in made}) == 3
    one_by_one = list(past)
    for expected in made:
        (again,) = _study().propose(one_by_one, [expected.number])
        assert again == expected
        one_by_one.append(Past(again.number, again.values, LIVE, sampler=again.sampler))


def test_several_metrics() -> None:
    study = Study("lr", Search(trials=9, space=NUMBERS, sampler="nsga2"), ["maximize", "minimize"])
    past = [Past(0, {"x": 0.1, "y": 0.2}, COMPLETE, (1.0, 2.0)), Past(1, {"x": 0.3, "y": 0.2}, FAILED)]
    assert study.propose(past, [2])[0].values.keys() == NUMBERS.keys()


def test_a_trial_outside_the_present_space_is_left_out() -> None:
    """A space that was narrowed, and a setting that was added, do not end the search."""
    past = [Past(0, {"x": 7.0, "y": 0.5}, COMPLETE, (1.0,)), Past(1, {"x": 0.5}, COMPLETE, (1.0,))]
    with_them, without = (_study(NUMBERS).propose(some, [2]) for some in (past, []))
    assert with_them == without


def _curves(*ends: float, state: str = COMPLETE) -> list[Past]:
    return [Past(number, {"x": 0.1 * number, "y": 0.5}, state, (end,), curve=dict.fromkeys(range(1, 11), end))
            for number, end in enumerate(ends)]


@pytest.mark.parametrize(("pruner", "options"), [("median", {"n_startup_trials": 3}),
                                                 ("halving", {"min_resource": 1, "reduction_factor": 2}),
                                                 ("percentile", {"n_startup_trials": 3})])
def test_what_is_behind_ends_early(pruner: str, options: Mapping[str, Any]) -> None:
    study = _study(NUMBERS, pruner=pruner, pruner_options=options)
    past = [*_curves(1, 2, 3, 4), Past(8, {"x": 0.5, "y": 0.5}, LIVE, curve={1: 9.0, 2: 9.0}),
            Past(9, {"x": 0.5, "y": 0.5}, LIVE, curve={1: 0.5, 2: 0.5}), Past(10, {"x": 0.5, "y": 0.5}, LIVE)]
    assert study.losing(past) == {8}
    assert _study(NUMBERS).losing(past) == set()


@pytest.mark.parametrize(("pruner", "options"), [
    ("median", {"n_startup_trials": 2}), ("median", {"n_startup_trials": 2, "n_warmup_steps": 2, "interval_steps": 3}),
    ("percentile", {"n_startup_trials": 2, "n_min_trials": 3}), ("threshold", {"upper": 0.7})])
def test_the_last_answer_about_a_live_trial_is_enough(pruner: str, options: Mapping[str, Any],
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """A pruner that keeps nothing says the same where it is asked at every check of every trial."""
    draw, found = random.Random(0), set[int]()
    for _ in range(20):
        past = [Past(number, {"x": draw.random(), "y": draw.random()}, state, (0.5,) if state == COMPLETE else (),
                     curve={check: draw.random() for check in range(1, draw.randint(2, 8))})
                for number, state in enumerate([COMPLETE] * 6 + [PRUNED, FAILED] + [LIVE] * 4)]
        study = _study(NUMBERS, pruner=pruner, pruner_options=options)
        losing = study.losing(past)
        with monkeypatch.context() as asked_always:
            asked_always.setattr("expiac.apply.search.study._STATELESS", ())
            assert losing == study.losing(past)
        found |= losing
    assert found


def test_pruned_trials_count_for_proposals_and_pruners() -> None:
    study = _study(NUMBERS, pruner="median", pruner_options={"n_startup_trials": 1})
    past = [*_curves(1, state=PRUNED), Past(8, {"x": 0.5, "y": 0.5}, LIVE, curve={1: 9.0})]
    assert study.losing(past) == set()  # no complete trial to compare with
    good = _run(12)
    lost = [Past(number + 12, {"x": 0.3, "y": 0.7}, PRUNED, (99.0,)) for number in range(8)]
    assert study.propose([*good, *lost], [20]) != study.propose(good, [20])


@pytest.mark.parametrize(("how", "message"), [
    ({"sampler": "tpee"}, "tpe"), ({"sampler": "QMCSampler"}, "none of Optuna's"), ({"sampler": "os"}, "none of"),
    ({"sampler_options": {"colour": 1}}, "colour"),
])
def test_what_optuna_does_not_know(how: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ExpiacError, match=message):
        _study(NUMBERS, **how).propose([], [0])


def test_an_unknown_pruner() -> None:
    with pytest.raises(ExpiacError, match="none of Optuna's"):
        _study(NUMBERS, pruner="axe").losing([Past(8, {"x": 0.5, "y": 0.5}, LIVE, curve={1: 9.0})])


def test_a_pruner_on_rungs_is_right_between_them_too() -> None:
    """What it said at a check stands, wherever the trial is now; and the answer does not change from look to look."""
    losing = dict.fromkeys(range(1, 6), 9.0)
    past = [*_curves(1, 2, 3, 4), Past(8, {"x": 0.5, "y": 0.5}, LIVE, curve=losing)]
    for pruner, options in (("halving", {"min_resource": 1, "reduction_factor": 3}), ("hyperband", {})):
        answers = [_study(NUMBERS, pruner=pruner, pruner_options=options).losing(past) for _ in range(3)]
        assert answers[0] == answers[1] == answers[2]
        assert pruner == "hyperband" or answers[0] == {8}


@pytest.mark.parametrize("seed", [-1, 0, 123_456, 2**40])
def test_any_seed(seed: int) -> None:
    assert _study(NUMBERS, seed=seed).propose([], [0])


def test_what_optuna_raises_later_is_an_error_too() -> None:
    with pytest.raises(ExpiacError, match="Optuna"):
        Study("lr", Search(trials=9, space=NUMBERS, sampler="cmaes"), ["maximize", "minimize"]).propose(
            [Past(number, {"x": 0.1, "y": 0.1 * number}, COMPLETE, (1.0, 2.0)) for number in range(3)], [3])


class _Counting(Study):
    """How often Optuna is asked."""

    asked = 0

    def losing(self, past: Sequence[Past]) -> set[int]:
        self.asked += 1
        return super().losing(past)


def test_optuna_is_asked_again_only_where_something_is_new() -> None:
    """A check, a trial, or the end of one; and what it says is what a study that is asked each time says."""
    study = _Counting("lr", Search(trials=50, space=NUMBERS, pruner="median", checks=3), ["minimize"])
    ended = [Past(number, {"x": 0.1, "y": 0.2}, COMPLETE, (0.1,), curve={1: 0.1, 2: 0.1}) for number in range(6)]
    live = Past(6, {"x": 0.9, "y": 0.9}, LIVE, curve={1: 0.05})
    behind = replace(live, curve={1: 9.0, 2: 9.0})
    looks = [[*ended, live], [*ended, live], [*ended, behind], [*ended, behind], [*ended, live],
             [*ended[:5], replace(ended[5], state=FAILED, results=()), behind], [], [*ended, behind]]
    verdicts = Verdicts()
    assert [verdicts.of(study, past) for past in looks] == [_study(NUMBERS, pruner="median", checks=3).losing(past)
                                                            for past in looks]
    assert study.asked == len(looks) - 2
    assert verdicts.of(study, [*ended, behind]) == {6}
