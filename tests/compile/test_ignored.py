"""A declaration that ignores changes is taken as if it said what is recorded, in all that is rendered from it."""

from __future__ import annotations

import yaml

from expiac.compile.prepare import desired
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.options import Options
from expiac.declare.stack import Stack
from expiac.declare.training import TrainingJob, TrainingRunConfig
from expiac.plan.model import Action
from expiac.plan.planner import plan
from expiac.state.events import Effect, EffectDone, Entry, Started
from expiac.state.fold import fold
from expiac.state.model import State
from expiac.state.status import Status
from trainer.config import OptimizerConfig, TrainerConfig

SMALL = "env/mettagrid/curriculum/arena/small"


def training(rate: float, *ignored: str, gpus: int = 1, seed: int = 0) -> Stack:
    run = TrainingRunConfig(curriculum=SMALL, seed=seed,
                            trainer=TrainerConfig(optimizer=OptimizerConfig(learning_rate=rate)))
    return Stack("lab", [TrainingJob("job", training=run, options=Options(ignore_changes=ignored),
                                     skypilot=SkypilotJobConfig(workdir=None, gpus=gpus))])


def applied(stack: Stack, project) -> State:
    """The state once all of the stack runs."""
    state = State("lab", "0" * 32)
    events = [event for step in plan(desired(stack, project), state).steps for event in (
        Started(step.address, Effect.CREATE, step.type, "local", step.run, inputs=step.desired.inputs),
        EffectDone(step.address, Status.RUNNING))]
    return fold(state, [Entry(number, "", event) for number, event in enumerate(events, 1)])


def test_a_config_key_that_is_ignored_keeps_its_value_in_the_text(project):
    """Nothing changes; and where something else does, the new run is rendered with the old value."""
    path = "trainer.optimizer.learning_rate"
    state = applied(training(0.01), project)
    same = plan(desired(training(0.02, path), project, state.records), state)["job"]
    other = plan(desired(training(0.02, path, seed=7), project, state.records), state)["job"]
    assert (same.action, other.action) == (Action.KEEP, Action.REPLACE)
    assert [change.path for change in other.changes] == ["seed"]
    text = yaml.safe_load(other.desired.texts["config.yaml"])
    assert (text["trainer"]["optimizer"]["learning_rate"], text["seed"]) == (0.01, 7)


def test_a_value_from_configs_that_is_ignored_keeps_too(own):
    """It is written into the run's own config, where it wins."""
    state = applied(training(0.01), own)
    agent = own.root / "configs" / "agent" / "fast.yaml"
    agent.write_text(agent.read_text().replace("hidden_size: 128", "hidden_size: 64"))
    assert plan(desired(training(0.01), own, state.records), state)["job"].action is Action.REPLACE
    kept = plan(desired(training(0.01, "agent.hidden_size"), own, state.records), state)["job"]
    assert kept.action is Action.KEEP
    assert yaml.safe_load(kept.desired.texts["config.yaml"])["agent"]["hidden_size"] == 128


def test_a_placement_that_is_ignored_stays_in_the_task(project):
    """A relaunch runs where it ran."""
    state = applied(training(0.01, gpus=1), project)
    step = plan(desired(training(0.01, "gpus", gpus=8), project, state.records), state)["job"]
    assert (step.action, step.desired.inputs.get("gpus")) == (Action.KEEP, None)
    assert yaml.safe_load(step.desired.texts["task.yaml"])["resources"]["accelerators"] == "H100:1"


def test_a_command_and_a_variable_that_are_ignored(project):
    """Of a plain job: its command, and one of its variables."""
    def job(word: str, *ignored: str) -> Stack:
        return Stack("lab", [Job("job", run=f"echo {word}", options=Options(ignore_changes=ignored),
                                 skypilot=SkypilotJobConfig(workdir=None, envs={"A": word, "B": "same"}))])

    state = applied(job("old"), project)
    step = plan(desired(job("new", "run", "envs.A"), project, state.records), state)["job"]
    task = yaml.safe_load(step.desired.texts["task.yaml"])
    assert (step.action, task["run"].strip()) == (Action.KEEP, "echo old")
    assert task["envs"] == {"DATA_DIR": "./train_dir", "A": "old", "B": "same"}
    assert plan(desired(job("new", "run"), project, state.records), state)["job"].action is Action.REPLACE


def test_a_new_job_has_nothing_to_keep(project):
    """What it declares is what it gets."""
    step = plan(desired(training(0.02, "trainer.*"), project, {}), State("lab", "0" * 32))["job"]
    assert step.desired.inputs["config"]["trainer"]["optimizer"]["learning_rate"] == 0.02
