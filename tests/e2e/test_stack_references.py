"""Two stacks of real jobs, one of which uses outputs of the other: in the project's own states, and in a shared one."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from throwaway import ROOT, Folder

from expiac import Job, Search, SkypilotJobConfig, Stack, Sweep, Uniform
from expiac.apply.events import Silent
from expiac.apply.upstream_wait import wait_for_upstream
from expiac.declare.project import find_project
from expiac.util.errors import ExpiacError

PRETRAIN = """
from dataclasses import dataclass

@dataclass
class Pretrain:
    name: str = "pretrain"
    lr: float = 0.1
    run: str = "true"

def stack(config: Pretrain) -> Stack:
    base = Job("base", run=f"echo weights of {config.lr} > weights; {config.run}", outputs={"checkpoint": "weights"},
               skypilot=HERE)
    return Stack(config.name, [base], outputs={"best": base.output("checkpoint")})
"""
TUNE = """
from dataclasses import dataclass

@dataclass
class Tune:
    name: str = "tune"
    of: str = "base"

def stack(config: Tune) -> Stack:
    pretrain = Stack.reference("pretrain")
    start = pretrain.output("best") if config.of == "best" else pretrain.output(config.of, "checkpoint")
    where = SkypilotJobConfig(gpus=0, workdir=None, envs={"START": start})
    return Stack(config.name, [Job("tuned", run='cp "$START" got', outputs={"got": "got"}, skypilot=where)])
"""


@pytest.fixture
def lab(project: Folder) -> Folder:
    return made(project)


def made(project: Folder, state: str = "") -> Folder:
    (project.root / "pyproject.toml").write_text(f"[tool.expiac]\n{state}")
    project.stack(PRETRAIN, "pretrain")
    project.stack(TUNE, "tune")
    return project


def step(lab: Folder, *words: str) -> Any:
    """The one step of a plan of `tune`."""
    (only,) = lab.said("plan", "tune", *words)["steps"]
    return only


def run(lab: Folder, stack: str) -> str:
    """The run of the one job of a stack."""
    (only,) = lab.said("status", stack)["resources"]
    return str(only["instance"])


def got(lab: Folder) -> str:
    with open(lab.output("output", "tune", "tuned", "got").strip(), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("is_shared", [False, True], ids=["own", "shared"])
def test_a_new_run_upstream_is_a_new_run_here(project: Folder, tmp_path: Path, *, is_shared: bool) -> None:
    """The plan shows the value and its run; another run over there is a change of the input here, with its reason."""
    lab = made(project, f'state = "file://{tmp_path / "store"}"\n' if is_shared else "")
    lab.apply("pretrain")
    first = run(lab, "pretrain")
    assert f"pretrain.base.checkpoint: {lab.output('output', 'pretrain', 'base', 'checkpoint').strip()} (run {first})" \
        in lab.output("plan", "tune")
    lab.apply("tune")
    tuned = run(lab, "tune")
    assert (got(lab), step(lab)["action"]) == ("weights of 0.1\n", "keep")

    lab.apply("pretrain", "lr=0.2")
    second = run(lab, "pretrain")
    planned = step(lab)
    assert (planned["action"], planned["reason"]) == ("replace", f"pretrain.base has a new run: {first} → {second}")
    (change,) = planned["changes"]
    assert change["path"] == "envs.START"
    assert (first in change["before"], second in change["after"]) == (True, True)
    (reference,) = planned["references"]
    assert (reference["instance"], reference["value"]) == (second, change["after"])
    lab.apply("tune")
    assert (got(lab), step(lab)["action"]) == ("weights of 0.2\n", "keep")
    (reference,) = lab.said("show", run(lab, "tune"))["run"]["references"]
    assert (reference["instance"], reference["output"]) == (second, "checkpoint")
    assert f"pretrain.base has a new run: {first} → {second}" in lab.output("history", "tune", "--json")

    lab.apply("pretrain")  # the first run stands again, and so does what was made of it
    assert run(lab, "pretrain") == first
    assert step(lab)["action"] == "restore"
    lab.apply("tune")
    assert run(lab, "tune") == tuned


def test_an_exported_output_counts_by_its_run(lab: Folder) -> None:
    """By which of its names an output is referred to makes no difference."""
    lab.apply("pretrain")
    lab.apply("tune", "of=best")
    assert step(lab, "of=best")["action"] == "keep"
    assert step(lab, "of=base")["action"] == "keep"
    assert lab.output("output", "pretrain", "best") == lab.output("output", "pretrain", "base", "checkpoint")


def test_apply_waits_for_a_run_of_another_stack(lab: Folder) -> None:
    """A plan alone refuses a run that has not ended."""
    lab.output("apply", "pretrain", "run=until [ -e go ]; do sleep 0.1; done", "--yes")
    refused = lab.expiac("plan", "tune")
    assert refused.returncode == 1
    assert f"Upstream not finished\n  tuned: pretrain.base.checkpoint: {run(lab, 'pretrain')} is " in refused.stderr
    assert "  Hint: expiac apply --wait waits for it" in refused.stderr
    late = lab.expiac("apply", "tune", "--yes", "--wait", "--timeout", "1s")
    assert (late.returncode, "Still running\n  pretrain did not end within 1 s" in late.stderr) == (1, True)
    waiting = lab.begin("apply", "tune", "--yes", "--wait")
    assert waiting.stdout is not None
    assert waiting.stdout.readline().startswith(f"! waits for {run(lab, 'pretrain')}, which is ")
    (weights,) = lab.root.rglob("weights")
    (weights.parent / "go").touch()
    assert waiting.wait(timeout=60) == 0
    assert got(lab) == "weights of 0.1\n"


def test_a_search_waits_for_what_its_trials_will_use(lab: Folder) -> None:
    """Before its first trial is proposed, the job that they are made of says what that is."""
    lab.output("apply", "pretrain", "run=until [ -e go ]; do sleep 0.1; done", "--yes")
    start = Stack.reference("pretrain").output("base", "checkpoint")
    job = Job("tuned", run="true", skypilot=SkypilotJobConfig(gpus=0, workdir=None, envs={"START": start, "RATE": "1"}))
    stack = Stack("tune", [Sweep("lr", job, Search(trials=2, space={"RATE": Uniform(0, 1)}), metric="loss")])

    def wait(timeout: float) -> None:
        wait_for_upstream(stack, find_project(lab.root), Silent(), threading.Event(), timeout=timeout)

    with pytest.raises(ExpiacError, match="pretrain did not end"):
        wait(0.5)
    (weights,) = lab.root.rglob("weights")
    (weights.parent / "go").touch()
    wait(60)


def test_the_page_keeps_its_word(project: Folder) -> None:
    """Its two files are stacks, and its commands do what it says."""
    page = (ROOT / "docs" / "stack-references.md").read_text()
    (project.root / "pyproject.toml").write_text("[tool.expiac]\n")
    for name, text in re.findall(r"```python\n# stacks/(\w+\.py)\n(.*?)```", page, re.DOTALL):
        (project.root / "stacks" / name).write_text(text)
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    said = [project.output(*line.split()[1:], *(["--yes"] if " apply " in line else []))
            for line in commands.splitlines()]
    assert "envs.START: ${stack:pretrain:base.checkpoint}\n          pretrain.base.checkpoint: /" in said[1]
    assert Path(said[3].strip()).read_text() == "weights of 0.1\n"
