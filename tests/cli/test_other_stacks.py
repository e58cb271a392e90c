"""Stacks that use outputs of other stacks: what a plan refuses, what it shows, and what the jobs get."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from expiac.apply.events import Silent
from expiac.cli import run
from expiac.session import Session

PRETRAIN = """
from expiac import ExperimentConfig, Job, Options, SkypilotJobConfig, Stack

class Pretrain(ExperimentConfig):
    name: str = "pretrain"
    job: str = "base"
    aliases: tuple[str, ...] = ()
    text: str = "weights"
    file: str = "weights"
    then: str = "true"
    exports: bool = True

def stack(config: Pretrain) -> Stack:
    where = SkypilotJobConfig(gpus=0, workdir=None, envs={"FILE": config.file})
    base = Job(config.job, run=f'echo {config.text} > "$FILE"; {config.then}', outputs={"checkpoint": config.file},
               skypilot=where, options=Options(aliases=config.aliases))
    return Stack(config.name, [base], outputs={"best": base.output("checkpoint")} if config.exports else {})
"""
TUNE = """
from expiac import ExperimentConfig, Job, Options, SkypilotJobConfig, Stack

class Tune(ExperimentConfig):
    name: str = "tune"
    stack: str = "pretrain"
    of: str = "base"
    output: str = "checkpoint"
    then: str = "true"
    retain: bool = False

def stack(config: Tune) -> Stack:
    other = Stack.reference(config.stack)
    start = other.output(config.of, config.output) if config.of else other.output(config.output)
    where = SkypilotJobConfig(gpus=0, workdir=None)
    return Stack(config.name, [Job("tuned", run=f'cat "{start}" > got; {config.then}', outputs={"got": "got"},
                                   skypilot=where, options=Options(retain=config.retain))])
"""


@pytest.fixture(autouse=True)
def _stacks(project: Path):
    (project / "stacks" / "pretrain.py").write_text(PRETRAIN)
    (project / "stacks" / "tune.py").write_text(TUNE)
    yield
    for stack in ("tune", "pretrain"):
        if (project / ".expiac" / f"{stack}.jsonl").exists():
            run(["destroy", stack, "--yes"])


@pytest.fixture
def apply(expiac):
    """Applies, waits, and gives the run of the one job."""

    def apply(stack: str, *settings: str) -> str:
        said = expiac("apply", stack, *settings, "--yes", "--wait")
        assert said.code == 0, said.err
        return str(json.loads(expiac("status", stack, "--json").out)["resources"][0]["instance"])

    return apply


@pytest.fixture
def tuned(expiac):
    """The one step of a plan of `tune`."""

    def tuned(*settings: str):
        said = expiac("plan", "tune", *settings, "--json")
        assert said.code == 0, said.err
        return json.loads(said.out)["steps"][0]

    return tuned


@pytest.mark.parametrize(("settings", "said"), [
    (["stack=pretran"], "No such stack\n  tuned: there is no state of a stack pretran\n  Hint: did you mean pretrain?"),
    (["of=bas"], "No such resource\n  tuned: pretrain.bas.checkpoint: bas is not in the state of pretrain\n"
                 "  Hint: did you mean base?"),
    (["output=checkpint"], "No such output\n  tuned: pretrain.base.checkpint: pretrain.base (succeeded) left none "
                           "called checkpint\n  Hint: did you mean checkpoint?"),
    (["of=", "output=bets"], "No such output\n  tuned: pretrain.bets: pretrain exports no bets\n"
                             "  Hint: did you mean best?"),
    (["of=", "output=base"], 'Hint: output("base", NAME) is an output of the job base'),
    (["stack=tune"], "Reference to itself\n  tuned: tune.base.checkpoint is an output of this very stack\n"
                     '  Hint: base.output("checkpoint") of the resource itself, which is a Ref'),
    (["stack=no way"], "Invalid name\n  stack 'no way': a name is a letter"),
], ids=["stack", "resource", "output", "export", "export_of_job", "itself", "name"])
def test_what_is_not_there_is_refused_while_planning(expiac, apply, settings, said):
    apply("pretrain")
    planned = expiac("plan", "tune", *settings)
    assert planned.code == 1
    assert said in planned.err


def test_before_anything_was_applied_the_hint_says_what_to_do(expiac):
    """There is nothing to be meant instead."""
    assert "there is no state of a stack pretrain\n  Hint: expiac apply pretrain" in expiac("plan", "tune").err


def test_a_run_that_failed_is_refused(expiac, apply):
    """Its reason stands beside it; another run over there mends it, and the plan that waited for it says so."""
    assert expiac("apply", "pretrain", "then=exit 3", "--yes", "--wait").code == 1
    for words in (("plan", "tune"), ("apply", "tune", "--yes", "--wait")):
        said = expiac(*words)
        assert said.code == 1
        assert "Upstream failed\n  tuned: pretrain.base.checkpoint: pretrain.base." in said.err
        assert "exit code 3\n  Hint: expiac logs pretrain base" in said.err
    apply("pretrain")
    apply("tune")


def test_a_destroyed_run_is_named_and_its_users_are_warned_of(expiac, apply, tuned):
    """A plan of the user is refused; what it had done stands, and it can be destroyed."""
    first = apply("pretrain")
    apply("tune")
    said = expiac("destroy", "pretrain", "--yes")
    warned = "! tune.tuned uses base: a plan of its stack is refused until there is another run of it"
    assert warned in " ".join(said.out.split())
    said = expiac("plan", "tune")
    assert f"pretrain.base.checkpoint: {first} was destroyed, and pretrain has no base now" in said.err
    assert expiac("status", "tune").code == 0
    apply("pretrain", "--reuse")
    assert tuned()["action"] == "keep"


def test_a_saved_plan_is_stale_once_there_is_another_run(expiac, apply, project):
    """Whether or not the value is the same text."""
    first = apply("pretrain")
    assert expiac("plan", "tune", "--out", "tune.plan").code == 0
    second = apply("pretrain", "text=others")
    said = expiac("apply", "tune.plan", "--yes")
    assert said.code == 1
    assert f"Stale plan\n  since it was planned: pretrain.base has a new run: {first} → {second}" in said.err
    apply("pretrain")
    assert expiac("apply", "tune.plan", "--yes", "--wait").code == 0


def test_a_new_run_here_leaves_a_retained_one_alone(expiac, apply, tuned, project):
    """`retain` counts whatever the reason of a replacement is."""
    apply("pretrain")
    assert expiac("apply", "tune", "retain=true", "then=sleep 60", "--yes").code == 0
    apply("pretrain", "text=others")
    step = tuned("retain=true", "then=sleep 60")
    assert step["action"] == "replace"
    assert "pretrain.base has a new run" in step["reason"]
    assert "is retained, and goes on" in step["reason"]


def test_a_resource_that_has_another_name_is_the_same(apply, tuned):
    """The run counts, and not how it is called."""
    first = apply("pretrain")
    apply("tune")
    assert apply("pretrain", "job=first", "aliases=base,") == first
    assert tuned("of=first")["action"] == "keep"


@pytest.mark.parametrize("file", [
    "it's \"so\" $HOME `id` $(id)", "@instance@", "${oc.env:HOME}", "a\u202eb\x1b[31m"])
def test_whatever_a_value_says_the_job_gets_it_as_it_is(expiac, apply, project, file):
    """It is no code, no reference and no command of a terminal."""
    apply("pretrain", f"file={json.dumps(file)}")
    planned = expiac("plan", "tune")
    assert planned.code == 0, planned.err
    assert not {"\u202e", "\x1b"} & set(planned.out)
    apply("tune")
    assert Path(expiac("output", "tune", "tuned", "got").out.strip()).read_text() == "weights\n"
    shown = json.loads(expiac("show", "tune/tuned", "--json").out)["run"]["references"][0]["value"]
    assert Path(shown).name == file


def test_exported_outputs_are_shown_and_changed(expiac, apply):
    """A change of them alone is recorded, and no run begins by it."""
    first = apply("pretrain", "exports=false")
    assert "exports best: base.checkpoint" in expiac("plan", "pretrain").out
    assert apply("pretrain") == first
    assert "exports" not in expiac("plan", "pretrain").out
    path = expiac("output", "pretrain", "base", "checkpoint").out
    assert expiac("output", "pretrain", "best").out == path
    assert path.strip() in expiac("output", "pretrain").out.partition("best")[2]
    assert "exported as  checkpoint as best" in expiac("show", "pretrain/base").out
    document = json.loads(expiac("output", "pretrain", "best", "--json").out)
    assert (document["outputs"], document["exported"]) == ([], [{
        "name": "best", "address": "base", "output": "checkpoint", "instance": first, "status": "succeeded",
        "value": path.strip()}])
    assert "no longer exports best" in expiac("plan", "pretrain", "exports=false").out


def test_an_exported_output_of_a_failed_run_has_no_value(expiac):
    """A script is to stop there."""
    expiac("apply", "pretrain", "then=exit 3", "--yes", "--wait")
    said = expiac("output", "pretrain", "best")
    assert (said.code, said.out) == (1, "")
    assert "No such output\n  best is checkpoint of base, which is failed" in said.err


def test_a_run_that_is_made_while_an_apply_begins_is_planned_for(expiac, apply, tuned, project):
    """Nobody has approved the first plan: it is made anew, under the lock."""
    apply("pretrain")
    with Session.open("tune", reporter=Silent()) as session:
        plan = session.plan()
        second = apply("pretrain", "text=others")
        session.apply(plan, make_anew=session.plan, wait=True)
        (reference,) = session.state.records["tuned"].references
    assert reference.instance == second
    assert tuned()["action"] == "keep"


def test_a_run_that_ended_unseen_is_seen_while_planning(expiac, project):
    """The state of the other stack says that it runs, and its backend is asked; without a refresh, nobody is."""
    go = project / "go"
    waits = f"until [ -e {go} ]; do sleep 0.05; done"
    assert expiac("apply", "pretrain", f"then={waits}", "--yes").code == 0
    assert "Upstream not finished" in expiac("plan", "tune").err
    go.touch()
    until = time.monotonic() + 30
    while expiac("plan", "tune").code != 0:
        assert time.monotonic() < until
    assert "Upstream not finished" in expiac("plan", "tune", "--no-refresh").err
    assert expiac("apply", "tune", "--yes", "--wait").code == 0


def test_a_resource_in_a_component_is_named_by_its_address(expiac, apply, tuned, project):
    """It has a slash."""
    (project / "stacks" / "pretrain.py").write_text(
        PRETRAIN.replace("import ", "import Component, ", 1)
        .replace("Stack(config.name, [base]", 'Stack(config.name, [part := Component("part", [base])]')
        .replace('"best": base.output("checkpoint")', '"best": part.child("base").output("checkpoint")'))
    first = apply("pretrain")
    for settings in (["of=part/base"], ["of=", "output=best"]):
        (reference,) = tuned(*settings)["references"]
        assert (reference["address"], reference["instance"]) == ("part/base", first)
    apply("tune", "of=part/base")
