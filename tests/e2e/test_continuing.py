"""`status --watch --continue` goes on with a search as it was approved, and not otherwise: the real command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from terminal import Terminal
from throwaway import Folder, until

from expiac.state import codec
from expiac.state.events import TrialTold
from expiac.state.facts import Outcome
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal

WORK = '''
import json, math, os, sys, time
with open(os.environ["BEGUN"], "a") as file:
    file.write(os.environ["EXPIAC_INSTANCE"] + "\\n")
rate = float(os.environ["RATE"])
time.sleep(float(sys.argv[1]))
if rate < 1e-9:
    sys.exit("too slow")
with open("metrics.jsonl", "w") as file:
    print(json.dumps({"step": 1, "score": 10 - (math.log10(rate) + 3) ** 2}), file=file)
'''

STACK = """\
from expiac import Search, Sweep, Uniform

def stack():
    job = Job("train", run="python {work} {pause}", outputs={{"metrics": "metrics.jsonl"}},
              skypilot=SkypilotJobConfig(gpus=0, workdir=None, envs={{"RATE": "0.1", "BEGUN": "{begun}"}}))
    search = Search(space={{"RATE": Uniform({low}, 1, log=True)}}, **{search})
    return Stack("small", [Sweep("lr", job, search, metric="score")])
"""
CONTINUE = ("status", "small", "--watch", "--continue", "--timeout", "50")


def _declare(project: Folder, *, pause: float = 0, low: float = 1e-5, **search: Any) -> Path:
    work = project.root / "work.py"
    work.write_text(WORK, encoding="utf-8")
    return project.stack(STACK.format(work=work, begun=_begun_file(project), pause=pause, low=low, search=search))


def _begun_file(project: Folder) -> Path:
    return project.root / "begun.txt"


def _begun(project: Folder) -> list[str]:
    """The instance of each launch, as the runs themselves tell it."""
    file = _begun_file(project)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _events(project: Folder, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in project.journal().read_text(encoding="utf-8").splitlines()[1:]]
    return [line["body"] for line in lines if line["event"] == kind]


def _told(project: Folder) -> list[str]:
    return sorted(event["address"] for event in _events(project, "told"))


def _trials(count: int) -> list[str]:
    return [f"lr/trial_{number}" for number in range(count)]


def _forget_searches(project: Folder) -> None:
    """Makes the journal one of an earlier release: its approvals say nothing of searches."""
    head, *lines = project.journal().read_bytes().splitlines(keepends=True)
    made = []
    for line in lines:
        value = json.loads(line)
        value["body"].pop("searches", None)
        del value["crc"]
        made.append(codec.seal(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()[:-1]))
    project.journal().write_bytes(b"".join([head, *made]))


def _tell_pruned(project: Folder) -> None:
    """Records that the first trial is to end early, and ends it not yet."""
    with Journal.open(FileLog(project.journal()), stack="small") as journal:
        study = journal.state.approvals[-1].approved.searches["lr"].study
        instance = journal.state.records["lr/trial_0"].run.instance
        journal.append(TrialTold("lr/trial_0", instance, Outcome("pruned", (0.5,), 0.5, study)))


def test_a_watch_goes_on_until_the_search_has_ended(project: Folder) -> None:
    """As `apply --wait` would: the same trials, and no more at once."""
    _declare(project, trials=5, max_concurrent=2)
    project.output("apply", "--yes")
    project.output(*CONTINUE)
    assert _told(project) == _trials(5)
    assert len(_begun(project)) == 5
    assert "no changes" in project.output("plan")


def test_a_watch_without_it_begins_nothing_and_says_how_to_go_on(project: Folder) -> None:
    _declare(project, trials=5)
    project.output("apply", "--yes")
    told = project.output("status", "--watch", "--timeout", "50")
    assert "lr: 4 of 5 trials remain; to go on: expiac status small --watch --continue" in told.splitlines()
    assert len(_begun(project)) == 1
    lines = [json.loads(line) for line in project.output("status", "--watch", "--json").splitlines()]
    (left,) = (line for line in lines if line["event"] == "search_left")
    assert (left["search"], left["left"], left["trials"]) == ("lr", 4, 5)
    assert left["command"] == "expiac status small --watch --continue"


def test_a_search_that_has_ended_is_left_in_peace(project: Folder) -> None:
    _declare(project, trials=5, stop_when=">= -100")
    project.output("apply", "--yes")
    project.output(*CONTINUE)
    assert len(_begun(project)) == 1
    assert "remain" not in project.output("status", "--watch")


@pytest.mark.parametrize(("change", "said"), [
    ({"trials": 6}, "trials 4 → 6"),
    ({"max_concurrent": 3}, "max_concurrent 1 → 3"),
    ({"budget": 5.0}, "budget none → 5.0"),
    ({"stop_when": ">= 14"}, "stop_when none → >= 14"),
    ({"low": 1e-4}, "another space"),
    ({"seed": 1}, "another seed"),
    ({"pause": 0.01}, "another job"),
])
def test_a_changed_program_is_refused(project: Folder, change: dict[str, Any], said: str) -> None:
    _declare(project, **{"trials": 4})
    project.output("apply", "--yes")
    _declare(project, **{"trials": 4, **change})
    done = project.expiac(*CONTINUE)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Search not approved", f"  lr has changed since it was approved: {said}",
                                        "  Hint: expiac apply small --wait"]
    assert len(_begun(project)) == 1


def test_an_apply_approves_the_change_though_it_begins_nothing(project: Folder) -> None:
    _declare(project, trials=4, pause=1.5)
    project.output("apply", "--yes")
    _declare(project, trials=3, pause=1.5)
    told = project.output("apply", "--yes")
    assert "no changes" in told
    assert "lr: trials 4 → 3 since it was approved" in told
    assert "approved" not in project.output("plan")
    project.output(*CONTINUE)
    assert _told(project) == _trials(3)


def test_what_nobody_approved_is_refused(project: Folder) -> None:
    """A search that was left out, a stack that was destroyed, and one without a search."""
    path = _declare(project, trials=2)
    path.write_text(path.read_text(encoding="utf-8").replace(
        "[Sweep(", "[Job('other', run='true', skypilot=HERE), Sweep("), encoding="utf-8")
    project.output("apply", "--yes", "--exclude", "lr")
    done = project.expiac(*CONTINUE)
    assert "no apply has approved" in done.stderr
    project.output("apply", "--yes")
    project.output("destroy", "--yes")
    done = project.expiac(*CONTINUE)
    assert done.returncode == 1
    assert "no apply has approved" in done.stderr
    assert "remain" not in project.output("status", "--watch")
    project.jobs(other="true")
    project.output("apply", "--yes")
    assert project.expiac(*CONTINUE).returncode == 64
    assert project.expiac("status", "--continue").returncode == 64


def test_another_job_of_the_stack_has_to_be_as_it_was(project: Folder) -> None:
    path = _declare(project, trials=2)
    path.write_text(path.read_text(encoding="utf-8").replace(
        "[Sweep(", "[Job('other', run='true', skypilot=HERE), Sweep("), encoding="utf-8")
    project.output("apply", "--yes")
    path.write_text(path.read_text(encoding="utf-8").replace("run='true'", "run='true 1'"), encoding="utf-8")
    assert "what else the program declares has changed" in project.expiac(*CONTINUE).stderr


def test_an_edit_of_what_the_trials_get_is_refused(project: Folder) -> None:
    """The plan would run the trials anew: nobody has been told."""
    data = project.root / "data.txt"
    data.write_text("one", encoding="utf-8")
    path = _declare(project, trials=2)
    path.write_text(path.read_text(encoding="utf-8").replace(
        "gpus=0,", f"gpus=0, file_mounts={{'data.txt': '{data}'}},"), encoding="utf-8")
    project.output("apply", "--yes", "--wait", "--target", "lr", "--timeout", "50")
    path.write_text(path.read_text(encoding="utf-8").replace("'trials': 2", "'trials': 3"), encoding="utf-8")
    project.output("apply", "--yes")
    data.write_text("two", encoding="utf-8")
    done = project.expiac(*CONTINUE)
    assert done.returncode == 1
    assert "which needs an apply" in done.stderr


def test_a_journal_of_an_earlier_release_is_read_and_goes_on_after_one_apply(project: Folder) -> None:
    _declare(project, trials=3)
    project.output("apply", "--yes")
    project.output("status", "--watch")
    _forget_searches(project)
    told = project.output("status", "--watch")
    assert "lr: 2 of 3 trials remain; to go on: expiac apply small --wait" in told.splitlines()
    done = project.expiac(*CONTINUE)
    assert done.returncode == 1
    assert "Hint: expiac apply small --wait" in done.stderr
    assert len(_begun(project)) == 1
    project.output("apply", "--yes")
    project.output(*CONTINUE)
    assert _told(project) == _trials(3)
    assert len(_begun(project)) == 3


def test_a_saved_plan_approves_the_search_that_it_shows(project: Folder) -> None:
    _declare(project, trials=3)
    project.output("plan", "--out", "plan.json")
    project.output("apply", "plan.json", "--yes")
    project.output(*CONTINUE)
    assert _told(project) == _trials(3)


def test_on_a_terminal_an_apply_asks_before_it_approves(project: Folder) -> None:
    """Also where nothing is to be done now: later trials need no other consent."""
    _declare(project, trials=4, pause=30)
    project.output("apply", "--yes")
    _declare(project, trials=5, pause=30)
    with Terminal(project.root, project.env, "apply", "small") as terminal:
        terminal.sees("lr: trials 4 → 5 since it was approved")
        terminal.sees("Apply this plan? [y/N/details]")
        terminal.types("n\n")
        terminal.sees("Declined")
    assert "trials 4 → 5" in project.expiac(*CONTINUE).stderr
    with Terminal(project.root, project.env, "apply", "small") as terminal:
        terminal.sees("Apply this plan? [y/N/details]")
        terminal.types("y\n")
        assert terminal.ends() == 0
    assert "approved" not in project.output("plan")


def test_two_watches_at_once_launch_each_trial_once(project: Folder) -> None:
    _declare(project, trials=8, max_concurrent=2, pause=0.2)
    project.output("apply", "--yes")
    watches = [project.begin(*CONTINUE) for _ in range(2)]
    for watch in watches:
        _, errors = watch.communicate(timeout=60)
        assert watch.returncode == 0, errors
    assert _told(project) == _trials(8)
    assert len(_begun(project)) == len(set(_begun(project))) == 8


def test_a_watch_that_finds_the_lock_taken_says_so_and_goes_on_later(project: Folder) -> None:
    _declare(project, trials=2)
    project.output("apply", "--yes")
    project.output("status", "--watch")
    with Journal.open(FileLog(project.journal()), stack="small") as journal, journal.lock(
            purpose="apply", wait_seconds=5):
        watch = project.begin(*CONTINUE)
        assert watch.stdout is not None
        said = next(line for line in watch.stdout if "lock" in line)
        assert "waits for the lock" in said
        assert str(os.getpid()) in said
        assert len(_begun(project)) == 1
    watch.communicate(timeout=60)
    assert watch.returncode == 0
    assert len(_begun(project)) == 2


def test_a_watch_ends_where_another_apply_approves_something_else(project: Folder) -> None:
    """It launches nothing more of what it was told before."""
    _declare(project, trials=40, pause=0.2)
    project.output("apply", "--yes")
    watch = project.begin(*CONTINUE)
    until(lambda: len(_begun(project)) > 1, "the watch goes on")
    _declare(project, trials=3, pause=0.2)
    project.output("apply", "--yes")
    _, errors = watch.communicate(timeout=60)
    assert watch.returncode == 1
    assert "another plan was approved" in errors
    assert len(_begun(project)) < 40


def test_it_keeps_how_many_may_fail(project: Folder) -> None:
    """`--max-failures` is that of the last apply that waited."""
    _declare(project, trials=9, low=1e-12)
    path = project.root / "stacks" / "small.py"
    path.write_text(path.read_text(encoding="utf-8").replace(", 1, log=True", ", 1e-10, log=True"), encoding="utf-8")
    waiting = project.begin("apply", "--yes", "--wait", "--max-failures", "2")
    until(lambda: project.journal().exists() and _events(project, "started"), "a trial is launched")
    waiting.kill()
    waiting.communicate(timeout=60)
    done = project.expiac(*CONTINUE)
    assert done.returncode == 1
    assert len(_begun(project)) == 3
    assert "remain" not in done.stdout


def test_a_trial_that_was_to_end_when_its_command_was_killed_ends(project: Folder) -> None:
    """What the search was told stands in the state, and the stop that follows from it does not yet."""
    _declare(project, trials=1, pause=40, pruner="median")
    project.output("apply", "--yes")
    until(lambda: _begun(project), "the trial runs")
    _tell_pruned(project)
    project.output(*CONTINUE)
    assert not project.alive()
    assert project.said("status")["resources"] == []
    assert len(_begun(project)) == 1


def test_a_destroy_ends_what_was_approved_though_every_trial_is_archived(project: Folder) -> None:
    _declare(project, trials=9, pause=40, pruner="median")
    project.output("apply", "--yes")
    until(lambda: _begun(project), "the trial runs")
    _tell_pruned(project)
    project.output("apply", "--yes", "--only", "stop")
    assert project.said("status")["resources"] == []
    project.output("destroy", "--yes")
    assert "no apply has approved" in project.expiac(*CONTINUE).stderr
    assert len(_begun(project)) == 1


def test_json_has_a_line_for_each_step(project: Folder) -> None:
    _declare(project, trials=2)
    project.output("apply", "--yes")
    lines = [json.loads(line) for line in project.output(*CONTINUE, "--json").splitlines()]
    assert [line["address"] for line in lines if line["event"] == "step_ended"] == ["lr/trial_1"]
    assert lines[-1]["event"] == "finished"
    assert lines[-1]["is_well"]
