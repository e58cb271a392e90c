"""Composition: what the trainer will read; remembered while nothing it was made from changes, checked at plan time."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest

from expiac.compile.compose import Composer
from expiac.compile.optional_defaults import has_optional
from expiac.compile.schema import Schema
from expiac.compile.templates import templates
from expiac.declare.project import Project
from expiac.declare.training import TrainingRunConfig
from expiac.util.beside import beside as fork
from expiac.util.errors import ExpiacError
from trainer.config import OptimizerConfig, TrainerConfig

SMALL = "env/mettagrid/curriculum/arena/small"


def rendered(project: Project, training: TrainingRunConfig) -> str:
    return templates(project).render("experiment.yaml.j2", training.document(), job="job", stack="stack")


def compose(project: Project, text: str) -> dict:
    return dict(Composer(project).compose({"job": text})["job"].config)


def small(**trainer: object) -> TrainingRunConfig:
    return TrainingRunConfig(curriculum=SMALL, trainer=TrainerConfig(**trainer))


def test_only_what_is_named_overrides_the_files(project):
    """The declaration's one value, and the rest as configs/ and the schema have it."""
    plain = compose(project, rendered(project, TrainingRunConfig(curriculum=SMALL)))
    named = compose(project, rendered(project, small(optimizer=OptimizerConfig(learning_rate=0.5))))
    assert named["trainer"]["optimizer"].pop("learning_rate") == 0.5
    plain["trainer"]["optimizer"].pop("learning_rate")
    assert named == plain


def test_the_choice_of_an_optimizer_brings_its_file(project):
    """OptimizerConfig(type="muon") selects configs/optimizer/muon.yaml."""
    config = compose(project, rendered(project, small(optimizer=OptimizerConfig(type="muon"))))
    assert config["trainer"]["optimizer"]["type"] == "muon"
    assert "override /optimizer@trainer.optimizer" in rendered(project, small(optimizer=OptimizerConfig(type="muon")))


def test_the_same_text_is_composed_once(own, monkeypatch):
    """The second look reads what the first remembered, and asks Hydra nothing."""
    text = rendered(own, small())
    first = compose(own, text)
    monkeypatch.setattr(Composer, "_compose_missing", lambda *_: pytest.fail("composed again"))
    assert compose(own, text) == first


@pytest.mark.parametrize("file", ["configs/agent/fast.yaml", "configs/common.yaml", f"configs/{SMALL}.yaml"])
def test_an_edit_of_a_file_in_its_closure_composes_anew(own, file):
    """What is remembered stands on every file that it came from."""
    text = rendered(own, small())
    before = compose(own, text)
    path = own.root / file
    known = path.read_text()
    path.write_text(known.replace("128", "96").replace("./train_dir", "./elsewhere").replace("width: 12", "width: 16"))
    assert path.read_text() != known
    assert compose(own, text) != before


def test_an_edit_of_a_file_that_a_curriculum_stands_on_composes_anew(own):
    """configs/env/mettagrid/curriculum/arena/advanced.yaml begins with combat, and that with basic."""
    text = rendered(own, TrainingRunConfig(curriculum="env/mettagrid/curriculum/arena/advanced"))
    assert compose(own, text)["curriculum"]["mines"] == 10
    path = own.root / "configs/env/mettagrid/curriculum/arena/basic.yaml"
    path.write_text(path.read_text().replace("mines: 10", "mines: 11"))
    assert compose(own, text)["curriculum"]["mines"] == 11


CURRICULA = ["env/gymnasium/cartpole", "env/mettagrid/curriculum/arena/bucketed",
             "env/mettagrid/curriculum/navigation/progressive"]


@pytest.mark.parametrize("curriculum", CURRICULA)
def test_a_curriculum_of_any_group_takes_the_place_of_the_default(project, curriculum):
    """The project's own default is the basic arena."""
    config = compose(project, rendered(project, TrainingRunConfig(curriculum=curriculum)))
    text = (project.root / f"configs/{curriculum}.yaml").read_text()
    assert config["curriculum"]["kind"] == curriculum.split("/")[-2]
    assert all(name in text for name in [*config["curriculum"]["tasks"], *config["curriculum"]["buckets"]])


def test_a_task_that_is_not_valid_stops_the_plan(project):
    """Before anything is launched."""
    text = rendered(project, TrainingRunConfig(curriculum=SMALL))
    with pytest.raises(ExpiacError, match=r"job: curriculum: .*task a: wals: Unexpected keyword"):
        compose(project, text.replace("seed: 0", "curriculum: {tasks: {a: {wals: 1}}}"))


def test_an_edit_elsewhere_composes_nothing(own, monkeypatch):
    """configs/agent/wide.yaml does not reach a run of the fast agent."""
    text = rendered(own, small())
    compose(own, text)
    (own.root / "configs/agent/wide.yaml").write_text("hidden_size: 7\n")
    monkeypatch.setattr(Composer, "_compose_missing", lambda *_: pytest.fail("composed again"))
    compose(own, text)


def test_a_damaged_memory_is_composed_anew(own):
    """It costs time, nothing else."""
    text = rendered(own, small())
    before = compose(own, text)
    for file in own.state_folder.rglob("*.json"):
        file.write_text("{")
    assert compose(own, text) == before


@pytest.mark.parametrize(("edit", "message"), [
    (("seed: 0", "trainer: {optimizer: {learning_rate: -1}}"),
     r"job: trainer\.optimizer\.learning_rate: .*greater than 0 \(got -1"),
    (("seed: 0", "trainer: {optimizer: {learning_rate: fast}}"), r"job: trainer\.optimizer\.learning_rate: .*'fast'"),
    (("seed: 0", "trainer: {batch_size: 1000, minibatch_size: 300}"), r"job: trainer: .*300.*must divide.*1000"),
    (("seed: 0", "trainer: {lerning_rate: 1}"), r"job: trainer\.lerning_rate: "),
    (("seed: 0", "seed: ${nope}"), r"job: seed: .*nope"),
    (("/agent: fast", "/agent: fst"), r"there is no configs/agent/fst.yaml\n.*did you mean fast"),
    (("arena@curriculum: small", "arena@curriculum: smal"), r"arena/smal.yaml\n.*did you mean small"),
    (("# @package _global_\n", ""), r"package header"),
])
def test_a_bad_value_stops_the_plan_with_its_path(project, edit, message):
    """Before anything is launched."""
    text = rendered(project, TrainingRunConfig(curriculum=SMALL)).replace(*edit)
    with pytest.raises(ExpiacError, match=message):
        compose(project, text)


def test_outputs_are_resolved_against_the_composed_config(project):
    """`${run_dir}/…` of pyproject.toml, under the name that stands for the instance."""
    outputs = Composer(project).compose({"job": rendered(project, small())})["job"].outputs
    assert outputs["checkpoint"] == "@data_dir@/@instance@/checkpoints/latest.pt"


@pytest.fixture
def forks(monkeypatch):
    """How many configs were composed in a fork."""
    from expiac.compile import hydra_session

    continued = []

    @contextmanager
    def beside(work, *, timeout):
        with fork(work, timeout=timeout) as result:
            def counted():
                found = result()
                continued.extend(one for one in found or () if one is not None)
                return found
            yield counted

    monkeypatch.setattr(hydra_session, "can_fork", lambda: True)
    monkeypatch.setattr(hydra_session, "beside", beside)
    return continued


def test_a_fork_composes_a_half_to_the_same(own, monkeypatch, forks):
    """Two defaults lists, and each config with a value of its own: as one process has them."""
    from expiac.compile import hydra_session

    texts = {f"{agent}_{number}": rendered(own, replace(small(total_timesteps=1000 + number), agent=agent))
             for number in range(35) for agent in ("fast", None)}
    together = Composer(own).compose(texts)
    assert len(forks) > 30
    monkeypatch.setattr(hydra_session, "can_fork", lambda: False)
    shutil.rmtree(own.state_folder, ignore_errors=True)
    assert together == Composer(own).compose(texts)


def test_a_bad_config_among_many_is_named(own, forks):
    texts = {f"job_{number}": rendered(own, small(total_timesteps=1000 + number)) for number in range(70)}
    texts["job_50"] = texts["job_50"].replace("total_timesteps: 1050", "total_timesteps: many")
    with pytest.raises(ExpiacError, match="job_50"):
        Composer(own).compose(texts)


def test_an_optional_file_that_comes_to_be_counts(own):
    """While it is missing nothing names it, so such a config is composed each time."""
    entry = "  - optional /extra@trainer.optimizer: mine\n"
    text = rendered(own, small()).replace("  - _self_\n", f"{entry}  - _self_\n", 1)
    before = compose(own, text)
    folder = own.root / "configs" / "extra"
    folder.mkdir()
    (folder / "mine.yaml").write_text("learning_rate: 0.75\n")
    assert before["trainer"]["optimizer"]["learning_rate"] != 0.75
    assert compose(own, text)["trainer"]["optimizer"]["learning_rate"] == 0.75


@pytest.mark.parametrize("change", [
    ("# @package _global_\n", "# @package _global_\n# an optional file, and optional text\n"),
    ("seed: 0", 'run_name: "- optional db: mysql"'),
], ids=["comment", "value"])
def test_the_word_optional_elsewhere_composes_nothing_anew(own, monkeypatch, change):
    """Only an entry of a defaults list says that a file may be missing."""
    text = rendered(own, TrainingRunConfig(curriculum=SMALL))
    assert change[0] in text
    text = text.replace(*change)
    first = compose(own, text)
    monkeypatch.setattr(Composer, "_compose_missing", lambda *_: pytest.fail("composed again"))
    assert compose(own, text) == first


def test_the_word_optional_in_the_schema_composes_nothing_anew(own, monkeypatch):
    file = own.root / "trainer" / "config.py"
    monkeypatch.setattr(Schema, "files", (str(file),))
    file.write_text(f"{file.read_text()}\n# optional: such\n")
    text = rendered(own, small())
    first = compose(own, text)
    monkeypatch.setattr(Composer, "_compose_missing", lambda *_: pytest.fail("composed again"))
    assert compose(own, text) == first


def test_a_variable_in_the_path_of_an_output_counts(own, monkeypatch):
    logged = replace(own, outputs={"log": "${oc.env:LOGS,here}/log"})
    text = rendered(own, small())

    def log() -> str:
        return Composer(logged).compose({"job": text})["job"].outputs["log"]

    monkeypatch.delenv("LOGS", raising=False)
    assert log() == "here/log"
    monkeypatch.setenv("LOGS", "/there")
    assert log() == "/there/log"


@pytest.mark.parametrize("defaults", [
    "[{optional db: mysql}]", "[optional db@x: mysql, _self_]", "\n- override optional db: a",
    "\n- optional override db: a", "\n  - 'optional db': a", "\n  - _self_\n  -   {optional db: [a, b]}",
    "\n\t- optional db: a",
])
def test_an_optional_entry_is_seen_however_it_is_written(defaults):
    """The last one can't be read, so that Hydra is asked each time."""
    assert has_optional(f"# @package _global_\ndefaults: {defaults}\n")
    assert not has_optional(f"# optional\ndefaults: {defaults.replace('optional', '').replace(chr(9), '')}\n")
