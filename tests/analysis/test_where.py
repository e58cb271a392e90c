"""The conditions of `--where`: what they say, what they hold for, and how their errors point at the place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expiac.analysis.keys import Keys
from expiac.analysis.listing import ListedRun
from expiac.analysis.matching import matching_runs
from expiac.analysis.runs import run_of
from expiac.analysis.sorting import sorted_runs
from expiac.analysis.where import Both, Compare, Condition, Either, Not, Word, comparisons, parse_condition
from expiac.state.events import Approved
from expiac.state.events import Run as RunName
from expiac.state.model import Approval, Record
from expiac.state.status import Status
from expiac.util.errors import UsageError

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class KnownFigures:
    """Metrics that need no files."""

    notes = ()

    def __init__(self, known: dict[str, dict[str, float]]) -> None:
        self.known = known

    def read(self, runs: Any) -> None:
        pass

    def of(self, one: ListedRun) -> dict[str, float]:
        return self.known.get(one.run.job, {})


def listed(job: str, *, stack: str = "lab", status: Status = Status.SUCCEEDED, age: float = 0.0,
           settings: dict[str, Any] | None = None, user: str = "ada", **record: Any) -> ListedRun:
    known = Record(job, "job", "local", RunName(f"{stack}.{job}.0a1b2c3d", "f", 1, 1), {}, status=status,
                   at=(NOW - timedelta(days=age)).isoformat(), **record)
    approval = Approval(1, known.at, Approved(provenance={"user": user}))
    settings = settings or {}
    return ListedRun(stack, known, approval, replace(run_of(known), settings=settings), settings)


RUNS = [
    listed("a", settings={"trainer.lr": 0.001, "gpus": 4, "seed": 0}, seconds=30.0),
    listed("b", settings={"trainer.lr": 0.01, "gpus": 1, "seed": 1}, status=Status.FAILED, age=3, seconds=7300.0),
    listed("c", stack="other", settings={"envs.LR": "0.1", "tags": ["x", "y"], "amp": True, "optimizer.lr_decay": 1},
           age=10, user="bob", outputs={"cost": 2.5}),
]
FIGURES: Any = KnownFigures({"a": {"eval/reward": 3.0, "loss": float("nan")}, "b": {"eval/reward": 1.0}})
KEYS = Keys(RUNS, FIGURES, NOW)


def found(text: str) -> str:
    return "".join(one.run.job for one in matching_runs(text, RUNS, KEYS)[0])


@pytest.mark.parametrize(("text", "jobs"), [
    ("lr<0.005", "a"), ("lr<=1e-2", "ab"), ("trainer.lr=1e-3", "a"), ("trainer.lr!=0.001", "b"), ("LR>0.05", "c"),
    ("status=failed", "b"), ("status!=failed", "ac"), ("gpus>=4 or status=failed", "ab"),
    ("not status=failed", "ac"), ("not lr<1", "c"),
    ("status=failed or gpus=4 and lr>1", "b"), ("(status=failed or gpus=4) and lr>1", ""),
    ("stack=other", "c"), ("job~'[ab]'", "ab"), ("instance~.a.0", "a"), ("seed=1", "b"), ("user=bob", "c"),
    ("age>2d", "bc"), ("age<=3d and age>1h", "b"), ("launched>=2026-03-07", "ab"), ("launched<2026-03-07", "c"),
    ("launched=2026-03-07", "b"), ("launched<2026-03-10T11:00+00:00", "bc"),
    ("seconds>2h", "b"), ("seconds<31", "a"), ("cost>2", "c"), ("amp=true", "c"), ("amp=1", ""),
    ("""tags='["x","y"]'""", "c"), ("tags~x", "c"), ("reward>2", "a"), ("metrics.reward<2", "b"), ("loss<1", ""),
    ("settings.seed=0 AND NOT cost=1", "a"), ("archived=false", "abc"), ("user==ada", "ab"),
])
def test_what_a_condition_holds_for(text, jobs):
    assert found(text) == jobs


@pytest.mark.parametrize(("text", "column", "why"), [
    ("", 0, "a comparison is expected"), ("lr", 2, "is expected"), ("lr<", 3, "a value is expected"),
    ("lr<1 and", 8, "a comparison is expected"), ("lr<1 gpus=4", 5, "and, or, or the end"),
    ("(lr<1", 5, "a closing parenthesis"), ("lr<1)", 4, "and, or, or the end"), ("job='a", 4, "never closed"),
    ("lr ! 3", 3, "no sign of a condition"), ("and=1", 0, "a comparison is expected"),
    ("status=done", 7, "no status"), ("status<failed", 7, "= or !="), ("age>soon", 4, "no length of time"),
    ("launched>tomorrow", 9, "no date"), ("gpus>four", 5, "compares numbers"),
    ("gpus=1 and learning_rate<1", 11, "no run here has learning_rate"),
    ("(" * 60 + "lr<1" + ")" * 60, 50, "too deep"), (" or ".join(["lr<1"] * 300), 1600, "too long"),
])
def test_an_error_points_at_its_column(text, column, why):
    with pytest.raises(UsageError) as error:
        found(text)
    shown, pointer = error.value.detail.splitlines()
    assert (shown, pointer.index("^")) == (text, column)
    assert why in pointer


@pytest.mark.parametrize(("text", "summary", "hint"), [
    ("statis=failed", "Unknown key", "did you mean status?"), ("lrr<1", "Unknown key", "did you mean lr?"),
    ("status=suceeded", "Invalid condition", "did you mean succeeded?"),
    ("launched>2d", "Invalid condition", "age<2d, or launched>2026-01-31"),
])
def test_an_error_names_the_candidates(text, summary, hint):
    with pytest.raises(UsageError) as error:
        found(text)
    assert (error.value.summary, error.value.hint) == (summary, hint)


def test_an_end_of_several_keys_is_refused():
    """Both are named; the whole key path is understood."""
    runs = [listed("a", settings={"actor.lr": 1, "critic.lr": 2})]
    keys = Keys(runs, FIGURES, NOW)
    with pytest.raises(UsageError, match="Which setting") as error:
        matching_runs("lr=1", runs, keys)
    assert error.value.hint == "one of actor.lr, critic.lr"
    assert matching_runs("critic.lr=2", runs, keys)[0] == runs


def test_what_no_run_has_is_said():
    """A comparison with it is false, and so is its opposite by `!=`."""
    runs = [listed("a"), listed("b")]
    for text in ("cost>1", "cost!=1"):
        matched, notes = matching_runs(text, runs, Keys(runs, FIGURES, NOW))
        assert (matched, notes) == (
            [], ["no run here has a value of cost, so that every comparison with it is false"])


@pytest.mark.parametrize(("key", "jobs"), [
    ("lr", "abc"), ("-lr", "bac"), ("seconds", "abc"), ("-launched", "abc"), ("age", "abc"), ("reward", "bac"),
    ("status", "bac"), ("LR", "cab")])
def test_runs_are_sorted(key, jobs):
    """What has no value comes last."""
    assert "".join(one.run.job for one in sorted_runs(RUNS, key, KEYS)) == jobs


# ----------------------------------------------------------------------------------------------------- the grammar

words = st.text("abz.19_-*/", min_size=1, max_size=4).filter(lambda text: text.lower() not in ("and", "or", "not"))
leaves = st.builds(Compare, st.builds(Word, words, st.just(0)), st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]),
                   st.builds(Word, st.text(" ab()<='", max_size=4), st.just(0)))
conditions = st.recursive(leaves, lambda inner: st.one_of(
    st.builds(Not, inner), st.builds(Both, inner, inner), st.builds(Either, inner, inner)), max_leaves=8)


def written(condition: Condition) -> str:
    match condition:
        case Compare(key, operator, value):
            return f'{key.text}{operator}"{value.text}"'
        case Not(inner):
            return f"not ({written(inner)})"
        case Both(first, second):
            return f"({written(first)}) and ({written(second)})"
        case Either(first, second):
            return f"({written(first)}) or ({written(second)})"


@given(conditions)
def test_what_is_written_is_what_is_read(condition):
    read = parse_condition(written(condition))
    assert written(read) == written(condition)
    assert len(comparisons(read)) == len(comparisons(condition))


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    """Never another exception; what is read has a comparison."""
    try:
        condition = parse_condition(text)
    except UsageError:
        return
    assert comparisons(condition)


def test_without_runs_a_condition_is_read_all_the_same():
    """No key means anything then, and none is refused; what is no condition is."""
    assert matching_runs("lr<1", [], Keys([], FIGURES, NOW)) == ([], [])
    with pytest.raises(UsageError, match="Invalid condition"):
        matching_runs("lr<", [], Keys([], FIGURES, NOW))
