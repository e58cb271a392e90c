"""`key=value` words into typed configs."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import pytest
from pydantic import Field

from expiac.declare import overrides
from expiac.declare.config import Config
from expiac.declare.experiment import ExperimentConfig, SingleJobExperimentConfig
from expiac.declare.options import Hooks, Options
from expiac.declare.training import TrainingRunConfig
from expiac.util.errors import ExpiacError, UsageError
from trainer.config import OptimizerConfig, TrainerConfig


class Inner(Config):
    rate: Annotated[float, Field(gt=0)] = 0.1
    steps: int = 10


class Lab(ExperimentConfig):
    name: str = "lab"
    gpus: int | str = 1
    spot: bool = False
    seeds: list[int] = dataclasses.field(default_factory=list)
    names: list[str] = dataclasses.field(default_factory=list)
    notes: str = ""
    limit: float | None = None
    inner: Inner = dataclasses.field(default_factory=Inner)
    anything: Any = None


def build(*words: str, config: type = Lab) -> Any:
    return overrides.build(config, overrides.parse(words))


@pytest.mark.parametrize(("word", "field", "value"), [
    ("gpus=4", "gpus", 4),
    ("gpus=H100:8", "gpus", "H100:8"),
    ("gpus=12:30", "gpus", "12:30"),
    ("spot=true", "spot", True),
    ("spot=False", "spot", False),
    ("seeds=[1, 2]", "seeds", [1, 2]),
    ("names=[off, 1]", "names", ["off", "1"]),
    ("notes=null", "notes", "null"),
    ("notes=4", "notes", "4"),
    ("notes=a=b: c", "notes", "a=b: c"),
    ("notes=[draft", "notes", "[draft"),
    ("notes=", "notes", ""),
    ("limit=null", "limit", None),
    ("limit=1e-3", "limit", 0.001),
    ("inner={rate: 0.5}", "inner", Inner(rate=0.5)),
    ("anything=3", "anything", 3),
    ("anything={a: [1, x]}", "anything", {"a": [1, "x"]}),
    ("name=4you", "name", "4you"),
    ("user=null", "user", None),
])
def test_text_becomes_what_the_type_says(word, field, value):
    """The type decides what a text means; YAML's traps (`off`, `12:30`) do not exist."""
    found = getattr(build(word), field)
    assert (type(found), found) == (type(value), value)


def test_nested_values_are_set_one_by_one():
    """A dotted path reaches into nested configs and leaves their other fields alone."""
    assert build("inner.rate=0.5").inner == Inner(rate=0.5)


def test_a_nested_value_counts_as_named():
    """What the command line sets is set, and what it does not set is still left to the config files."""

    class Named(SingleJobExperimentConfig):
        name: str = "named"
        training: TrainingRunConfig = dataclasses.field(
            default_factory=lambda: TrainingRunConfig(trainer=TrainerConfig(optimizer=OptimizerConfig())))

    config = build("training.trainer.optimizer.learning_rate=1e-3", config=Named)
    assert config.training.document()["trainer"] == {"optimizer": {"learning_rate": 0.001}}


def test_values_that_must_agree_can_change_together():
    """Neither is judged before the other is in place."""

    class Agreeing(ExperimentConfig):
        name: str = "agreeing"
        trainer: TrainerConfig = dataclasses.field(
            default_factory=lambda: TrainerConfig(batch_size=1024, minibatch_size=256))

    assert build("trainer.batch_size=900", "trainer.minibatch_size=300", config=Agreeing).trainer.batch_size == 900
    with pytest.raises(ExpiacError, match="must divide"):
        build("trainer.batch_size=900", config=Agreeing)


def test_every_wrong_value_is_named_at_once():
    """One look at the message is enough to mend them all."""
    with pytest.raises(ExpiacError) as error:
        build("spot=maybe", "inner.rate=-1", "inner.steps=x")
    assert [line.partition(":")[0] for line in error.value.detail.splitlines()] == [
        "spot=maybe", "inner.rate=-1", "inner.steps=x"]
    assert "greater than 0" in error.value.detail


@pytest.mark.parametrize(("word", "hint"), [
    ("gpu=4", "did you mean gpus?"),
    ("inner.rat=4", "did you mean inner.rate?"),
    ("iner.rate=4", "did you mean inner?"),
])
def test_an_unknown_key_names_the_nearest(word, hint):
    """A mistyped key is a usage error, at whatever depth."""
    with pytest.raises(UsageError) as error:
        build(word)
    assert error.value.hint == hint


def test_a_path_through_a_plain_value_is_refused():
    """A value without keys of its own is named."""
    with pytest.raises(UsageError, match="notes holds ''"):
        build("notes.x=4")


@pytest.mark.parametrize("word", ["gpus", "=4", "lab"])
def test_any_other_word_is_refused(word):
    """A stray word is never ignored."""
    with pytest.raises(UsageError):
        overrides.parse([word])


def test_a_required_field_can_be_given():
    """A config without defaults is completed on the command line, or the missing field is named."""

    class Bare(ExperimentConfig):
        gpus: int

    assert build("name=x", "gpus=2", config=Bare).gpus == 2
    with pytest.raises(ExpiacError) as error:
        build("name=x", config=Bare)
    assert "gpus: required" in error.value.detail
    assert error.value.hint == "gpus=…"


def test_an_option_of_a_job_is_a_setting_like_any_other():
    """Options are frozen: another value takes their place, and no other config's."""
    config = build("name=a", "options.protect=true", "options.aliases=[old,older]",
                   "options.hooks.after_create=./tell.sh", config=SingleJobExperimentConfig)
    assert config.options == Options(protect=True, aliases=("old", "older"), hooks=Hooks(after_create="./tell.sh"))
    assert SingleJobExperimentConfig(name="other").options == Options()


class Part(Config):
    rate: float = 0.1
    width: int = 8


class Nested(ExperimentConfig):
    name: str = "nested"
    inner: Inner = dataclasses.field(default_factory=Inner)
    part: Part = dataclasses.field(default_factory=Part)
    options_of_model: Any = dataclasses.field(default_factory=lambda: {"depth": 3, "layers": {"kernel": 5}})


def test_a_bare_key_means_the_one_field_of_its_name():
    """Wherever it is: in a part, in a mapping. Its own fields come first."""
    config = build("steps=5", "width=16", "kernel=7", "name=other", config=Nested)
    assert (config.inner.steps, config.part.width, config.name) == (5, 16, "other")
    assert config.options_of_model == {"depth": 3, "layers": {"kernel": 7}}


@pytest.mark.parametrize(("word", "hint"), [
    ("rate=1", "inner.rate=… or part.rate=…"), ("widht=1", "did you mean part.width?"), ("zzz=1", "known: "),
    ("options_of_model.dept=1", "depth")])
def test_a_bare_key_that_means_none_or_several_is_refused(word, hint):
    """The error names the candidates."""
    with pytest.raises(UsageError, match="Unknown key") as error:
        build(word, config=Nested)
    assert hint in error.value.hint


def test_the_seeds_own_flags_reach_a_single_job():
    """`python stacks/arena.py --gpus=4 --nodes=2 --spot=false`, of the original README."""
    config = build("gpus=4", "nodes=2", "spot=false", "seed=3", config=type("Arena", (SingleJobExperimentConfig,), {
        "__annotations__": {"name": str}, "name": "arena"}))
    assert (config.skypilot.gpus, config.skypilot.nodes, config.skypilot.spot, config.training.seed) == (4, 2, False, 3)
