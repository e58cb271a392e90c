"""A new project as its owner finds it: it trains, its tests pass, its code is clean."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import expiac.scaffold
from expiac.scaffold.create import create

EXAMPLE = Path(expiac.scaffold.__file__).parent / "example"
ENOUGH = 0.97
PYTEST = ("-m", "pytest", "-p", "expiac.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:importnb")


def test_its_snapshots_are_what_its_stack_renders_to(demo, pytestconfig):
    """`make snapshots` renders them anew."""
    create(str(demo.folder), bare=False)
    shipped, written = EXAMPLE / "snapshots", demo.folder / "snapshots"
    if pytestconfig.option.update_snapshots:
        shutil.rmtree(written)
        demo.output("-m", "expiac", "review", "--accept")
        shutil.copytree(written, shipped, dirs_exist_ok=True)
    assert demo.output("-m", "expiac", "review", "--check").strip() == "2 as reviewed"


@pytest.mark.slow
def test_its_code_is_clean(demo):
    """By the checks of the project, and with its types checked strictly."""
    create(str(demo.folder), bare=False)
    demo.output("-m", "ruff", "check", "--no-cache", ".")
    demo.output("-m", "mypy", "--strict", "--ignore-missing-imports", "--no-incremental", "trainer", "stacks")


@pytest.mark.slow
def test_it_trains_two_networks(demo):
    """Each to the accuracy that is promised; the next plan is empty."""
    create(str(demo.folder), bare=False)
    demo.output("-m", "expiac", "apply", "digits", "--yes", "--wait")
    jobs = json.loads(demo.output("-m", "expiac", "status", "digits", "--json"))["resources"]
    ended = {job["address"]: (job["status"], job["progress"]["metrics"]["accuracy"]) for job in jobs}
    assert {name: status for name, (status, _) in ended.items()} == {"sgd": "succeeded", "adam": "succeeded"}
    assert min(accuracy for _, accuracy in ended.values()) >= ENOUGH
    assert demo.python("-m", "expiac", "plan", "digits", "--detailed-exitcode").returncode == 0


@pytest.mark.slow
def test_an_edit_of_a_config_replaces_the_run_that_stands_on_it(demo):
    """As its README says."""
    create(str(demo.folder), bare=False)
    demo.output("-m", "expiac", "apply", "digits", "epochs=1", "--yes", "--wait")
    file = demo.folder / "configs" / "optimizer" / "sgd.yaml"
    file.write_text(file.read_text().replace("0.05", "0.02"))
    plan = json.loads(demo.output("-m", "expiac", "plan", "digits", "epochs=1", "--json"))
    assert {step["address"]: step["action"] for step in plan["steps"]} == {"sgd": "replace", "adam": "keep"}


@pytest.mark.slow
@pytest.mark.parametrize("bare", [False, True])
def test_its_tests_pass(bare, demo):
    """From the first minute."""
    create(str(demo.folder), bare=bare)
    printed = demo.output(*PYTEST)
    assert ("passed" in printed, "failed" in printed) == (not bare, False)


@pytest.mark.slow
def test_a_change_of_its_stack_fails_its_snapshots(demo):
    """Until it is reviewed, by whichever way."""
    create(str(demo.folder), bare=False)
    stack = demo.folder / "stacks" / "digits.py"
    stack.write_text(stack.read_text().replace("epochs: int = 30", "epochs: int = 31"))
    assert demo.python(*PYTEST, "tests/test_stacks.py").returncode == 1
    demo.output("-m", "expiac", "review", "--accept")
    demo.output(*PYTEST, "tests/test_stacks.py")
    accepted = {path: path.read_bytes() for path in (demo.folder / "snapshots").rglob("*.yaml")}
    for path in accepted:
        path.write_text("old\n")
    demo.output(*PYTEST, "tests/test_stacks.py", "--snapshot-update")
    assert {path: path.read_bytes() for path in (demo.folder / "snapshots").rglob("*.yaml")} == accepted


@pytest.mark.slow
def test_a_bare_project_takes_a_first_stack(demo):
    """The one in its README, and a trainer of one's own."""
    create(str(demo.folder), bare=True)
    text = (demo.folder / "README.md").read_text()
    (demo.folder / "stacks" / "first.py").write_text(text.split("```python\n")[1].split("```")[0])
    demo.output("-m", "expiac", "apply", "first", "--yes", "--wait")
    assert "hello" in demo.output("-m", "expiac", "logs", "first")

    shutil.copytree(EXAMPLE / "trainer", demo.folder / "trainer", ignore=shutil.ignore_patterns("__pycache__"))
    (demo.folder / "stacks" / "own.py").write_text(
        "from expiac import SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig\n"
        "training = TrainingRunConfig(trainer={'epochs': 1})\n"
        "own = Stack('own', [TrainingJob('train', skypilot=SkypilotJobConfig(gpus=0), training=training)])\n")
    demo.output("-m", "expiac", "apply", "own", "--yes", "--wait")
    (status,) = json.loads(demo.output("-m", "expiac", "status", "own", "--json"))["resources"]
    assert (status["status"], status["progress"]["step"]) == ("succeeded", 1)
