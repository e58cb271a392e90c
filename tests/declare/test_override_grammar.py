"""Keys of mappings, items of lists, and the signs and values of Hydra's override grammar."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from expiac.declare import overrides
from expiac.declare.config import Config
from expiac.declare.experiment import ExperimentConfig, SingleJobExperimentConfig, TrainingJobConfig
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.literals import parse_value
from expiac.declare.override_words import parse, words_of
from expiac.declare.program import load
from expiac.declare.project import find_project
from expiac.declare.stack import Stack
from expiac.declare.training import TrainingRunConfig
from expiac.util.errors import ExpiacError, UsageError


class Optimizer(Config):
    lr: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    lrs: tuple[float, ...] = ()
    tags: list[str] = dataclasses.field(default_factory=list)
    extra: Any = dataclasses.field(default_factory=lambda: {"depth": 3, "rates": [1, 2], "none": None})


class Lab(SingleJobExperimentConfig):
    name: str = "lab"
    opt: Optimizer = dataclasses.field(default_factory=Optimizer)
    jobs: list[TrainingJobConfig] = dataclasses.field(
        default_factory=lambda: [TrainingJobConfig(job_name="one"), TrainingJobConfig(job_name="two")])
    maybe: Optimizer | None = None
    skypilot: SkypilotJobConfig = dataclasses.field(default_factory=lambda: SkypilotJobConfig(envs={"OLD": "1"}))


def build(*words: str, config: type = Lab) -> Any:
    return overrides.build(config, parse(words))


@pytest.mark.parametrize(("words", "envs"), [
    (["skypilot.envs.FOO=1"], {"OLD": "1", "FOO": "1"}),
    (["+envs.NEW=a=b"], {"OLD": "1", "NEW": "a=b"}),
    (["++envs.NEW=2"], {"OLD": "1", "NEW": "2"}),
    (["++envs.OLD=2"], {"OLD": "2"}),
    (["~envs.OLD"], {}),
    (["~envs.OLD", "+envs.A=1", "envs.B=2"], {"A": "1", "B": "2"}),
    (["envs.OLD=5", "~envs.OLD"], {}),
    (["~envs.OLD", "envs.OLD=5"], {"OLD": "5"}),
    (["skypilot.envs={FOO:1}"], {"FOO": "1"}),
    (["skypilot.envs={URL:http://x, A: b}"], {"URL": "http://x", "A": "b"}),
])
def test_keys_of_mappings_are_set_added_and_removed(words, envs):
    """A mapping whose type says what it holds takes any key; the last word about a key counts."""
    assert build(*words).skypilot.envs == envs


@pytest.mark.parametrize(("word", "extra"), [
    ("opt.extra.depth=0.5", {"depth": 0.5}), ("extra.depth=4", {"depth": 4}), ("extra.depth=null", {"depth": None}),
    ("+extra.width=8", {"width": 8}), ("+extra.head.size=8", {"head": {"size": 8}}), ("extra.none=2", {"none": 2}),
    ("+extra.none.deep=2", {"none": {"deep": 2}}), ("extra.rates=3,4", {"rates": [3, 4]}),
    ("extra.rates.1=5", {"rates": [1, 5]}),
])
def test_a_mapping_of_anything_takes_new_keys_with_a_plus(word, extra):
    """Mappings on the way to the key are made; a number may become another."""
    assert build(word).opt.extra == {"depth": 3, "rates": [1, 2], "none": None} | extra


def test_two_new_keys_share_the_mappings_above_them():
    """The second does not take the first one's away."""
    assert build("+extra.head.a=1", "+extra.head.b=2").opt.extra["head"] == {"a": 1, "b": 2}


@pytest.mark.parametrize(("word", "path", "value"), [
    ("betas=[0.9,0.95]", "betas", (0.9, 0.95)), ("betas=0.9,0.95", "betas", (0.9, 0.95)),
    ("betas=(0.9, 0.95)", "betas", (0.9, 0.95)), ("betas.1=0.95", "betas", (0.9, 0.95)),
    ("opt.betas[0]=0.5", "betas", (0.5, 0.99)), ("lrs=0.1,0.2", "lrs", (0.1, 0.2)), ("lrs=0.1", "lrs", (0.1,)),
    ("lrs=range(1,4)", "lrs", (1.0, 2.0, 3.0)), ("tags=[a,b]", "tags", ["a", "b"]), ("tags=a,b", "tags", ["a", "b"]),
    ("tags=1,off", "tags", ["1", "off"]), ("opt={lr:0.3,tags:[a,b]}", "tags", ["a", "b"]), ("lr='0.5'", "lr", 0.5),
])
def test_lists_are_set_as_a_whole_and_by_item(word, path, value):
    """With brackets, in Hydra's way, or as values with commas between them."""
    assert getattr(build(word).opt, path) == value


def test_a_config_in_a_list_is_reached_by_its_index():
    """As any other part."""
    jobs = build("jobs.1.skypilot.gpus=4", "jobs[0].training.seed=7").jobs
    assert (jobs[0].training.seed, jobs[1].skypilot.gpus) == (7, 4)


@pytest.mark.parametrize("text", ["null", "None"])
def test_none_is_none_where_the_type_allows_it(text):
    """And a text where it does not."""
    config = build(f"user={text}", f"maybe={text}", f"extra.depth={text}", f"envs.OLD={text}")
    assert (config.user, config.maybe, config.opt.extra["depth"]) == (None, None, None)
    assert config.skypilot.envs == {"OLD": text}


@pytest.mark.parametrize(("type_", "text", "value"), [
    (str, "'x'", "'x'"), (str, '"x"', "x"), (str, "a,b", "a,b"), (str, "{a:1}", "{a:1}"), (str, "1_000", "1_000"),
    (Any, "a,b", "a,b"), (Any, "'x'", "'x'"), (Any, "12:30", "12:30"), (Any, "off", "off"), (Any, "int(3)", "int(3)"),
    (Any, "[${x},2]", "[${x},2]"), (Any, "1_000", "1_000"), (str | None, '"null"', "null"), (int, "1_000", 1000),
    (list[str], "[1_000,off]", ["1_000", "off"]),
    (list[Any], "[a, 1, true]", ["a", 1, True]),
])
def test_what_a_text_meant_before_hydras_grammar_it_still_means(type_, text, value):
    """Hydra's parser is asked last: no fingerprint changes by it."""
    found = parse_value(type_, text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", ["true", "off", "a", "0.5"])
def test_no_number_is_made_of_a_word(text):
    """Only what is a number, or was taken for one before."""
    with pytest.raises(ExpiacError, match="Invalid value"):
        build(f"lrs={text},x")


@pytest.mark.parametrize(("word", "detail", "hint"), [
    ("opt.lr=0.1,0.2", "the stack file makes a job of each", ""),
    ("opt.betas=0.9", "opt.betas.1", ""),
    ("opt.betas=0.9,x", "opt.betas.1=x", ""),
    ("opt.betas.2=1", "no item of this list, which has 2", "opt.betas=[…]"),
    ("opt.extra.dept=1", "no field of this mapping", "did you mean opt.extra.depth?\n+opt.extra.dept=… adds it"),
    ("~envs.OLT", "no field of this mapping", "did you mean skypilot.envs.OLD?"),
    ("~OLD", "of which mapping", "~skypilot.envs.OLD"),
    ("~opt.lr", "only keys of mappings can be removed", "opt.lr=null"),
    ("~opt.betas.0", "only keys of mappings can be removed", "opt.betas=[…]"),
    ("+envs.OLD=2", "there already", "skypilot.envs.OLD=…"),
    ("+opt.lr=2", "there already", "opt.lr=…"),
    ("+gpus=2", "there already", "skypilot.gpus=…"),
    ("+name=x", "there already", "name=…"),
    ("+opt.momentum=1", "no field of Optimizer", ""),
])
def test_what_cannot_be_done_is_refused(word, detail, hint):
    """The error says what would do."""
    with pytest.raises(ExpiacError) as error:
        build(word)
    assert detail in error.value.detail
    assert hint in error.value.hint


@pytest.mark.parametrize("word", ["+envs.A", "~", "+=1", "~envs.A=1", "++envs.A"])
def test_half_an_override_is_refused(word):
    """A sign alone says nothing."""
    with pytest.raises(UsageError, match="Not an override"):
        parse([word])


def test_overrides_are_typed_as_they_were_given():
    """The commands that expiac prints can be pasted."""
    words = ["gpus=4", "+envs.NEW=a b", "~envs.OLD"]
    assert words_of(parse(words)) == words


class Several(ExperimentConfig):
    name: str = "several"
    gpus: int = 1
    part: Optimizer = dataclasses.field(default_factory=Optimizer)
    training: TrainingRunConfig | None = None


class Listed(ExperimentConfig):
    name: str = "listed"
    jobs: list[TrainingJobConfig] = dataclasses.field(default_factory=lambda: [TrainingJobConfig()])


class Plain(ExperimentConfig):
    name: str = "plain"


@pytest.mark.parametrize(("config", "word", "hint"), [
    (Several, "seed=1", "training is null: training={seed: …}"),
    (Plain, "seed=1", "jobs have it as training.seed: give Plain a field seed, and in the stack file each job "
                      "TrainingRunConfig(seed=config.seed)"),
    (Listed, "gpus=1", "jobs.0.skypilot.gpus=…"), (Several, "bets=1", "did you mean part.betas?"),
    (Several, "gpu=1", "did you mean gpus?"),
])
def test_a_key_that_is_elsewhere_is_pointed_at(config, word, hint):
    """Also where the bare key does not reach it."""
    with pytest.raises(UsageError, match="Unknown key") as error:
        build(word, config=config)
    assert error.value.hint == hint


def test_a_part_that_is_null_can_be_set_as_the_hint_says():
    """The hint holds."""
    assert build("training={seed: 3}", config=Several).training == TrainingRunConfig(seed=3)


@pytest.mark.parametrize(("name", "fits"), [("lr_0.1", "lr_0_1"), ("4you", "run_4you"), ("a b", "a_b"), ("..", "run")])
def test_a_name_that_does_not_fit_gets_one_that_does(name, fits):
    """Of a stack and of a job."""
    for make in (lambda name: Stack(name, []), lambda name: Job(name, run="true")):
        with pytest.raises(ExpiacError, match="Invalid name") as error:
            make(name)
        assert error.value.hint == f"such as {fits}"
        make(fits)


def test_an_override_of_a_mapping_counts_as_read(tmp_path: Path):
    """What the stack reads as a whole has an effect, key by key."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "lab.py").write_text(
        "from expiac import ExperimentConfig, Job, Stack\nfrom dataclasses import field\n"
        "class Lab(ExperimentConfig):\n    name: str = 'lab'\n"
        "    words: dict[str, str] = field(default_factory=lambda: {'a': 'x'})\n"
        "    unused: dict[str, str] = field(default_factory=dict)\n"
        "def stack(config: Lab) -> Stack:\n    return Stack(config.name, [Job('a', run=f'echo {config.words}')])\n")
    program = load(find_project(tmp_path), "lab", ["~words.a", "+words.b=y", "unused.c=1"])
    assert program.config.words == {"b": "y"}
    assert program.unread == ("unused.c",)
