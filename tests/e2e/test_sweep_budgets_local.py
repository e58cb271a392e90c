"""The budget of a sweep of real processes: how many run at once, what is stopped, and what a killed apply leaves."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from throwaway import Folder, until

STACK = """\
from expiac import Stack, Sweep

class Lab(ExperimentConfig):
    name: str = "small"
    gpu_hours: float | None = None
    limit: str | None = None
    trials: int = 3
    run: str = "sleep 300"

def stack(config: Lab) -> Stack:
    place = SkypilotJobConfig(gpus=1, cpus=1, workdir=None, max_runtime=config.limit)
    job = Job("train", run=config.run, skypilot=place)
    sweep = Sweep("lr", job, over={"envs.SEED": range(config.trials)}, gpu_hours=config.gpu_hours)
    return Stack(config.name, [sweep])
"""


@pytest.fixture
def lab(project: Folder) -> Folder:
    project.stack(STACK)
    return project


def _sweep(lab: Folder) -> Any:
    return lab.said("status", "small")["sweeps"]["lr"]


def _counting(folder: Path) -> str:
    """A command that writes down how many of its kind run beside it, and that it ran."""
    folder.mkdir()
    return (f"mkdir {folder}/live_$SEED; ls -d {folder}/live_* | wc -l >> {folder}/counts; sleep 0.4; "
            f"rmdir {folder}/live_$SEED; echo $SEED >> {folder}/done")


def _numbers(file: Path) -> list[int]:
    return [int(line) for line in file.read_text(encoding="utf-8").split()]


def test_as_many_run_at_once_as_their_worst_case_allows(lab: Folder, tmp_path: Path) -> None:
    """Two of ten seconds fit in twenty-five; each that ends early leaves room for the next one."""
    words = ("small", "gpu_hours=0.00695", "limit=10", "trials=5", f"run={_counting(tmp_path / 'counted')}")
    assert len([step for step in lab.said("plan", *words)["steps"] if step["deferred"]]) == 3
    lab.apply(*words)
    assert max(_numbers(tmp_path / "counted" / "counts")) <= 2
    assert sorted(_numbers(tmp_path / "counted" / "done")) == [0, 1, 2, 3, 4]


def test_what_runs_is_stopped_and_goes_on_with_a_larger_budget(lab: Folder) -> None:
    done = lab.expiac("apply", "small", "gpu_hours=0.0005", "--yes", "--wait")
    assert done.returncode == 1
    assert "stopped, since the budget is spent: lr/SEED_" in done.stderr
    assert (len(lab.launches()), lab.alive()) == (3, [])
    sweep = _sweep(lab)
    assert (sweep["ended"], sweep["gpu_hours"], bool(sweep["spent"])) == (3, 0.0005, True)
    plan = lab.output("plan", "small", "gpu_hours=0.0005")
    assert "3 not launched until there is more" in plan
    assert "3 to relaunch (3 deferred)" in plan
    assert lab.expiac("apply", "small", "gpu_hours=0.0005", "--yes").returncode == 1
    assert len(lab.launches()) == 3
    lab.output("apply", "small", "gpu_hours=9", "--yes")
    assert (len(lab.launches()), len(lab.alive())) == (6, 3)


def test_after_a_kill_the_next_apply_knows_what_was_used(lab: Folder) -> None:
    """The trials went on alone, and their time is that of their own records."""
    waiting = lab.begin("apply", "small", "gpu_hours=0.0008", "--yes", "--wait")
    until(lambda: len([one for one in lab.launches() if (one / "started.json").exists()]) == 3, "all run")
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.communicate()
    assert len(lab.alive()) == 3
    until(lambda: _sweep(lab)["spent"], "the budget is used up")
    assert "to stop" in lab.output("plan", "small", "gpu_hours=0.0008")
    assert lab.expiac("apply", "small", "gpu_hours=0.0008", "--yes").returncode == 1
    assert (len(lab.launches()), lab.alive()) == (3, [])


def test_killed_at_random_instants_it_never_exceeds_the_budget(lab: Folder, tmp_path: Path) -> None:
    """With a `max_runtime`, the worst case of all that was launched fits at any instant, whoever counts it."""
    words = ("small", "gpu_hours=0.01", "limit=10", "trials=8", f"run={_counting(tmp_path / 'counted')}")
    chance = random.Random(0)
    for _ in range(4):
        apply = lab.begin("apply", *words, "--yes", "--wait")
        time.sleep(chance.uniform(1.0, 3.0))
        if apply.poll() is None:
            os.kill(apply.pid, signal.SIGKILL)
        apply.communicate()
    lab.apply(*words)
    assert max(_numbers(tmp_path / "counted" / "counts")) <= 3
    assert sorted(_numbers(tmp_path / "counted" / "done")) == list(range(8))
    assert 0 < _sweep(lab)["gpu_hours_used"] < 0.01


def test_what_runs_of_a_search_is_stopped_and_goes_on_too(project: Folder) -> None:
    """Its trials are no failures: the search waits for them."""
    declared = """\
from expiac import Search, Stack, Sweep

def stack():
    place = SkypilotJobConfig(gpus=1, cpus=1, workdir=None)
    search = Search(trials=6, max_concurrent=2, space={"envs.RATE": [1, 2, 3]}, gpu_hours=HOURS)
    return Stack("small", [Sweep("lr", Job("train", run="sleep 300", skypilot=place), search, metric="score")])
"""
    project.stack(declared.replace("HOURS", "3").replace("workdir=None", "workdir=None, max_runtime='2h'"))
    plan = project.said("plan")
    assert [step["address"] for step in plan["steps"]] == ["lr/trial_0"]
    assert "; not begun yet: trial_1, waits for the budget of lr" in plan["outlook"][0]
    project.stack(declared.replace("HOURS", "0.0005"))
    assert project.expiac("apply", "--yes", "--wait").returncode == 1
    assert (len(project.launches()), project.alive()) == (2, [])
    outlook = project.said("plan")["outlook"]
    assert outlook[0].startswith("lr: 2 of 6 trials, no more: its trials have used 0.00")
    assert outlook[1].endswith("2 not launched until there is more")
    project.stack(declared.replace("HOURS", "9"))
    project.output("apply", "--yes")
    assert sorted(launch.name for launch in project.launches()) == ["1", "1", "2", "2"]
    assert len(project.alive()) == 2
