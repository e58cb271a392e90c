"""How a job gets its training config: through Hydra, as a file, or as arguments of its command."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path
from typing import Any

import attr
import pytest
import yaml
from pydantic import BaseModel, Field

from expiac import Job, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from expiac.compile.prepare import desired
from expiac.declare.project import Project, find_project
from expiac.plan.model import Desired
from expiac.util.errors import ExpiacError


class Optimizer(BaseModel):
    lr: float = 0.1
    betas: list[float] = Field(default_factory=lambda: [0.9, 0.99])


class Model(BaseModel):
    depth: int = 3
    optimizer: Optimizer = Field(default_factory=Optimizer)


@attr.s(auto_attribs=True)
class Digits:
    lr: float = 0.1
    name: str = "a b"


WHOLE = {"depth": 3, "optimizer": {"lr": 0.5, "betas": [0.9, 0.99]}}


def project(folder: Path, text: str = "") -> Project:
    (folder / "pyproject.toml").write_text(f"[tool.expiac]\n{text}")
    return find_project(folder)


def compiled(where: Project, trainer: Any, **fields: Any) -> Desired:
    job = TrainingJob("train", training=TrainingRunConfig(trainer=trainer, **fields),
                      skypilot=SkypilotJobConfig(run="python train.py"))
    (want,) = desired(Stack("lab", [job]), where)
    return want


def task(want: Desired) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(want.texts["task.yaml"])
    return found


@pytest.mark.parametrize(("format", "read"), [
    ("yaml", yaml.safe_load), ("json", json.loads), ("toml", tomllib.loads)])
def test_a_script_reads_a_file(tmp_path, format, read):
    """All of the config, defaults too: there is nothing beneath it."""
    where = project(tmp_path, f'[tool.expiac.training]\nformat = "{format}"\n')
    want = compiled(where, Model(optimizer=Optimizer(lr=0.5)))
    assert read(want.texts[f"config.{format}"]) == WHOLE == want.inputs["config"]
    assert task(want)["envs"]["EXPIAC_CONFIG"] == f"configs/experiments/@instance@.{format}"


@pytest.mark.parametrize("config", [Model(optimizer=Optimizer(lr=0.5)), WHOLE])
def test_a_key_holds_the_config(tmp_path, config):
    """And other values stand beside it."""
    where = project(tmp_path, '[tool.expiac.training]\nformat = "yaml"\nkey = "model.net"\nvalues = { seed = 1 }\n')
    assert compiled(where, config).inputs["config"] == {"seed": 1, "model": {"net": WHOLE}}
    assert compiled(where, config, key="", seed=2).inputs["config"] == {"seed": 2, **WHOLE}


def test_with_hydra_only_what_is_named_is_written(tmp_path):
    """The rest is left to the files under configs/."""
    want = compiled(project(tmp_path), Model(optimizer=Optimizer(lr=0.5)))
    assert want.inputs["config"] == {"defaults": ["_self_"], "optimizer": {"lr": 0.5}}


def test_arguments_reach_the_script_as_they_were(tmp_path):
    """Whatever a shell would make of them."""
    config = {"lr": 1e-05, "name": "it's $HOME", "amp": True, "shuffle": False, "none": None, "betas": [0.9, "x y"],
              "model": {"depth": 3}}
    run = task(compiled(project(tmp_path), config, format="args"))["run"]
    assert shlex.split(run) == ["python", "train.py", "--lr=1e-05", "--name=it's $HOME", "--amp", "--no-shuffle",
                                "--betas", "0.9", "x y", "--model.depth=3"]


def test_an_output_of_another_job_is_an_argument(tmp_path):
    """The shell reads its value at the launch, spaces and all; a file can't."""
    base = Job("base", run="true", outputs={"weights": "w.pt"})
    where = project(tmp_path)

    def stack(format: Any) -> Stack:
        training = TrainingRunConfig(format=format, trainer={"init": base.output("weights")})
        return Stack("lab", [base, TrainingJob("train", training=training,
                                               skypilot=SkypilotJobConfig(run="python train.py"))])

    run = task(desired(stack("args"), where)[1])["run"]
    assert run == 'python train.py --init="${EXPIAC_REF_base_weights}"'
    with pytest.raises(ExpiacError, match="Ref out of place"):
        desired(stack("json"), where)


def test_an_attrs_class_is_a_config(tmp_path):
    assert compiled(project(tmp_path), Digits(lr=0.2), format="json").inputs["config"] == {"lr": 0.2, "name": "a b"}


def test_toml_has_no_null(tmp_path):
    with pytest.raises(ExpiacError, match="No null in TOML") as caught:
        compiled(project(tmp_path), {"a": {"b": None}}, format="toml")
    assert "a.b" in caught.value.detail


def test_groups_need_hydra(tmp_path):
    with pytest.raises(ExpiacError, match="Groups without Hydra"):
        compiled(project(tmp_path), {}, format="yaml", agent="wide")


def test_the_project_says_what_configs_stand_on(tmp_path):
    """A job chooses other options of its groups, in their places; further groups come last; or it has its own list."""
    where = project(tmp_path, '[tool.expiac.training]\ndefaults = ["/base", {"/model" = "small"}, '
                              '{"/data/text@data" = "wiki"}]\n')
    chosen = compiled(where, None, defaults={"model": "large", "/data/images@data": "digits", "opt": "sgd"})
    assert chosen.inputs["config"]["defaults"] == [
        "/base", {"/model": "large"}, {"/data/images@data": "digits"}, {"/opt": "sgd"}, "_self_"]
    own = compiled(where, None, defaults=["/other"])
    assert own.inputs["config"]["defaults"] == ["/other", "_self_"]


def test_a_config_has_no_defaults_list_of_its_own(tmp_path):
    with pytest.raises(ExpiacError, match="Hydra's own key"):
        compiled(project(tmp_path), {"defaults": []})


SCHEMA = '''
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Optional

class Size(str, Enum):
    small = "small"

@dataclass
class Layer:
    width: int = 8
    kind: Literal["conv", "linear"] = "conv"

@dataclass
class Config:
    lr: float = 0.1
    size: Size = Size.small
    note: Optional[str] = None
    layers: list[list[Layer]] = field(default_factory=list)

@dataclass
class Unusable:
    lr: float
    hook: "NoSuchType"
'''


@pytest.mark.parametrize("format", ["hydra", "yaml", "args"])
@pytest.mark.parametrize(("config", "problem"), [
    ({"layers": [[{"kind": "conv"}]], "size": "small"}, ""),
    ({"layers": [[{"kind": "lstm"}]]}, "layers.0.0.kind: Input should be 'conv' or 'linear' (got 'lstm')"),
    ({"lrr": 1}, "lrr: "),
    ({"lr": "fast"}, "lr: "),
])
def test_what_omegaconf_cannot_hold_is_checked_by_pydantic(tmp_path, format, config, problem):
    """A Literal, lists of lists: the same with Hydra as without."""
    module = f"schema_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{module}.py").write_text(SCHEMA)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "config.yaml").write_text("lr: 0.2\nlayers: []\n")
    where = project(tmp_path, f'schema = "{module}:Config"\nrun = "python train.py +experiments=$EXPIAC_INSTANCE"\n'
                              f'[tool.expiac.training]\nformat = "{format}"\n')
    if not problem:
        assert compiled(where, config).inputs["config"]["size"] == "small"
        return
    with pytest.raises(ExpiacError, match="Invalid training config") as caught:
        compiled(where, config)
    assert caught.value.detail.startswith("train: ")
    assert problem.split(":")[0] in caught.value.detail


def test_a_schema_that_cannot_be_used_names_the_field(tmp_path):
    """In three lines."""
    (tmp_path / "schema_unusable.py").write_text(SCHEMA)
    where = project(tmp_path, 'schema = "schema_unusable:Unusable"\n[tool.expiac.training]\nformat = "yaml"\n')
    with pytest.raises(ExpiacError, match="Schema can't be used") as caught:
        compiled(where, {"lr": 1})
    assert "hook" in caught.value.detail
    assert "\n" not in caught.value.detail


def test_a_hydra_app_without_a_schema_is_composed(tmp_path):
    """With its own primary config: a changed default is a change of the run."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "main.yaml").write_text("lr: 0.2\nname: none\n")
    where = project(tmp_path, 'configs = "conf"\nrun = "python train.py +experiments=$EXPIAC_INSTANCE '
                              'name=$EXPIAC_INSTANCE"\n[tool.expiac.training]\nconfig_name = "main"\n')
    assert compiled(where, {"lr": 0.5}).inputs["config"] == {"lr": 0.5, "name": "@instance@"}
    assert compiled(where, None).inputs["config"] == {"lr": 0.2, "name": "@instance@"}


def test_outputs_lie_in_the_folder_of_results(tmp_path):
    """Of a job of any kind."""
    where = project(tmp_path, 'data_dir = "runs"\n[tool.expiac.outputs]\n'
                              'metrics = "${DATA_DIR}/$EXPIAC_INSTANCE/metrics.jsonl"\n')
    assert compiled(where, {}, format="yaml").outputs == {"metrics": "runs/@instance@/metrics.jsonl"}
    (job,) = desired(Stack("lab", [Job("a", run="true", outputs={"all": "$DATA_DIR/all"})]), where)
    assert job.outputs == {"all": "runs/all"}


def test_a_job_asks_for_no_gpu_unless_it_says_so(tmp_path):
    """A training job for one; saying the default changes nothing."""
    where = project(tmp_path, 'backend = "k8s"\naccelerator = "H100"\n')
    job, asking, training, saying = desired(Stack("lab", [
        Job("a", run="wc -l"), Job("b", run="true", skypilot=SkypilotJobConfig(gpus=2)),
        TrainingJob("c"), TrainingJob("d", skypilot=SkypilotJobConfig(gpus=1))]), where)
    assert "accelerators" not in task(job)["resources"]
    assert task(asking)["resources"]["accelerators"] == "H100:2"
    assert task(training)["resources"]["accelerators"] == "H100:1"
    assert training.inputs == saying.inputs


def test_a_primary_config_that_names_such_a_schema_is_told_the_field(tmp_path):
    """And how to go on; Hydra would say that a file is missing."""
    (tmp_path / "schema_literal.py").write_text(SCHEMA)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "config.yaml").write_text("defaults: [root_schema, _self_]\n")
    where = project(tmp_path, 'schema = "schema_literal:Layer"\n'
                              'run = "python train.py +experiments=$EXPIAC_INSTANCE"\n')
    with pytest.raises(ExpiacError, match="Schema can't be used") as caught:
        compiled(where, {"width": 4})
    assert "kind: Unexpected type annotation" in caught.value.detail
    assert "root_schema" in caught.value.hint
