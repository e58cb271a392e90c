"""Sweeps on the local backend, by the real command line: what grows launches what is new, what shrinks stops that."""

from __future__ import annotations

import json

from throwaway import Folder

SWEEP = """\
from expiac import Sweep

def stack():
    job = Job("train", run="sleep 300", skypilot=SkypilotJobConfig(gpus=0, workdir=None,
                                                                   envs={{"RATE": "0", "SEED": "0"}}))
    return Stack("small", [Sweep("lr", job, over={{"RATE": {rates}, "SEED": range(3)}})])
"""


def _apply(project: Folder, rates: str) -> dict[str, str]:
    """The action taken at each address where something happened."""
    project.stack(SWEEP.format(rates=rates))
    plan = json.loads(project.output("plan", "--json"))
    project.output("apply", "--yes")
    return {step["address"]: step["action"] for step in plan["steps"] if step["action"] != "keep"}


def _instances(project: Folder) -> dict[str, str]:
    return {run["address"]: run["instance"] for run in json.loads(project.output("status", "--json"))["resources"]}


def test_a_grid_grows_and_shrinks(project: Folder) -> None:
    first = _apply(project, "[0.1, 0.3, 0.9]")
    assert list(first.values()) == ["create"] * 9
    runs = _instances(project)
    grown = _apply(project, "[0.1, 0.2, 0.3, 0.9]")
    assert grown == {f"lr/RATE_0_2-SEED_{seed}": "create" for seed in range(3)}
    assert {address: one for address, one in _instances(project).items() if address in runs} == runs
    shrunk = _apply(project, "[0.1, 0.3, 0.9]")
    assert shrunk == {f"lr/RATE_0_2-SEED_{seed}": "stop" for seed in range(3)}
    assert _instances(project) == runs
    project.output("destroy", "--yes")


def test_a_sweep_on_the_command_line(project: Folder) -> None:
    """Its trials are jobs of the stack; the settings are told among those of the apply, and can be given again."""
    project.stack("""
class LabConfig(ExperimentConfig):
    name: str = "lab"
    rate: float = 0.1
    seed: int = 0
    hint: str = "a"

def stack(config: LabConfig) -> Stack:
    return Stack(config.name, [Job("train", run=f"echo {config.rate} {config.seed} {config.hint}", skypilot=HERE)])
""")
    words = ("--sweep", "rate=1e-3,2e-3", "seed=range(2)", "hint='b c','s3://d:1/e'")
    project.output("apply", "--yes", "--wait", *words)
    assert len(_instances(project)) == 8
    said = sorted(project.output("logs", "lab", name) for name in _instances(project) if "rate_0_002-seed_1" in name)
    assert said == ["0.002 1 b c\n", "0.002 1 s3://d:1/e\n"]
    again = json.loads(project.output("plan", "--json", *words))
    assert {step["action"] for step in again["steps"]} == {"keep"}
    refused = project.expiac("plan", "--sweep", "seed=3")
    assert refused.returncode == 64
    assert "no setting has several values" in refused.stderr


def test_a_sweep_of_a_stack_of_several_jobs(project: Folder) -> None:
    """Each trial is a component with the jobs of its stack, and its jobs refer to each other."""
    project.stack("""
class LabConfig(ExperimentConfig):
    name: str = "lab"
    rate: float = 0.1

def stack(config: LabConfig) -> Stack:
    base = Job("base", run=f"echo {config.rate} > out.txt", skypilot=HERE, outputs={"file": "out.txt"})
    return Stack(config.name, [base, Job("use", run=f"cat {base.output('file')}", skypilot=HERE)])
""")
    project.output("apply", "--yes", "--wait", "--sweep", "rate=1,2")
    assert project.output("logs", "lab", "sweep/rate_2/use") == "2.0\n"
    assert len(_instances(project)) == 4
