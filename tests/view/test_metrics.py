"""Which metrics a table shows: those that the project names, else those that its runs share."""

from __future__ import annotations

import pytest

from expiac.apply.events import Progress, ResourceStatus
from expiac.cli import tables
from expiac.declare.metrics import Metric, MetricSettings
from expiac.state.status import Status
from expiac.view import metrics

NONE = MetricSettings()
ACCURACY = Metric("val/acc", label="accuracy", format=".1%", direction="max")


def progress(**values: float) -> Progress:
    newest = {name.replace("__", "/"): value for name, value in values.items()}
    return Progress(10, 20, 1.0, newest, {name: value / 2 for name, value in newest.items()})


def names(*runs: Progress | None, settings: MetricSettings = NONE) -> list[str]:
    return [metric.name for metric in metrics.columns(settings, runs)]


def test_what_the_project_names_in_its_order() -> None:
    settings = MetricSettings(show=(ACCURACY, Metric("loss"), Metric("never")))
    assert names(progress(loss=1.0, val__acc=0.5, other=3), settings=settings) == ["val/acc", "loss"]


def test_evaluations_come_first_and_speeds_last() -> None:
    """Training and evaluation figures are told apart by their names."""
    run = progress(lr=0.1, loss=1.0, val__loss=1.1, fps=30, grad_norm=2, width=4)
    assert names(run) == ["val/loss", "loss", "width"]


def test_only_what_all_runs_share() -> None:
    assert names(progress(loss=1.0, reward=2.0), None, progress(loss=0.5)) == ["loss"]


@pytest.mark.parametrize("runs", [(), (None,), (Progress(5),)])
def test_runs_without_metrics_have_no_columns(runs: tuple[Progress | None, ...]) -> None:
    assert names(*runs) == []


def test_a_value_in_its_format() -> None:
    run = progress(val__acc=0.912)
    assert (metrics.value(ACCURACY, run), metrics.first_and_last(ACCURACY, run)) == ("91.2%", "45.6% → 91.2%")
    assert metrics.line((ACCURACY, Metric("loss")), run) == "accuracy 91.2%"
    assert metrics.value(ACCURACY, None) == ""


def test_one_value_is_no_development() -> None:
    """Before the first step there has been one evaluation only."""
    assert metrics.first_and_last(ACCURACY, Progress(0, 20, 0.0, {"val/acc": 0.5}, {"val/acc": 0.5})) == "50.0%"


def test_a_table_of_shell_jobs_has_no_figures() -> None:
    resource = ResourceStatus("hello", "lab.hello.0a1b2c3d", "local", Status.SUCCEEDED)
    headers = [column.header for column in tables.statuses([resource], MetricSettings(step="samples")).columns]
    assert headers == ["job", "status", "time", "instance"]


def test_a_table_has_the_unit_of_the_project() -> None:
    resource = ResourceStatus("fit", "lab.fit.0a1b2c3d", "local", Status.RUNNING, progress=progress(loss=1.0))
    headers = [column.header for column in tables.results([resource], MetricSettings(step="epochs")).columns]
    assert headers == ["job", "status", "epochs", "loss", "time"]


@pytest.mark.parametrize("text", [".2q", "{}", "s"])
def test_a_format_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not format a number"):
        Metric("loss", format=text)
