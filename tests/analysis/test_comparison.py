"""Arms, pairs and verdicts, from values and from real runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from scipy import stats
from test_hostile_runs import results, run
from test_results import command

import expiac
from expiac.analysis import frames, wording
from expiac.analysis.comparing import compare_results
from expiac.analysis.comparison import Comparison, compare
from expiac.analysis.results import Results
from expiac.analysis.runs import Run
from expiac.declare.metrics import Metric, MetricSettings
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, UsageError


def runs(values: Sequence[float], *, first_seed: int = 0, **settings: object) -> list[tuple[Run, float]]:
    """An arm of a run for each value."""
    return [(Run(f"job_{seed}", f"lab.job_{seed}.0a1b2c3d", 1, Status.SUCCEEDED, settings={**settings, "seed": seed}),
             value) for seed, value in enumerate(values, first_seed)]


def compared(*arms: list[tuple[Run, float]], direction: str = "max", by: Sequence[str] | None = None,
             baseline: str | None = None) -> Comparison:
    return compare([one for arm in arms for one in arm], by=by, direction=direction, baseline=baseline)


A, B = [1.0, 2.0, 3.0, 4.0, 5.0], [3.1, 4.3, 4.9, 6.2, 7.4]


def test_arms_are_what_differs_but_for_the_seed():
    found = compared(runs(A, lr=1, width=8), runs(B, lr=2, width=8))
    assert [(arm.name, dict(arm.settings), arm.values) for arm in found.arms] == [
        ("A", {"lr": 1}, tuple(A)), ("B", {"lr": 2}, tuple(B))]


def test_equal_seeds_are_pairs():
    """The test is that of the pairs, by scipy."""
    (one,) = compared(runs(A, lr=1), runs(B, lr=2)).differences
    assert (one.pairs, one.verdict) == (5, "better")
    assert one.p == pytest.approx(stats.ttest_rel(B, A).pvalue)


def test_other_seeds_are_no_pairs():
    (one,) = compared(runs(A, lr=1), runs(B, lr=2, first_seed=5)).differences
    assert one.pairs == 0
    assert one.p == pytest.approx(stats.ttest_ind(B, A, equal_var=False).pvalue)


@pytest.mark.parametrize(("direction", "verdict", "share"), [
    ("max", "better", 0.82), ("min", "worse", 0.18), ("", "higher", None)])
def test_the_direction_says_what_is_better(direction, verdict, share):
    (one,) = compared(runs(A, lr=1), runs(B, lr=2), direction=direction).differences
    assert one.verdict == verdict
    assert one.probability_of_improvement == (None if share is None else pytest.approx(share, abs=0.03))


def test_one_seed_tells_nothing():
    """Whatever the difference."""
    found = compared(runs([1.0], lr=1), runs([100.0], lr=2))
    (one,) = found.differences
    assert (one.verdict, one.p, one.interval, one.seeds_needed) == ("too few seeds", None, None, None)
    assert "fewer than 5 seeds" in found.notes[0]


def test_too_few_seeds_say_how_many_would_do():
    (one,) = compared(runs([1.0, 2.0, 3.0], lr=1), runs([2.0, 2.2, 3.6], lr=2, first_seed=9)).differences
    assert one.verdict == "unclear"
    assert one.seeds_needed is not None
    assert 10 < one.seeds_needed < 100


def test_above_two_arms_p_is_corrected():
    found = compared(runs(A, lr=1), runs(B, lr=2), runs([1.5, 1.9, 3.3, 4.4, 4.8], lr=3))
    raw, corrected = zip(*[(one.p, one.p_holm) for one in found.differences], strict=True)
    assert corrected[0] == pytest.approx(2 * raw[0])
    assert corrected[1] == pytest.approx(raw[1])


@pytest.mark.parametrize("baseline", ["B", "b", "lr=2", "lr=2.0", "optimizer.lr=2"])
def test_the_arms_are_compared_with_the_baseline(baseline):
    """The letters stay those of the table."""
    arms = [runs(values, **{"optimizer.lr": lr}) for lr, values in ((1, A), (2, B), (3, A))]
    found = compared(*arms, baseline=baseline)
    assert [(one.arm, one.baseline, one.verdict) for one in found.differences] == [
        ("A", "B", "worse"), ("C", "B", "worse")]
    assert frames.arms_table(found)["verdict"].to_list() == ["worse", None, "worse"]


@pytest.mark.parametrize(("baseline", "summary"), [
    ("C", "No such arm"), ("lr=5", "No such arm"), ("width=8", "Which arm?"), ("rate=1", "No such arm")])
def test_a_baseline_is_one_arm(baseline, summary):
    """Else the error says which there are."""
    arms = [runs(A, lr=1, width=8), runs(B, lr=2, width=8)]
    with pytest.raises(UsageError) as error:
        compared(*arms, by=["lr", "width"], baseline=baseline)
    assert (error.value.summary, error.value.hint) == (summary, "A: lr=1, width=8; B: lr=2, width=8")


def test_a_hint_of_arms_is_inert_and_short():
    with pytest.raises(UsageError) as caught:
        compared(runs(A, run="\x1b[31mtwo\nlines" * 40), runs(B, run="short"), baseline="Z")
    assert caught.value.hint.isprintable()
    assert len(caught.value.hint) < 300


def test_what_is_left_out_of_by_is_a_stratum():
    """The interval draws from each environment by itself."""
    easy, hard = [10.0, 10.1, 10.2], [0.0, 0.1, 0.2]
    found = compared(runs(easy, lr=1, env="easy"), runs(hard, lr=1, env="hard"), by=["lr"])
    (arm,) = found.arms
    assert arm.strata == (tuple(easy), tuple(hard))
    assert arm.interval is not None
    assert arm.interval[1] - arm.interval[0] < 1


# ---------------------------------------------------------------------------------------------------- the command

@pytest.mark.parametrize("width", [80, 120])
def test_the_command(applied, width):
    """The two arms of the runs, as they are, and in words."""
    lines = command("compare", "lab", width=width).splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "up to step 30" in text
    assert [line.split()[:5] for line in lines if line.startswith(("A ", "B "))][:2] == [
        ["A", "1", "2", "40.5", "40.5"], ["B", "2", "2", "50.5", "50.5"]]


def test_the_command_in_json(applied):
    document = json.loads(command("compare", "lab", "--json", "--at", "20", "--by", "LR"))
    assert [(arm["settings"], arm["mean"]) for arm in document["arms"]] == [
        ({"envs.LR": "1"}, 30.5), ({"envs.LR": "2"}, 40.5)]
    assert (document["step"], document["differences"][0]["pairs"]) == (20.0, 2)


# ---------------------------------------------------------------------------------------------------- in Python

def test_in_python(applied):
    """The arms, how they differ, and both as one table."""
    found = expiac.compare("lab", at=20, by=["LR"])
    assert [(arm.settings["envs.LR"], arm.mean) for arm in found.arms] == [("1", 30.5), ("2", 40.5)]
    assert [(one.arm, one.mean, one.pairs) for one in found.differences] == [("B", 10.0, 2)]
    assert found.to_polars().select("arm", "envs.LR", "n", "mean", "difference", "verdict").rows() == [
        ("A", "1", 2, 30.5, None, None), ("B", "2", 2, 40.5, 10.0, found.differences[0].verdict)]


def test_one_arm_is_said_to_be_one_for_what_makes_it_so(applied):
    """The runs of it may differ in other settings."""
    found = compare_results(expiac.results("lab"), by=["workdir"])
    assert wording.one_arm(found) == "There is one arm: all of these runs have the same workdir."


def test_a_run_that_cannot_be_read_is_in_the_notes(applied):
    """As what is left out of the comparison is."""
    results = expiac.results("lab")
    results.notes.append("lr_1_seed_0: cannot be read")
    assert compare_results(results).notes[0] == "lr_1_seed_0: cannot be read"


def logged(folder: Path, **lines: str) -> Results:
    """Runs by job, each with these lines in its file."""
    for job, text in lines.items():
        (folder / f"{job}.jsonl").write_text(text + "\n")
    return results(folder, *(run(job, folder / f"{job}.jsonl") for job in lines))


def test_a_run_without_a_value_up_to_the_step_is_told_from_one_that_diverged(tmp_path):
    found = compare_results(logged(tmp_path, early='{"step": 1, "loss": 3}', late='{"step": 10, "loss": 3}',
                                   diverged='{"step": 1, "loss": NaN}'))
    assert "late is left out: it has no loss up to step 1" in found.notes
    assert "diverged is left out: its loss is no finite number" in found.notes


@pytest.mark.parametrize(("show", "lines", "why"), [
    ((Metric("accuracy"),), {"a": "loss"}, "the runs of lab have logged no metric that [tool.expiac.metrics] shows"),
    ((), {"a": "loss", "b": "score"}, "the runs of lab have no metric in common"),
    ((), {}, "the runs of lab have logged no metric")])
def test_why_there_is_nothing_to_compare(tmp_path, show, lines, why):
    found = logged(tmp_path, **{job: f'{{"step": 1, "{metric}": 3}}' for job, metric in lines.items()})
    found.metrics = MetricSettings(show=show)
    with pytest.raises(ExpiacError) as caught:
        compare_results(found)
    assert (caught.value.detail, "--metric" in caught.value.hint) == (why, bool(lines))
