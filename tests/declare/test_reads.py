"""A setting that nothing reads has no effect, and is told; one that anything reads, in whatever way, is not."""

from __future__ import annotations

import pytest

from expiac.declare.program import load
from expiac.declare.reads import reads_of

HEAD = """
import dataclasses, operator
from typing import Any
import attrs
import dataclasses_json
from pydantic import BaseModel, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass as checked
from expiac import *
from expiac.declare.config import Config

def job(text: Any = "", **fields: Any) -> Job:
    return Job("hello", run=f"echo {text}", **fields)

"""
CLASSES = {
    "experiment": "class Lab(ExperimentConfig):\n    name: str = 'lab'\n    gpus: int = 1\n    other: int = 1",
    "config": "class Lab(Config):\n    gpus: int = 1\n    other: int = 1",
    "dataclass": "@dataclasses.dataclass\nclass Lab:\n    gpus: int = 1\n    other: int = 1",
    "frozen": "@dataclasses.dataclass(frozen=True, slots=True)\nclass Lab:\n    gpus: int = 1\n    other: int = 1",
    "checked": "@checked\nclass Lab:\n    gpus: int = 1\n    other: int = 1",
    "model": "class Lab(BaseModel):\n    gpus: int = 1\n    other: int = 1",
    "frozen model": "class Lab(BaseModel, frozen=True):\n    gpus: int = 1\n    other: int = 1",
    "attrs": "@attrs.define\nclass Lab:\n    gpus: int = 1\n    other: int = 1",
    "frozen attrs": "@attrs.frozen\nclass Lab:\n    gpus: int = 1\n    other: int = 1",
}
STACK = "\n\ndef stack(config: Lab) -> Stack:\n    {}\n    return Stack('lab', [job()])\n"


def unread(write, project, text: str, *overrides: str) -> tuple[str, ...]:
    write(HEAD + text)
    return load(project, "lab", overrides).unread


@pytest.mark.parametrize("kind", CLASSES)
def test_a_setting_that_nothing_reads_is_told(project, write, kind):
    """Of each class that a config may have; only what you set, since a default asks for nothing."""
    text = CLASSES[kind] + STACK.format("config.other")
    assert unread(write, project, text, "gpus=4", "other=2") == ("gpus",)
    assert unread(write, project, text, "other=2") == ()


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("read", [
    "config.gpus", "getattr(config, 'gpus')", "operator.attrgetter('gpus')(config)", "vars(config)['gpus']",
    "TypeAdapter(Lab).dump_python(config)", "repr(config)", "config == Lab()",
])
def test_each_way_to_read_counts(project, write, kind, read):
    """Also that of a library."""
    if kind in ("frozen", "attrs", "frozen attrs"):
        read = read.replace("vars(config)['gpus']", "config.gpus")  # with slots, and so without vars
    if "attrs" in kind and "TypeAdapter" in read:
        read = "attrs.asdict(config)"
    assert unread(write, project, CLASSES[kind] + STACK.format(read), "gpus=4") == ()


@pytest.mark.parametrize(("kind", "read"), [
    ("experiment", "config.to_dict()"),
    ("dataclass", "dataclasses.asdict(config)"),
    ("dataclass", "dataclasses.replace(config, other=2)"),
    ("frozen", "dataclasses.astuple(config)"),
    ("checked", "[getattr(config, field.name) for field in dataclasses.fields(config)]"),
    ("model", "config.model_dump()"),
    ("model", "config.model_dump_json()"),
    ("model", "dict(config)"),
    ("model", "config.model_copy()"),
    ("attrs", "attrs.evolve(config, other=3)"),
    ("experiment", "match config:\n        case Lab(gpus=4): pass"),
    ("experiment", "job(training := None, outputs={'a': str(config)})"),
])
def test_each_way_to_take_all_of_it_counts(project, write, kind, read):
    """A copy, too: who copies a config reads from the copy."""
    assert unread(write, project, CLASSES[kind] + STACK.format(read), "gpus=4") == ()


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind != "experiment"])
def test_a_config_that_is_the_trainers_is_read(project, write, kind):
    """It goes into the job as a whole, and is written out later."""
    text = CLASSES[kind] + ("\n\ndef stack(config: Lab) -> Stack:\n    return Stack('lab', [TrainingJob('a', "
                            "training=TrainingRunConfig(trainer=config))])\n")
    assert unread(write, project, text, "gpus=4") == ()


def test_what_a_method_or_a_validator_reads_counts(project, write):
    """They may make something else of it."""
    text = """
class Lab(ExperimentConfig):
    name: str = "lab"
    gpus: int = 1
    nodes: int = 1
    where: SkypilotJobConfig = dataclasses.field(default_factory=SkypilotJobConfig)

    @model_validator(mode="after")
    def _place(self):
        self.where.gpus = self.gpus
        return self

    @property
    def total(self) -> int:
        return self.nodes * 2

def stack(config: Lab) -> Stack:
    return Stack(config.name, [job(config.total, skypilot=config.where)])
"""
    assert unread(write, project, text, "gpus=4", "nodes=2", "where.spot=true", "cpus=4") == ()


def test_a_setting_of_a_part_that_nothing_reads_is_told(project, write):
    """By the key that you gave."""
    text = """
class Lab(ExperimentConfig):
    name: str = "lab"
    where: SkypilotJobConfig = dataclasses.field(default_factory=SkypilotJobConfig)

def stack(config: Lab) -> Stack:
    return Stack(config.name, [job()])
"""
    assert unread(write, project, text, "where.spot=true", "cpus=4") == ("where.spot", "cpus")


BRANCH = """
class Lab(ExperimentConfig):
    name: str = "lab"
    large: bool = False
    gpus: int = 1

def stack(config: Lab) -> Stack:
    return Stack(config.name, [job(config.gpus if config.large else "")])
"""


def test_a_branch_that_is_not_taken_reads_nothing(project, write):
    """Then a setting that it would read has no effect; left at its default, it is no mistake."""
    assert unread(write, project, BRANCH) == ()
    assert unread(write, project, BRANCH, "large=true", "gpus=4") == ()
    assert unread(write, project, BRANCH, "gpus=4") == ("gpus",)


@pytest.mark.parametrize("key", [
    "infra=aws", "data_dir=/shared", "git_check=true", "budget=5", "previous_job_ids=[12]"])
def test_what_expiac_reads_of_an_experiment_counts(project, write, key):
    """Where it has an effect; not where the stack and each of its jobs say otherwise themselves."""
    text = CLASSES["experiment"] + "\n\ndef stack(config: Lab) -> Stack:\n    return Stack('lab', [job()])\n"
    assert unread(write, project, text, key) == ()
    own = text.replace("[job()]", "[job(skypilot=SkypilotJobConfig(infra='k8s', data_dir='/here', git_check=True))], "
                                  "budget=7, previous_job_ids=['7']")
    assert unread(write, project, own, key) == (key.partition("=")[0],)


@pytest.mark.parametrize("key", ["user=me", "launch=true"])
def test_what_has_no_effect_in_a_plan_is_told(project, write, key):
    """Only the file's own code could make something of it; `--launch` is for a file that is run by itself."""
    assert unread(write, project, CLASSES["experiment"] + STACK.format("pass"), key) == (key.partition("=")[0],)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_class_is_left_as_it_was(kind):
    """Also by an error."""
    space: dict[str, object] = {"__name__": __name__}
    exec(HEAD + CLASSES[kind], space)
    lab = space["Lab"]
    assert isinstance(lab, type)
    before = lab.__getattribute__
    with pytest.raises(KeyError), reads_of(lab):
        raise KeyError
    assert lab.__getattribute__ is before
    assert "__getattribute__" not in vars(lab)
