"""docs/migrating.md keeps its word: the old program is told the new names, one by one, until it is the new one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from expiac.declare.program import load
from expiac.declare.project import Project, find_project
from expiac.declare.renamed import RENAMED
from expiac.declare.training import TrainingRunConfig
from expiac.util.errors import ExpiacError, UsageError
from tests.docs.blocks import ROOT

_PAGE = (ROOT / "docs" / "migrating.md").read_text()
_OLD, _NEW = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
_CHANGES = [("agent_config=", "agent="), ("sim_config=", "sim="), ("bptt_horizon=", "horizon="),
            ("beta1=0.9, beta2=0.98", "betas=(0.9, 0.98)"), ("checkpoint_interval=60", "interval=200_000")]


def test_the_table_is_what_errors_say():
    """Each old name with its new one and the difference."""
    rows = re.findall(r"^\| (`.*?) \| (.*?) ?\| (.*?) ?\|$", _PAGE.partition("## Behaviour")[0], re.MULTILINE)
    table = {name: (new.strip("`"), note.replace("`", ""))
             for names, new, note in rows for name in re.findall(r"`(\w+)`", names)}
    assert table == {name: (change.new, change.note) for name, change in RENAMED.items()}


def test_the_old_program_becomes_the_new_one(tmp_path: Path):
    """Its errors lead the way: the imports, then one setting after the other."""
    project, file = find_project(ROOT), tmp_path / "horizon_test.py"
    new_imports, body = _NEW.partition("\n\n\n")[0], _OLD.partition("\n\n\n")[2]

    def failure(text: str) -> str:
        file.write_text(text)
        with pytest.raises(ExpiacError) as error:
            load(project, str(file))
        return error.value.hint

    assert failure(_OLD).startswith("from expiac import")
    hints = []
    for old, new in sorted(_CHANGES, key=lambda change: _evaluated(body, change[0])):
        hints.append(failure(f"{new_imports}\n\n\n{body}"))
        body = body.replace(old, new)
    assert hints == ["renamed to betas: one tuple of both, (0.9, 0.999)",
                     "renamed to interval: it counts samples, not seconds", "renamed to horizon", "renamed to agent",
                     "renamed to sim"]
    assert f"{new_imports}\n\n\n{body}" == _NEW


def _evaluated(body: str, old: str) -> int:
    """Python makes the innermost config first."""
    return ["beta1", "checkpoint_interval", "bptt_horizon", "agent_config", "sim_config"].index(old.partition("=")[0])


@pytest.mark.parametrize(("stack", "word", "hint"), [
    ("arena", "agent_config=wide", "renamed to training.agent"),
    ("arena", "training.sim_config=x", "renamed to training.sim"),
    ("arena", "beta2=0.9", "renamed to training.trainer.optimizer.betas: one tuple"),
    ("arena", "training.trainer.checkpoint.checkpoint_interval=1", "renamed to training.trainer.checkpoint.interval"),
    ("arena", "run_name_pattern=x", "it has no counterpart"),
    ("lr_ab_test", "agent_config=wide", "renamed to agent; jobs have it as training.agent: give"),
])
def test_an_override_of_an_old_name_is_told_the_new_one(stack: str, word: str, hint: str):
    """At whatever depth."""
    with pytest.raises(UsageError, match="Unknown key") as error:
        load(find_project(ROOT), stack, [word])
    assert error.value.hint.startswith(hint)


def test_a_value_with_an_old_name_in_it_is_told_the_new_one():
    """A part that is set as a whole."""
    with pytest.raises(UsageError, match=r"renamed to optimizer\.betas"):
        load(find_project(ROOT), "arena", ["optimizer={beta1: 0.9}"])


@pytest.mark.parametrize(("file", "flag", "hint"), [
    ("arena", "--agent-config=wide", "renamed to --agent"), ("arena", "--beta1=0.9", "renamed to --betas"),
    ("lr_ab_test", "--sim-config=x", "renamed to sim; jobs have it as training.sim")])
def test_a_flag_of_an_old_name_is_told_the_new_one(file: str, flag: str, hint: str):
    """The stack file runs by itself."""
    done = subprocess.run([sys.executable, f"stacks/{file}.py", flag], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=60)
    assert (done.returncode, hint in done.stderr) == (64, True), done.stderr


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the configs of this one, in which we stand."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "configs", tmp_path / "configs", ignore=shutil.ignore_patterns("experiments"))
    monkeypatch.chdir(tmp_path)
    return find_project(tmp_path)


def test_a_config_is_written_under_its_name(copy: Project):
    """Where Hydra finds it, with its header, as in the framework; Hydra composes it."""
    config = TrainingRunConfig(curriculum="env/mettagrid/curriculum/arena/small", trainer={"horizon": 64})
    path, document = config.serialize_to_yaml_file("horizon_64")
    assert path == copy.root / "configs" / "experiments" / "horizon_64.yaml"
    assert path.read_text().startswith("# @package _global_\n")
    assert document["trainer"] == {"horizon": 64}
    assert config.serialize_to_yaml_file(instance_name="other")[0].parent == path.parent

    from hydra import compose, initialize_config_dir

    from trainer.config import register

    register()
    with initialize_config_dir(str(copy.root / "configs"), version_base="1.3"):
        composed = compose("config", ["+experiments=horizon_64", "run_name=x"])
    assert composed.trainer.horizon == 64


@pytest.mark.parametrize("name", ["", "a/b", "../up"])
def test_a_name_is_no_path(copy: Project, name: str):
    """A `Path` is one."""
    with pytest.raises(ExpiacError, match="Invalid name"):
        TrainingRunConfig().serialize_to_yaml_file(name)
    assert TrainingRunConfig().serialize_to_yaml_file(copy.root / "x.yaml")[0] == copy.root / "x.yaml"
