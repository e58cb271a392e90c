"""What is expected of a run's metrics: real processes on this machine, judged where their end is first seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from expiac.apply.events import ProgressEvent, ResourceStatus, Result
from expiac.declare.project import find_project
from expiac.plan.planner import PlanOptions
from expiac.session import Session
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

ROOT = Path(__file__).parents[2]
STACK = """
from dataclasses import field
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    expect: dict[str, str] = field(default_factory=dict)
    row: str = '{"step": 1, "hearts": 9.5}'

HERE = SkypilotJobConfig(gpus=0, workdir=None)

def stack(config: Lab) -> Stack:
    train = Job("train", run=f"echo '{config.row}' >> metrics.jsonl", outputs={"metrics": "metrics.jsonl"},
                expect=config.expect, skypilot=HERE)
    return Stack(config.name, [train, Job("report", run="true", depends_on=("train",), skypilot=HERE)])
"""


class Lab:
    """A project with a run that logs a metric and a job that waits for it; one session per command."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pyproject.toml").write_text("[tool.expiac]\n")
        (root / "stacks").mkdir()
        (root / "stacks" / "lab.py").write_text(STACK)
        shutil.copytree(ROOT / "templates", root / "templates")

    def open(self, expect: str, *overrides: str) -> Session:
        return Session.open("lab", [f"expect={expect}", *overrides], reporter=self, project=find_project(self.root))

    def apply(self, expect: str, *overrides: str, wait: bool = True, **options: object) -> Result:
        with self.open(expect, *overrides) as session:
            return session.apply(session.plan(options=PlanOptions(**options)), wait=wait, timeout=120)

    def refresh(self) -> dict[str, ResourceStatus]:
        with Session.open("lab", reporter=self, declared=False, project=find_project(self.root)) as session:
            return {seen.address: seen for seen in session.refresh()}

    def metrics_file(self) -> Path:
        (file,) = (self.root / ".expiac").rglob("metrics.jsonl")
        return file

    def on_event(self, event: ProgressEvent) -> None:
        """Nothing."""


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


def test_a_run_that_meets_its_bounds_succeeds_and_releases_what_waits(lab):
    """The last value counts."""
    assert lab.apply('{"hearts": ">= 9.5"}').is_well
    assert {name: seen.status for name, seen in lab.refresh().items()} == {
        "train": Status.SUCCEEDED, "report": Status.SUCCEEDED}


@pytest.mark.parametrize(("expect", "detail"), [
    ('{"hearts": ">= 12"}', "expected hearts >= 12, but it is 9.5"),
    ('{"hearts": "< 3", "deaths": "== 0"}',
     "expected hearts < 3, but it is 9.5; expected deaths == 0, which is not among its metrics"),
])
def test_a_run_that_misses_a_bound_has_failed_and_releases_nothing(lab, expect, detail):
    """Its command ended with exit code 0."""
    result = lab.apply(expect)
    assert not result.is_well
    assert [step.address for step in result.skipped] == ["report"]
    seen = lab.refresh()
    assert (seen["train"].status, seen["train"].detail) == (Status.FAILED, detail)
    assert "report" not in seen


def test_a_judgement_stands(lab):
    """Whatever becomes of the metrics file."""
    lab.apply('{"hearts": ">= 12"}')
    lab.metrics_file().write_text('{"step": 2, "hearts": 20}\n')
    assert lab.refresh()["train"].status is Status.FAILED
    with lab.open('{"hearts": ">= 12"}') as session:
        assert [step.action.glyph for step in session.plan().steps] == ["=", "+"]


def test_metrics_that_could_not_be_read_are_judged_once_they_can_be(lab):
    """A missing file tells nothing of the run."""
    lab.apply('{"hearts": ">= 12"}', "row=", wait=True)
    file = lab.metrics_file()
    assert f"no metrics can be read at {file}" in lab.refresh()["train"].detail
    file.write_text('{"step": 2, "hearts": 20}\n')
    assert lab.refresh()["train"].status is Status.SUCCEEDED
    file.unlink()
    assert lab.refresh()["train"].status is Status.SUCCEEDED


def test_other_bounds_make_no_new_run_and_judge_a_finished_one_anew(lab):
    """By the values of its end; what waits goes on then, and never before."""
    lab.apply('{"hearts": ">= 12"}')
    with lab.open('{"hearts": ">= 9"}') as session:
        train, report = session.plan().steps
        assert (train.action.glyph, [change.path for change in train.changes]) == ("~", ["options.expect"])
        assert report.deferred
    lab.metrics_file().unlink()
    assert lab.apply('{"hearts": ">= 9"}').is_well
    assert [seen.status for seen in lab.refresh().values()] == [Status.SUCCEEDED, Status.SUCCEEDED]
    assert [seen.launch for seen in lab.refresh().values()] == [1, 1]


def test_narrower_bounds_keep_back_what_was_about_to_start(lab):
    """A run that succeeded is judged anew before anything is launched that waits for it."""
    lab.apply("{}", target=["train"])
    result = lab.apply('{"hearts": ">= 12"}')
    assert [step.address for step in result.skipped] == ["report"]
    assert lab.refresh()["train"].status is Status.FAILED


def test_a_run_that_missed_its_bounds_stands_again_and_is_judged_anew(lab):
    """It was replaced; going back to its settings launches nothing."""
    lab.apply('{"hearts": ">= 12"}', target=["train"])
    lab.apply('{"hearts": ">= 12"}', "row={\"step\": 1, \"hearts\": 1}", target=["train"])
    lab.apply('{"hearts": ">= 9"}', target=["train"])
    train = lab.refresh()["train"]
    assert (train.status, train.launch) == (Status.SUCCEEDED, 1)


def test_a_mistyped_bound_is_refused_while_planning(lab):
    """With the path of the field."""
    with pytest.raises(ExpiacError, match="'=> 12' is no bound"):
        lab.open('{"hearts": "=> 12"}')
