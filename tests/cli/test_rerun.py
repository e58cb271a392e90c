"""`expiac rerun`: the same settings on the same commit, as a run of its own, launched once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    words: str = "hello"

def stack(config: Lab) -> Stack:
    say = Job("say", run=f"cat code.txt; echo {config.words}; test {config.words} != fail",
              skypilot=SkypilotJobConfig(gpus=0), outputs={"code": "code.txt"})
    return Stack(config.name, [say, Job("hear", run=f"cat {say.output('code')}", skypilot=SkypilotJobConfig(gpus=0))])
'''


KILLED = """
import os, sys
from expiac.cli import run
from expiac.providers.local import LocalProvider

create = LocalProvider.create

def create_and_die(self, *given):
    if sys.argv[1] == "after":
        create(self, *given)
    os._exit(9)

LocalProvider.create = create_and_die
run(sys.argv[2:])
"""


def git(project: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=ada", "-c", "user.email=a@b", *words], cwd=project, check=True, timeout=30,
                   capture_output=True)


@pytest.fixture
def ran(project, expiac):
    """A run with settings of its own, of a commit that is not the last one any more."""
    (project / "stacks" / "lab.py").write_text(STACK)
    (project / "code.txt").write_text("first\n")
    (project / ".gitignore").write_text(".expiac\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    assert expiac("apply", "lab", "words=bye", "--yes", "--wait").code == 0
    (project / "code.txt").write_text("second\n")
    (project / "stacks" / "lab.py").write_text(STACK.replace('"hello"', '"later"'))
    git(project, "commit", "-qam", "second")
    yield expiac
    expiac("destroy", "lab-reruns", "--yes")


def records(expiac, stack: str = "lab-reruns") -> list[dict]:
    return json.loads(expiac("state", "list", stack, "--json").out)["records"]


def printed(expiac) -> list[str]:
    """What the only rerun has printed."""
    (record,) = records(expiac)
    return expiac("logs", "lab-reruns", record["address"]).out.splitlines()


def test_the_same_settings_on_the_same_commit(ran, project):
    """In a stack of its own; the run itself, the checkout and its worktrees are as before."""
    before = records(ran, "lab")
    said = ran("rerun", "lab/say", "--yes", "--wait")
    assert said.code == 0, said
    (record,) = records(ran)
    (original,) = [one for one in before if one["address"] == "say"]
    assert record["address"] == f"say-{original['run']['instance'][-8:]}"
    assert (record["status"], record["inputs"], record["run"]["fingerprint"]) == (
        "succeeded", original["inputs"], original["run"]["fingerprint"])
    assert printed(ran)[-2:] == ["first", "bye"]
    assert (records(ran, "lab"), (project / "code.txt").read_text()) == (before, "second\n")
    assert len(subprocess.check_output(["git", "worktree", "list"], cwd=project, text=True).splitlines()) == 1


def test_the_stack_file_is_that_of_the_commit(ran, project):
    """Not the present one, which declares something else."""
    (project / "stacks" / "lab.py").write_text(STACK.replace("echo {config.words}", "echo changed"))
    git(project, "commit", "-qam", "third")
    said = ran("rerun", "lab/say", "--yes", "--wait")
    assert (said.code, printed(ran)[-2:]) == (0, ["first", "bye"]), said


def test_a_run_that_was_renamed_is_known_by_its_first_name(ran, project):
    """Under the overrides that launched it, another job has its present name. Other reruns are no matter of it."""
    jobs = """[Job(f"say_{n}", run=f"echo {word}", skypilot=SkypilotJobConfig(gpus=0))
                               for n, word in enumerate(config.words.split())])
"""
    (project / "stacks" / "lab.py").write_text(STACK.split("    say = ")[0] + f"    return Stack(config.name, {jobs}")
    git(project, "commit", "-qam", "third")
    assert ran("apply", "lab", "words=a b", "--yes", "--wait").code == 0
    assert ran("apply", "lab", "words=x a b", "--yes", "--wait").code == 0
    for job in ("say_1", "say_2"):
        said = ran("rerun", f"lab/{job}", "--yes", "--wait")
        assert (said.code, "left out" in said.out) == (0, False), said
    assert [one["inputs"]["run"] for one in records(ran)] == ["echo a", "echo b"]


def test_a_rerun_is_not_launched_again_by_its_own_name(ran):
    """It is of no stack file."""
    assert ran("rerun", "lab/say", "--yes", "--wait").code == 0
    said = ran("rerun", records(ran)[0]["run"]["instance"], "--yes")
    assert (said.code, said.err.splitlines()[0], "from no stack file" in said.err) == (1, "Code not known", True)


def test_files_that_the_commit_does_not_have_are_said(ran, project):
    """A module that git did not track at the launch may have been part of the code."""
    assert "not the same code" not in ran("rerun", "lab/say", "--yes", "--wait").out
    (project / "helper.py").write_text("new = True")
    assert ran("apply", "lab", "words=now", "--target", "say", "--yes", "--wait").code == 0
    said = ran("rerun", "lab/say", "--yes", "--wait")
    assert (said.code, "not the same code" in said.out) == (0, True), said


def test_two_at_once_have_a_tree_each(ran, project):
    """However long the first one waits for its run."""
    from expiac.util.worktree import worktree

    commit = subprocess.check_output(["git", "rev-parse", "HEAD~"], cwd=project, text=True).strip()
    with worktree(project, commit, project / ".expiac" / "trees") as other:
        assert ran("rerun", "lab/say", "--yes", "--wait").code == 0
        assert (other / "code.txt").read_text() == "first\n"
    assert [path.name for path in (project / ".expiac" / "trees").iterdir()] == ["trees.lock"]


def test_the_state_records_what_was_launched(ran):
    """The commit of the run, and a clean tree."""
    assert ran("rerun", "lab/say", "--yes", "--wait").code == 0
    (then,), (now,) = (json.loads(ran("history", stack, "--json").out)["approvals"] for stack in ("lab", "lab-reruns"))
    assert (now["provenance"]["commit"], now["provenance"]["dirty"]) == (then["provenance"]["commit"], False)
    assert now["program"].startswith("<rerun of lab.say.")


def test_asked_for_twice_it_is_launched_once(ran):
    """As after a kill; another name makes another run."""
    assert ran("rerun", "lab/say", "--yes", "--wait").code == 0
    first = records(ran)
    said = ran("rerun", "lab/say", "--yes")
    assert (said.code, [one["run"] for one in records(ran)]) == (0, [one["run"] for one in first]), said
    assert ran("rerun", "lab/say", "--yes", "--name", "second", "--wait").code == 0
    assert [one["address"] for one in records(ran)] == [first[0]["address"], "second"]


def test_it_is_planned_and_asked_for(ran):
    """Without consent nothing is launched, and no state begins."""
    said = ran("rerun", "lab/say")
    assert (said.code, said.err.splitlines()[0]) == (64, "Consent needed")
    assert ran("state", "list", "lab-reruns").code == 64


def test_what_a_killed_command_left_is_replaced(ran, project):
    """A half-made tree of the commit."""
    commit = subprocess.check_output(["git", "rev-parse", "HEAD~"], cwd=project, text=True).strip()
    tree = project / ".expiac" / "trees" / commit
    tree.mkdir(parents=True)
    (tree / "code.txt").write_text("torn")
    assert ran("rerun", "lab/say", "--yes", "--wait").code == 0
    assert printed(ran)[-2:] == ["first", "bye"]


def test_a_plan_of_the_stack_leaves_reruns_alone(ran):
    assert ran("rerun", "lab/say", "--yes", "--wait").code == 0
    assert ran("plan", "lab", "words=bye", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(("change", "summary"), [("dirty", "Code not committed"), ("gone", "No such commit")])
def test_code_that_is_not_to_be_had_is_refused(ran, project, change, summary):
    """With `--anyway`, the present code is launched with the settings of the run."""
    if change == "dirty":
        (project / "code.txt").write_text("third\n")
        assert ran("apply", "lab", "words=bye", "--replace", "say", "--yes", "--wait").code == 0
    else:
        (project / ".git").rename(project / "elsewhere")
        git(project, "init", "-q")
    said = ran("rerun", "lab/say", "--yes")
    assert (said.code, said.err.splitlines()[0], "--anyway" in said.err or change == "gone") == (1, summary, True)
    said = ran("rerun", "lab/say", "--yes", "--wait", "--anyway")
    assert said.code == 0, said
    assert printed(ran)[-1] == "bye"


def test_a_run_that_needs_others_is_refused(ran):
    said = ran("rerun", "lab/hear", "--yes")
    assert (said.code, said.err.splitlines()[:2][0]) == (1, "Run needs other runs")


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_the_launch_it_goes_on(ran, project, when):
    """The same command again: one run, one launch, and no tree is left."""
    killed = subprocess.run([sys.executable, "-c", KILLED, when, "rerun", "lab/say", "--yes"], cwd=project,
                            capture_output=True, timeout=60, check=False)
    assert (killed.returncode, len(list((project / ".expiac" / "trees").glob("*/code.txt")))) == (9, 1), killed.stderr
    said = ran("rerun", "lab/say", "--yes", "--wait")
    (record,) = records(ran)
    assert (said.code, record["status"], record["run"]["launch"], record["run"]["attempt"]) == (
        0, "succeeded", 1, 0), said
    launches = list((project / ".expiac" / "local").glob("lab-reruns.*/launches/*"))
    assert ([path.name for path in launches], list((project / ".expiac" / "trees").glob("*/code.txt"))) == (["1"], [])
