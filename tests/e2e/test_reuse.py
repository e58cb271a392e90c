"""Results of real jobs stand again: while their code and their outputs are there, and not otherwise."""

from __future__ import annotations

import json
import shutil

import pytest
from throwaway import Folder

STACK = """
from dataclasses import dataclass

@dataclass
class Config:
    lrs: tuple[float, ...] = (1.0, 5.0)

def stack(config: Config) -> Stack:
    def job(place, lr):
        run = f"cp train.py code; sleep 0.2; echo {lr} > out; [ {lr} != 13.0 ] || [ -e again ] || ! touch again"
        return Job(f"job_{place}", run=run, outputs={"result": "out"}, skypilot=SkypilotJobConfig(gpus=0))
    return Stack("small", [job(place, lr) for place, lr in enumerate(config.lrs)])
"""


@pytest.fixture
def lab(project: Folder) -> Folder:
    project.stack(STACK)
    (project.root / "train.py").write_text("print(1)\n", encoding="utf-8")
    return project


def plan(lab: Folder, *words: str) -> dict[str, tuple[str, str]]:
    """The action and the reason of each step."""
    return {step["address"]: (step["action"], step["reason"]) for step in lab.said("plan", *words)["steps"]}


def results(lab: Folder) -> dict[str, str]:
    """The instance of each job."""
    return {one["address"]: one["instance"] for one in lab.said("status")["resources"]}


def test_a_setting_added_and_taken_away_makes_no_result_anew(lab: Folder) -> None:
    """Jobs are named by their position, and a result keeps its own name."""
    lab.apply("small")
    first = results(lab)
    lab.apply("small", "lrs=0.5,1.0,5.0")
    second = results(lab)
    assert (second["job_1"], second["job_2"]) == (first["job_0"], first["job_1"])
    lab.apply("small", "lrs=5.0,")
    assert results(lab) == {"job_0": first["job_1"]}
    lab.apply("small", "lrs=0.5,1.0,5.0")
    assert set(results(lab).values()) == set(second.values())
    assert len(lab.launches()) == 3


def test_a_result_of_other_code_is_named_and_made_anew(lab: Folder) -> None:
    """`--reuse` takes it, and a change in the stack file alone makes no difference."""
    lab.apply("small", "lrs=1.0,")
    (result,) = results(lab).values()
    lab.apply("small", "lrs=2.0,")
    lab.stack(STACK + "\n# a remark\n")
    assert plan(lab, "small", "lrs=1.0,")["job_0"][0] == "restore"
    (lab.root / "train.py").write_text("print(2)\n", encoding="utf-8")
    why = f"a new run; {result} had these settings, and other code than the present one (--reuse takes it)"
    assert plan(lab, "small", "lrs=1.0,")["job_0"] == ("replace", why)
    assert plan(lab, "small", "lrs=1.0,", "--reuse")["job_0"][0] == "restore"
    (lab.root / "train.py").write_text("print(1)\n", encoding="utf-8")
    assert plan(lab, "small", "lrs=1.0,")["job_0"][0] == "restore"
    assert plan(lab, "small", "lrs=1.0,", "--fresh")["job_0"][0] == "replace"


def test_a_result_whose_outputs_are_gone_is_made_anew(lab: Folder) -> None:
    lab.apply("small", "lrs=1.0,")
    (result,) = results(lab).values()
    lab.apply("small", "lrs=2.0,")
    (lab.root / f".expiac/local/{result}/home/sky_workdir/out").unlink()
    assert plan(lab, "small", "lrs=1.0,", "--reuse")["job_0"][1].endswith("and its result is gone")
    shutil.rmtree(lab.root / f".expiac/local/{result}")
    assert plan(lab, "small", "lrs=1.0,")["job_0"][1].endswith("and is gone")


def test_a_run_that_failed_goes_on_in_its_folder(lab: Folder) -> None:
    """After other settings were tried in between; its second launch finds what the first one left."""
    assert lab.expiac("apply", "small", "lrs=13.0,", "--yes", "--wait").returncode == 1
    (failed,) = results(lab).values()
    lab.apply("small", "lrs=2.0,")
    assert plan(lab, "small", "lrs=13.0,")["job_0"][0] == "relaunch"
    lab.apply("small", "lrs=13.0,")
    assert results(lab) == {"job_0": failed}


def test_what_is_restored_is_shown_as_kept(lab: Folder) -> None:
    lab.apply("small", "lrs=1.0,")
    (result,) = results(lab).values()
    lab.apply("small", "lrs=2.0,")
    text = lab.output("plan", "small", "lrs=1.0,")
    assert f"= job_0   {result} had these settings, and succeeded\n\n1 to restore" in text
    events = [json.loads(line) for line in lab.output("apply", "small", "lrs=1.0,", "--yes", "--json").splitlines()]
    assert [(event["event"], event["status"]) for event in events if event["event"] == "step_ended"] == [
        ("step_ended", "succeeded")]


@pytest.mark.parametrize("words", [(), ("--reuse",)])
def test_a_saved_plan_of_a_result_that_is_gone_since_is_refused(lab: Folder, words: tuple[str, ...]) -> None:
    """So is one of a result that other code made, unless the plan was made with `--reuse`."""
    lab.apply("small", "lrs=1.0,")
    (result,) = results(lab).values()
    lab.apply("small", "lrs=2.0,")
    assert lab.expiac("plan", "small", "lrs=1.0,", *words, "--out", "small.plan").returncode == 0
    (lab.root / "train.py").write_text("print(2)\n", encoding="utf-8")
    if not words:
        said = lab.expiac("apply", "small.plan", "--yes")
        assert (said.returncode, f"{result} was to be used again, and other code" in said.stderr) == (1, True), said
    (lab.root / "train.py").write_text("print(1)\n", encoding="utf-8")
    (lab.root / f".expiac/local/{result}/home/sky_workdir/out").unlink()
    said = lab.expiac("apply", "small.plan", "--yes")
    assert (said.returncode, f"{result} was to be used again, and its result is gone" in said.stderr) == (1, True), said
    assert results(lab) != {"job_0": result}
