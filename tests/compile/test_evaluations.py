"""Evaluations: compiled as the project's `[tool.expiac.evaluation]` says, without knowing its trainer."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from expiac import Evaluation, Job, Options, SkypilotJobConfig, Stack, TrainingJob
from expiac.apply.preconditions import refuse_changed_files
from expiac.compile.prepare import desired
from expiac.declare.project import Project, find_project
from expiac.plan.model import Desired
from expiac.plan.planner import plan
from expiac.review.renderings import COMPOSED_FILE, reviewed_files
from expiac.state.model import State
from expiac.util.errors import ExpiacError

EVALUATE = "python evaluate.py"
TRAIN = TrainingJob("train")


def compiled(where: Project, *evaluations: Evaluation) -> dict[str, Desired]:
    stack = Stack("lab", [TRAIN, *evaluations])
    return {want.address: want for want in desired(stack, where)}


def other_project(root: Path, settings: str) -> Project:
    """A project that evaluates in another way, with the format of its configs."""
    (root / "pyproject.toml").write_text(
        f'[tool.expiac]\nrun = "python train.py"\n[tool.expiac.training]\nformat = "yaml"\n'
        f'[tool.expiac.outputs]\ncheckpoint = "out/weights.pt"\n{settings}', encoding="utf-8")
    return find_project(root)


def in_format(root: Path, format: str) -> Project:
    return other_project(root, f'[tool.expiac.evaluation]\nrun = "{EVALUATE}"\nformat = "{format}"\nsuite = "suite"\n'
                               'policy = "weights.path"\n[tool.expiac.evaluation.outputs]\nmetrics = "out/m.jsonl"\n')


def test_it_has_the_policy_and_the_suite_of_its_declaration(project):
    """And the settings of its schema, its own outputs, and the phase as W&B names it."""
    want = compiled(project, Evaluation("final", policy=TRAIN.output("checkpoint"), suite="navigation",
                                        config={"sim": {"episodes": 64}}))["final"]
    config = want.inputs["config"]
    assert config["policy"] == "${oc.env:EXPIAC_REF_train_checkpoint}"
    assert (config["sim"]["episodes"], set(config["sim"]["suites"])) == (64, {"open", "walls", "dense"})
    assert "trainer" not in config
    assert want.inputs["run"].startswith("exec python -m trainer.evaluate_policy ")
    assert set(want.outputs) == {"metrics"}
    assert want.env["WANDB_JOB_TYPE"] == "eval"
    assert (want.depends_on, want.completes) == (("train",), True)


def test_beside_it_a_training_is_what_it_was(project):
    alone = desired(Stack("lab", [TRAIN]), project)[0]
    beside = compiled(project, Evaluation("final", policy=TRAIN.output("checkpoint")))["train"]
    assert dataclasses.replace(beside, needed=()) == alone


def test_a_suite_that_is_not_there_is_refused_with_the_nearest_name(project):
    with pytest.raises(ExpiacError) as refused:
        compiled(project, Evaluation("final", policy="policy.pt", suite="navigaton"))
    assert (refused.value.summary, refused.value.hint) == ("No such config", "did you mean navigation?")
    assert refused.value.detail == "final: there is no configs/sim/navigaton.yaml"


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        (Evaluation("final", policy="s3://a/b"), "policy: no policy can be read from s3://"),
        (Evaluation("final", policy="policy.pt", config={"sim": {"episodes": 0}}), "sim.episodes"),
        (Evaluation("final", policy="policy.pt", config={"trainer": {}}), "trainer"),
        (Evaluation("final", policy=TRAIN.output("weights")), "train.weights"),
    ],
)
def test_a_config_that_its_schema_refuses_is_an_error_of_the_plan(project, evaluation, said):
    with pytest.raises(ExpiacError, match=said):
        compiled(project, evaluation)


def test_a_project_without_a_command_is_told_the_setting(tmp_path):
    where = other_project(tmp_path, "")
    with pytest.raises(ExpiacError) as refused:
        compiled(where, Evaluation("final", policy="policy.pt"))
    assert refused.value.summary == "No evaluation command"
    assert "[tool.expiac.evaluation] run" in refused.value.hint


def test_a_command_of_its_own_does_as_well(tmp_path):
    own = Evaluation("final", policy="policy.pt", skypilot=SkypilotJobConfig(run=EVALUATE))
    assert compiled(other_project(tmp_path, ""), own)["final"].inputs["run"] == EVALUATE


@pytest.mark.parametrize("format", ["yaml", "json", "toml"])
def test_a_config_in_a_file_has_the_policy_in_the_environment(tmp_path, format):
    """A file can't hold an output of another job."""
    want = compiled(in_format(tmp_path, format), Evaluation("final", policy=TRAIN.output("checkpoint"), suite="hard",
                                                            config={"episodes": 3}))["final"]
    assert want.inputs["config"] == {"episodes": 3, "suite": "hard"}
    assert "EXPIAC_POLICY: \"${EXPIAC_REF_train_checkpoint}\"" in want.texts["task.yaml"]
    assert want.depends_on == ("train",)


def test_arguments_name_the_policy_and_the_suite(tmp_path):
    want = compiled(in_format(tmp_path, "args"), Evaluation("final", policy=TRAIN.output("checkpoint"),
                                                            suite="hard"))["final"]
    (run,) = [line for line in want.texts["task.yaml"].splitlines() if line.startswith("run:")]
    assert json.loads(run.removeprefix("run:")) == (
        f'{EVALUATE} --suite=hard --weights.path="${{EXPIAC_REF_train_checkpoint}}"')


def test_an_address_of_a_run_can_not_stand_in_a_variable(tmp_path):
    with pytest.raises(ExpiacError, match="expiac://lab/train@best with format yaml"):
        compiled(in_format(tmp_path, "yaml"), Evaluation("final", policy="expiac://lab/train@best"))


def test_the_policy_suite_and_settings_decide_the_result_and_the_place_does_not(project):
    def digest(**fields) -> str:
        return compiled(project, Evaluation("final", **{"policy": "a.pt", **fields}))["final"].digest

    same = digest()
    assert digest(skypilot=SkypilotJobConfig(gpus=1)) == digest(tags=["t"]) == same
    assert digest(config={"replay_dir": "r"}) == digest(config={"torch_threads": 2}) == same
    others = {digest(policy="b.pt"), digest(suite="navigation"), digest(config={"sim": {"episodes": 3}})}
    assert len({same, *others}) == 4


def test_its_composed_config_is_reviewed(project):
    want = compiled(project, Evaluation("final", policy="a.pt"))["final"]
    files = reviewed_files(want, project, "lab")
    assert set(files) == {"task.yaml", "config.yaml", COMPOSED_FILE}
    assert "policy: a.pt" in files[COMPOSED_FILE]


def test_its_config_is_checked_in_its_own_settings_before_a_saved_plan_is_applied(project):
    """And not in those of trainings, whose schema it would not fit."""
    final = Evaluation("final", policy="a.pt")
    planned = plan(desired(Stack("lab", [TRAIN, final]), project), State("lab", "0" * 32))
    assert {step.address for step in planned.steps} == {"train", "final"}
    refuse_changed_files(planned, project)
    other = dataclasses.replace(project.evaluation, config_name="config")
    with pytest.raises(ExpiacError):
        refuse_changed_files(planned, dataclasses.replace(project, evaluation=other))


def test_an_evaluation_takes_the_settings_of_all_jobs():
    """It refers to jobs, can be protected, and is one that others can refer to."""
    final = Evaluation("final", policy="a.pt", options=Options(protect=True))
    report = Job("report", run=f"cat {final.output('metrics')}")
    assert [one.name for one in Stack("lab", [report, final]).resources] == ["final", "report"]
    with pytest.raises(ExpiacError, match="config is int"):
        Evaluation("final", policy="a.pt", config=3)
