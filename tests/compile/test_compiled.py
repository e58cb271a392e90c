"""What a job was compiled to is remembered, and taken only where compiling it again would give the same."""

from __future__ import annotations

import dataclasses
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expiac.compile import compiled
from expiac.compile.prepare import desired
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.options import Options
from expiac.declare.project import Project
from expiac.declare.stack import Stack
from expiac.declare.training import TrainingJob, TrainingRunConfig
from expiac.plan.model import Desired
from expiac.util.errors import ExpiacError
from expiac.util.render import Templates
from trainer.config import OptimizerConfig, TrainerConfig

SMALL = "env/mettagrid/curriculum/arena/small"
MANY = 20
HERE = SkypilotJobConfig(gpus=0)


def training(name: str, seed: int = 0, **trainer: object) -> TrainingJob:
    return TrainingJob(name, skypilot=HERE, training=TrainingRunConfig(
        curriculum=SMALL, seed=seed, trainer=TrainerConfig(**trainer)))


def stack(*first: Job | TrainingJob) -> Stack:
    """Jobs enough to be remembered: the given ones, and plain ones."""
    others = [Job(f"job_{at}", run=f"echo {at}", skypilot=HERE) for at in range(MANY)]
    return Stack("lab", [*first, *others])


def forgotten(declared: Stack, project: Project, folder: Path) -> tuple[Desired, ...]:
    """The same with nothing remembered, not even what was composed."""
    return desired(declared, dataclasses.replace(project, state=str(folder)))


@pytest.fixture
def compiling(monkeypatch) -> list[str]:
    """The jobs whose texts were rendered since."""
    jobs: list[str] = []
    render = Templates.render

    def noted(self, name, data, **context):
        jobs.append(context["job"])
        return render(self, name, data, **context)

    monkeypatch.setattr(Templates, "render", noted)
    return jobs


def test_what_was_compiled_is_not_compiled_again(own, compiling):
    """The second time, nothing is rendered, and all is equal."""
    declared = stack(training("a", seed=1))
    first = desired(declared, own)
    assert len(compiling) == MANY + 2
    compiling.clear()
    assert repr(desired(declared, own)) == repr(first)
    assert compiling == []


def test_one_changed_job_is_compiled_alone(own, compiling):
    desired(stack(training("a", seed=1), training("b", seed=2)), own)
    compiling.clear()
    changed = desired(stack(training("a", seed=1), training("b", seed=3)), own)
    assert set(compiling) == {"b"}
    assert changed[1].inputs["config"]["seed"] == 3


def test_a_config_that_jobs_share_is_as_one_of_their_own(own, tmp_path):
    """Whether compiled or remembered."""
    shared = TrainerConfig(optimizer=OptimizerConfig(type="muon"), total_timesteps=5)
    apart = [TrainerConfig(optimizer=OptimizerConfig(type="muon"), total_timesteps=5) for _ in range(3)]
    one, other = (stack(*(TrainingJob(f"t{at}", skypilot=HERE, training=TrainingRunConfig(
        curriculum=SMALL, seed=at, trainer=trainer)) for at, trainer in enumerate(trainers)))
        for trainers in ([shared] * 3, apart))
    meant = forgotten(other, own, tmp_path / "other")
    for _ in range(2):
        assert repr(desired(one, own)) == repr(desired(other, own)) == repr(meant)


def test_of_files_that_were_edited_only_the_last_state_is_kept(own):
    """The memory does not grow with each edit."""
    declared = stack(training("a"))
    file = own.root / "configs/agent/fast.yaml"
    for width in ("128", "96", "64"):
        file.write_text(re.sub(r"hidden_size: \d+", f"hidden_size: {width}", file.read_text()))
        desired(declared, own)
    (kept,) = own.state_folder.rglob("compiled/*")
    sets = json.loads(kept.read_bytes().split(b"\n")[1])
    assert sorted(map(bool, sets.values())) == [False, True], "those of the training job, and none of the others"
    assert kept.stat().st_mode & 0o077 == 0, "others may not read it"


def test_a_small_stack_is_not_remembered(own):
    desired(Stack("lab", [training("a")]), own)
    assert not list(own.state_folder.rglob("compiled/*"))


@pytest.mark.parametrize(("file", "before", "after"), [
    ("configs/agent/fast.yaml", "128", "96"),
    (f"configs/{SMALL}.yaml", "width: 12", "width: 16"),
    ("trainer/config.py", "Choices (tuned values", "Choices (values"),
    ("templates/experiment.yaml.j2", "\n", "\n# mine\n"),
])
def test_an_edit_of_a_file_counts(own, tmp_path, file, before, after, compiling):
    """A config in the closure, the schema, or a template."""
    declared = stack(training("a"))
    if not (own.root / file).exists():
        from expiac.compile.templates import eject_templates

        eject_templates(own)
    desired(declared, own)
    text = (own.root / file).read_text()
    assert before in text
    (own.root / file).write_text(text.replace(before, after, 1))
    compiling.clear()
    again = desired(declared, own)
    assert repr(again) == repr(forgotten(declared, own, tmp_path / "other"))
    assert file == "trainer/config.py" or "a" in compiling  # the test itself has imported this repository's one


def test_what_an_edit_changed_is_remembered_too(own, compiling):
    """The plan after the next one compiles nothing again."""
    declared = stack(training("a"))
    desired(declared, own)
    file = own.root / "configs/agent/fast.yaml"
    file.write_text(file.read_text().replace("128", "96"))
    desired(declared, own)
    compiling.clear()
    desired(declared, own)
    assert compiling == []


def test_a_variable_that_a_config_reads_counts(own, monkeypatch, compiling):
    """Neither memory keeps what came of another value."""
    declared = stack(training("a"))
    file = own.root / "configs/common.yaml"
    file.write_text(file.read_text().replace("run_dir: ${data_dir}", "run_dir: ${oc.env:RESULTS,./here}"))
    found = {}
    for value in (None, "/there", "", None):
        if value is None:
            monkeypatch.delenv("RESULTS", raising=False)
        else:
            monkeypatch.setenv("RESULTS", value)
        found[value] = desired(declared, own)[0].outputs["checkpoint"].partition("/@")[0]
        compiling.clear()
        desired(declared, own)
        assert compiling == [], "with the same value it is known"
    assert found == {None: "here", "/there": "/there", "": ""}


def test_settings_of_the_project_count(own, tmp_path):
    declared = stack(training("a"))
    desired(declared, own)
    for change in ({"outputs": {"log": "${run_dir}/log"}}, {"data_dir": "/data"}, {"accelerator": "A100"},
                   {"run": "python -m trainer +experiments=@instance@ run_name=@instance@ seed=1"},
                   {"training": dataclasses.replace(own.training, kinds={"seed": "annotation"})}):
        other = dataclasses.replace(own, **change)
        assert repr(desired(declared, other)) == repr(forgotten(declared, other, tmp_path / str(change)[:9]))


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:-7], lambda data: data[:100], lambda data: b"\xff" + data,
    lambda data: data.replace(b"echo 7", b"echo 8"), lambda data: b"2 0\n", lambda data: data.replace(b"2 ", b"9 ", 1),
    lambda data: resigned(data, lambda body: body.replace(b"{", b"[", 1)),
    lambda data: resigned(data, lambda body: b"[]" + body),
    lambda data: resigned(data, lambda body: b"{}\n" + body.partition(b"\n")[2]),
    lambda data: resigned(data, lambda body: body.replace(b'["', b'[["', 3)),
    lambda data: resigned(data, lambda body: body[:-40])])
def test_a_damaged_file_is_ignored(own, damage):
    """A cut end, another byte, another format."""
    declared = stack(training("a"))
    first = desired(declared, own)
    (file,) = own.state_folder.rglob("compiled/*")
    file.write_bytes(damage(file.read_bytes()))
    assert repr(desired(declared, own)) == repr(first)


def resigned(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The file with other content, and the checksum of that."""
    body = change(data.partition(b"\n")[2])
    return b"%b %d\n%b" % (data.partition(b" ")[0], zlib.crc32(body), body)


def test_a_class_of_ones_own_is_compiled_each_time(own, compiling):
    """Nobody knows what else it looks at."""

    class Mine(Job):
        pass

    declared = stack(Mine("mine", run="true", skypilot=HERE),
                     Job("kept", run="true", skypilot=HERE, options=Options(ignore_changes=("run",))))
    desired(declared, own)
    compiling.clear()
    desired(declared, own)
    assert compiling == ["mine"]


def test_a_folder_that_is_gone_is_an_error_all_the_same(own):
    """What a job is compiled to says nothing of the files that are there."""
    (own.root / "code").mkdir()
    declared = stack(Job("a", run="true", skypilot=SkypilotJobConfig(gpus=0, workdir="code")))
    desired(declared, own)
    (own.root / "code").rmdir()
    with pytest.raises(ExpiacError, match="No such workdir"):
        desired(declared, own)


TEXTS = st.sampled_from(("a", "1", "@instance@", "${ref:base.x}", "é", "line\nline", "$DATA_DIR", "1.0", ""))
PLACES = st.fixed_dictionaries({"gpus": st.sampled_from((None, 0, 1, "H100:2"))}, optional={
    "nodes": st.integers(1, 2), "spot": st.booleans(), "envs": st.dictionaries(st.sampled_from("AB"), TEXTS),
    "data_dir": st.sampled_from(("/data", "here")), "setup": TEXTS, "max_runtime": st.sampled_from((60, "60", "1m")),
    "any_of": st.lists(st.sampled_from(({"cpus": 1}, {"cpus": 1.0}, {"cpus": True}, {"cpus": "1"})), max_size=2)})
OUTPUTS = st.dictionaries(st.sampled_from("xy"), st.sampled_from(("p", "$DATA_DIR/p")))
JOBS = st.tuples(PLACES, TEXTS.filter(bool), OUTPUTS,
                 st.lists(st.sampled_from(("t", "u")), max_size=2), st.booleans())


def plain(name: str, drawn: tuple) -> Job:
    place, run, outputs, tags, pinned = drawn
    return Job(name, run=run, skypilot=SkypilotJobConfig(**place), outputs=outputs, tags=tags,
               options=Options(protect=pinned))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(st.lists(JOBS, min_size=1, max_size=4), min_size=2, max_size=4))
def test_whatever_was_remembered_the_answer_is_the_same(tmp_path_factory, monkeypatch, versions):
    """Random jobs, one version of the stack after the other, in one folder and each in its own."""
    monkeypatch.setattr(compiled, "_WORTH_REMEMBERING", 1)
    project = Project(root=tmp_path_factory.mktemp("project"))
    for jobs in [*versions, versions[0]]:
        base = Job("base", run="true", outputs={"x": "x"})
        declared = Stack("lab", [base, *(plain(f"job_{at}", job) for at, job in enumerate(jobs))])
        assert repr(answer(declared, project)) == repr(
            answer(declared, dataclasses.replace(project, state=str(tmp_path_factory.mktemp("state")))))


def answer(declared: Stack, project: Project) -> object:
    try:
        return desired(declared, project)
    except ExpiacError as error:
        return error.summary, error.detail


def test_a_named_field_is_told_from_a_default(own):
    """An optimizer that is named brings its file, though its values are the same."""
    for trainer in ({}, {"optimizer": OptimizerConfig(type="adam")}, {"optimizer": OptimizerConfig(type="muon")}):
        want = desired(stack(training("a", **trainer)), own)[0]
        assert ("override /optimizer" in want.texts["config.yaml"]) == bool(trainer)
