"""Sweeps: which trials there are, what they are called, and what each of them is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from expiac import (
    Choice,
    Component,
    ExpiacError,
    Grid,
    IntUniform,
    Job,
    Options,
    Random,
    Search,
    Stack,
    Sweep,
    TrainingJob,
    TrainingRunConfig,
    Uniform,
    Zip,
)
from expiac.declare.trials import Trial, trials_of
from trainer.config import TrainerConfig

RATE = "training.trainer.optimizer.learning_rate"
JOB = TrainingJob("train", training=TrainingRunConfig(curriculum="a/b", trainer=TrainerConfig(total_timesteps=1000)))


def _names(over: object) -> list[str]:
    return [trial.name for trial in trials_of(over)]  # type: ignore[arg-type]


def test_a_grid_has_a_job_for_each_combination() -> None:
    sweep = Sweep("lr", JOB, over={RATE: [1e-4, 3e-4], "training.seed": range(2)})
    assert [job.name for job in sweep.resources] == [
        "lr/learning_rate_0_0001-seed_0", "lr/learning_rate_0_0001-seed_1",
        "lr/learning_rate_0_0003-seed_0", "lr/learning_rate_0_0003-seed_1"]
    last = sweep.resources[-1].inputs()["config"]
    assert (last["optimizer"]["learning_rate"], last["seed"], last["total_timesteps"]) == (3e-4, 1, 1000)


def test_the_job_itself_stays_as_it_is() -> None:
    before = JOB.inputs()
    Sweep("lr", JOB, over={RATE: [1e-4, 3e-4]})
    assert JOB.inputs() == before


def test_a_key_may_be_short() -> None:
    long, short = (Sweep("lr", JOB, over={key: [1e-4]}).resources for key in (RATE, "learning_rate"))
    assert long == short


def test_a_budget_is_kept_wherever_the_sweep_stands() -> None:
    sweep = Sweep("lr", JOB, over={RATE: [1e-4]}, budget=5, gpu_hours=1.5)
    (found,) = Stack("lab", [Component("both", [sweep])]).sweeps
    assert (found.name, found.budget, found.gpu_hours) == ("both/lr", 5, 1.5)


def test_a_search_has_the_budget_and_not_its_sweep() -> None:
    search = _search(budget=5.0, gpu_hours=1.5)
    found = Sweep("lr", JOB, search, metric="loss")
    assert (found.budget, found.gpu_hours) == (5, 1.5)
    with pytest.raises(ExpiacError, match=r"Search\(…, budget=7\)") as raised:
        Sweep("lr", JOB, search, metric="loss", budget=7)
    assert raised.value.summary == "Invalid sweep"


@pytest.mark.parametrize("limits", [{"budget": 0}, {"gpu_hours": -1}, {"budget": "much"}])
def test_a_budget_is_a_number_above_nothing(limits: dict[str, Any]) -> None:
    """As a search refuses it."""
    messages = []
    for make in (lambda: Sweep("lr", JOB, over={RATE: [1e-4]}, **limits), lambda: _search(**limits)):
        with pytest.raises(ValidationError) as raised:
            make()
        messages.append([(error["loc"], error["msg"]) for error in raised.value.errors()])
    assert messages[0] == messages[1]


def test_zip_and_lists_and_seeds() -> None:
    assert _names(Zip({"a": [1, 2], "b": ["x", "y"]})) == ["a_1-b_x", "a_2-b_y"]
    assert _names([{"a": 1}, {"b": "x"}, {}]) == ["a_1", "b_x", "as_declared"]
    assert [trial.name for trial in trials_of({"a": [1]}, seeds=2)] == ["a_1-seed_0", "a_1-seed_1"]


def test_the_same_keys_with_a_common_last_name_are_told_apart() -> None:
    assert _names([{"actor.lr": 1, "critic.lr": 2}]) == ["actor_lr_1-critic_lr_2"]


values = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=40), st.booleans(), st.none(),
                   st.lists(st.integers(), max_size=3))


@given(st.lists(values, min_size=1, max_size=8, unique_by=lambda value: (type(value).__name__, repr(value))),
       st.data())
def test_no_value_changes_the_name_of_another(some: list[object], data: st.DataObject) -> None:
    """Each value has the name that it has alone, and each name can stand in a stack."""
    alone = {repr(value): _names([{"x": value}])[0] for value in some}
    chosen = data.draw(st.permutations(some))
    if len(set(alone.values())) < len(alone):
        with pytest.raises(ExpiacError, match="Duplicate trial"):
            _names({"x": chosen})
        return
    together = _names({"x": chosen})
    assert together == [alone[repr(value)] for value in chosen]
    Stack("s", [Job(name, run="true") for name in dict.fromkeys(together)])


def test_random_trials_stay_when_there_are_more_of_them_or_of_keys() -> None:
    few = trials_of(Random(3, {"lr": Uniform(1e-5, 1e-1, log=True), "n": IntUniform(1, 4)}))
    more = trials_of(Random(9, {"lr": Uniform(1e-5, 1e-1, log=True), "n": IntUniform(1, 4), "agent": ["a", "b"]}))
    assert [trial.name for trial in few] == ["random_0", "random_1", "random_2"]
    for before, after in zip(few, more, strict=False):
        assert before.values.items() <= after.values.items()
    assert len({trial.values["lr"] for trial in more}) == 9
    assert trials_of(Random(3, {"lr": Uniform(0, 1)}, seed=1)) != trials_of(Random(3, {"lr": Uniform(0, 1)}))


@given(st.integers(0, 2**32))
def test_what_is_drawn_lies_in_the_range(seed: int) -> None:
    import random

    source = random.Random(seed)
    assert 1e-5 <= Uniform(1e-5, 1e-1, log=True).draw(source) <= 1e-1
    assert -2 <= Uniform(-2, 3).draw(source) <= 3
    assert 1 <= IntUniform(1, 8, log=True).draw(source) <= 8
    assert IntUniform(-1, 1).draw(source) in (-1, 0, 1)
    assert Choice(("a", 2)).draw(source) in ("a", 2)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Sweep("s", JOB, over={"learning_rat": [1]}), "learning_rate"),
    (lambda: Sweep("s", JOB, over={RATE: [-1]}), "trial learning_rate_minus_1.*greater than 0"),
    (lambda: Sweep("s", JOB, over={RATE: "ab"}), "is no list"),
    (lambda: Sweep("s", JOB, over={RATE: []}), "no values"),
    (lambda: Sweep("s", JOB, over={}), "no setting"),
    (lambda: Sweep("s", JOB, over={RATE: [1e-3, 1e-3]}), "Duplicate trial"),
    (lambda: Sweep("s", JOB, over={RATE: [1e-3]}, goal="best"), "maximize or minimize"),  # type: ignore[arg-type]
    (lambda: Sweep("s", "job", over={RATE: [1e-3]}), "not of str"),  # type: ignore[arg-type]
    (lambda: Sweep("s", JOB, over={RATE: [1e-3]}, seeds=0), "at least one"),
    (lambda: Zip({"a": [1], "b": [1, 2]}), "b has 2"),
    (lambda: Grid({"a": 3}), "is no list"),  # type: ignore[dict-item]
    (lambda: Random(0, {"a": [1]}), "0 random trials"),
    (lambda: Random(1, {"a": 3}), "is no distribution"),
    (lambda: Uniform(2, 1), "above high"),
    (lambda: Uniform(0, 1, log=True), "begins above 0"),
])
def test_mistakes_are_named(make: object, message: str) -> None:
    with pytest.raises((ExpiacError, ValueError), match=f"(?s){message}"):
        make()  # type: ignore[operator]


def test_numbers_are_read_as_on_the_command_line() -> None:
    """A number in the place of a text is written as one, so that an environment variable can be swept."""
    from expiac import SkypilotJobConfig

    job = Job("train", run="echo $LR", skypilot=SkypilotJobConfig(envs={"LR": "0.1"}))
    sweep = Sweep("lr", job, over={"LR": [0.1, 1e-05]})
    assert [one.inputs()["envs"] for one in sweep.resources] == [{"LR": "0.1"}, {"LR": "1e-05"}]


def _search(**how: object) -> Search:
    return Search(trials=2, space={RATE: Uniform(1e-4, 1e-2, log=True)}, **how)  # type: ignore[arg-type]


def test_a_search_may_need_a_component() -> None:
    prep = Component("prep", [Job("a", run="true"), Job("b", run="true")])
    sweep = Sweep("lr", JOB, _search(), metric="score", depends_on=("prep",))
    stack = Stack("lab", [prep, sweep]).with_trials({"lr": [Trial("trial_0", {RATE: 1e-3})]})
    assert stack.resources[-1].depends_on == ("prep/a", "prep/b")


def test_trials_of_a_renamed_search_have_their_old_names() -> None:
    sweep = Sweep("rate", JOB, _search(), metric="score", options=Options(aliases=("lr",)))
    stack = Stack("lab", [sweep]).with_trials({"rate": [Trial("trial_7", {RATE: 1e-3})]})
    assert stack.resources[0].options.aliases == ("lr/trial_7",)


def test_no_pruner_goes_by_several_metrics() -> None:
    with pytest.raises(ExpiacError, match="no pruner"):
        Sweep("lr", JOB, _search(pruner="median"), metric={"a": "maximize", "b": "minimize"})


def test_a_choice_comes_back_from_how_the_state_has_it() -> None:
    search = Search(trials=1, space={"betas": [(0.9, 0.99), (0.8, 0.9)], "agent": ["a"], "n": [1, True]})
    assert search.values_of({"betas": [0.8, 0.9], "agent": "a", "n": True}) == {
        "betas": (0.8, 0.9), "agent": "a", "n": True}
    assert type(search.values_of({"n": 1})["n"]) is int
