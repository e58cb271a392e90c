"""What a report finds: comparisons, curves, logs of failed runs, provenance."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from curves_lab import apply

from expiac import api
from expiac.report import logs
from expiac.report.collect import collect
from expiac.report.logs import failed_logs
from expiac.report.model import Report, Request
from expiac.session import Session
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, UsageError


def collected(request: Request | None = None) -> Report:
    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        session.status()
        return collect(session, request or Request(), asks=True)


def test_the_log_of_a_failed_run(applied):
    """Its last lines, and the words of the backend."""
    (log,) = collected().logs
    assert (log.job, log.status) == ("lr_2_seed_9", Status.FAILED)
    assert log.lines[0] == "first line"
    assert "exit code 3" in log.detail


def test_a_failed_run_is_in_no_band(applied):
    """Its curve is there, and its arm is that of its settings."""
    report = collected()
    of_failed = next(run for run in report.runs if run.status is Status.FAILED)
    assert of_failed.arm == "B"
    assert of_failed.instance in report.curves[0].values
    assert [len(arm.instances) for arm in report.arms] == [2, 2]


def test_an_arm_whose_runs_all_failed_is_an_arm(project):
    """It is none of the comparison, and so its name comes after those of it."""
    stack = project / "stacks" / "lab.py"
    stack.write_text(stack.read_text().replace("(*range(config.seeds_of_each), *(", "([0] if lr == 1 else (").replace(
        "else []))]", "else [0]))]"))
    apply(fails=True)
    report = collected()
    assert [(arm.name, len(arm.instances)) for arm in report.arms] == [("A", 1), ("B", 0)]
    assert report.compared.sentences == ("There is one arm: the settings of these runs differ in the seed at most.",)


def test_a_log_that_never_comes_keeps_nobody(applied):
    """The page is made without it, and says so."""
    def never(address: str) -> Iterator[str]:
        time.sleep(60)
        yield address

    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        (log,), _ = failed_logs(session.state, never, timeout=0.2)
    assert (log.lines, log.note) == ((), "not read within 0.2 seconds")


def test_a_log_that_cannot_be_read_is_a_note(applied):
    """So is an error of a backend's library."""
    def refused(address: str) -> Iterator[str]:
        raise ExpiacError("No logs", "the cluster is gone")

    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        (log,), _ = failed_logs(session.state, refused)
    assert log.note == "No logs: the cluster is gone"


def test_only_the_end_of_a_log_is_kept(applied):
    """40 lines, and the number of all."""
    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        (log,), _ = failed_logs(session.state, lambda _: (f"line {number}" for number in range(1000)))
    assert (log.lines[0], log.lines[-1], log.note) == ("line 960", "line 999", "the last 40 of 1,000 lines")


def test_more_failed_runs_than_a_page_shows(applied):
    """The rest is counted, with a command that shows it."""
    with Session.open("lab", reporter=api.Silent(), declared=False) as session:
        state = session.state
    record = next(record for record in state.records.values() if record.status is Status.FAILED)
    many = {f"run_{number}": replace(record, address=f"run_{number}") for number in range(logs.MOST_RUNS + 2)}
    found, note = failed_logs(replace(state, records=many), lambda _: iter(()))
    assert (len(found), note) == (logs.MOST_RUNS, "2 more runs failed; expiac logs lab run_20 shows more")


def test_what_was_not_committed(project):
    """The diff of the tree that the runs were launched from, and the commit."""
    git = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    (project / ".gitignore").write_text(".expiac/\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "begun"]):
        subprocess.run([*git, *words], check=True)
    (project / "pyproject.toml").write_text((project / "pyproject.toml").read_text() + "# <b>changed</b>\n")
    apply(seeds_of_each=1)
    (launches,) = collected().launches
    assert "+# <b>changed</b>" in launches.diff
    assert dict(launches.facts)["working tree"] == "with changes that are not committed"
    for file in (project / ".expiac" / "provenance").iterdir():
        file.unlink()
    assert "is not on this machine" in collected().launches[0].diff_note


def test_nothing_to_compare_is_no_reason_for_no_report(project):
    """The page says why; a mistyped metric is refused."""
    apply(seeds_of_each=1)
    for run in (project / ".expiac/local").glob("lab.*/home/metrics.jsonl"):
        run.write_text("")
    assert collected().compared.heading.startswith("Nothing to compare")
    assert collected().curves == ()
    with pytest.raises(UsageError, match="No such metric"):
        collected(Request(metric="rewrd"))
