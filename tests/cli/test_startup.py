"""What is imported when; start-up time follows from it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("pydantic", "dataclasses_json", "jinja2", "hydra", "omegaconf", "yaml", "sky", "wandb", "torch",
         "polars", "scipy", "numpy")


def python(code: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **env})


def imported_by(code: str, cwd: Path = ROOT) -> set[str]:
    done = python(f"import sys\n{code}\nprint('imported:', *sys.modules, file=sys.stderr)", cwd)
    assert "imported:" in done.stderr, done.stderr
    return set(done.stderr.partition("imported:")[2].split())


def test_help_imports_only_typer():
    """Help waits for nothing but the parser that prints it."""
    assert not imported_by("from expiac.cli import run; run(['--help'])") & {*HEAVY, "expiac.session"}


@pytest.mark.parametrize("words", [["apply", "--help"], ["version"]])
def test_a_light_command_imports_nothing_of_ours(words):
    """To read a command's words typer itself imports pydantic; nothing else is waited for."""
    names = imported_by(f"from expiac.cli import run; run({words})")
    assert not names & ({*HEAVY, "expiac.session"} - {"pydantic"})


def test_importing_expiac_is_free():
    """Its names are imported when they are first used."""
    assert not imported_by("import expiac, expiac.cli") & {*HEAVY, "typer", "rich"}


def test_completing_imports_nothing_of_ours():
    """A press of Tab lists files; what the parser itself needs is not ours to choose."""
    names = imported_by("from expiac.cli.completion import stacks; print(stacks(''))")
    assert not names & {*HEAVY, "typer", "rich", "expiac.session"}


def test_declaring_and_planning_import_no_backend(tmp_path):
    """Neither sky nor wandb nor torch is needed to plan."""
    code = ("import dataclasses, pathlib; from expiac.declare.project import find_project\n"
            "from expiac.declare.program import load\n"
            "from expiac.compile.prepare import desired\n"
            f"project = dataclasses.replace(find_project(pathlib.Path.cwd()), state=pathlib.Path({str(tmp_path)!r}))\n"
            "desired(load(project, 'lr_ab_test').stack, project)")
    assert not imported_by(code) & {"sky", "wandb", "torch", "mettagrid", "polars", "scipy"}


@pytest.mark.parametrize(("typed", "offered"), [
    ("", ["arena", "evaluated", "lr_ab_test", "warm_start"]), ("l", ["lr_ab_test"])])
def test_stack_names_are_completed(typed, offered):
    """As a shell asks for it."""
    done = python("from expiac.cli import main; main()", _EXPIAC_COMPLETE="complete_bash",
                  COMP_WORDS=f"expiac plan {typed}", COMP_CWORD="2")
    assert done.stdout.split() == offered


def test_every_public_name_is_there():
    """`__all__` is sorted, resolves, and is what `dir` of a module shows to people."""
    import expiac

    assert expiac.__all__ == sorted(expiac.__all__, key=lambda name: (name[0].islower(), name))
    assert all(getattr(expiac, name) is not None for name in expiac.__all__)
    with pytest.raises(AttributeError):
        expiac.nothing  # noqa: B018


def test_planning_without_a_look_asks_no_backend(tmp_path):
    """Not even the library of the cloud that the jobs would run on is imported."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/far.py").write_text(
        "from expiac import Job, SkypilotJobConfig, Stack\n"
        "where = SkypilotJobConfig(infra='slurm/far', workdir=None)\n"
        "far = Stack('far', [Job('a', run='true', skypilot=where)])\n")
    code = "from expiac.cli import run; run(['plan', 'far', '--no-refresh']) and sys.exit('failed')"
    names = imported_by(code, tmp_path)
    assert not names & {"sky", "wandb", "torch", "hydra", "polars", "scipy", "numpy"}


def test_a_plan_of_what_was_compiled_before_imports_nothing_that_renders_or_composes(tmp_path):
    """Nor what reads metrics, proposes trials or shows tables."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/many.py").write_text(
        "from expiac import Job, SkypilotJobConfig, Stack\n"
        "where = SkypilotJobConfig(infra='local', workdir=None)\n"
        "many = Stack('many', [Job(f'job_{n}', run='true', skypilot=where) for n in range(20)])\n")
    code = "from expiac.cli import run; run(['plan', 'many', '--no-refresh']) and sys.exit('failed')"
    first, again = imported_by(code, tmp_path), imported_by(code, tmp_path)
    assert "jinja2" in first, "the first plan renders"
    assert not again & {"jinja2", "yaml", "omegaconf", "hydra", "polars", "rich.table", "expiac.apply.metrics.sources",
                        "expiac.apply.search", "expiac.util.render"}


def test_usual_overrides_do_not_wait_for_hydras_parser():
    """It is asked for a text only that is no value of the field's type otherwise."""
    words = ["gpus=4", "spot=false", "user=None", "previous_job_ids=1,2", "budget=1e3"]
    code = ("import pathlib; from expiac.declare.project import find_project\n"
            "from expiac.declare.program import load\n"
            f"load(find_project(pathlib.Path.cwd()), 'lr_ab_test', {words})")
    assert not imported_by(code) & {"hydra", "omegaconf", "antlr4"}


def test_listing_ended_runs_imports_nothing_that_plans_or_reads_histories(tmp_path):
    """Once their numbers are kept; what is wanted as a table of polars imports it."""
    from expiac.state.events import Effect, EffectDone, Run, Started
    from expiac.state.file_log import FileLog
    from expiac.state.journal import Journal
    from expiac.state.status import Status

    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    with Journal.open(FileLog(tmp_path / ".expiac/lab.jsonl"), stack="lab") as journal:
        journal.append(Started("a", Effect.CREATE, "job", "local", Run("lab.a.0a1b2c3d", "f", 0, 1)))
        journal.append(EffectDone("a", Status.SUCCEEDED, {"metrics": str(tmp_path / "metrics.jsonl")}))
    unneeded = {*HEAVY, "expiac.apply.planning", "expiac.apply.applying", "expiac.compile.prepare", "urllib.request",
                "expiac.declare.program"} - {"pydantic", "dataclasses_json"}
    for words in (["results"], ["results", "--json"], ["runs"], ["status"]):
        code = f"from expiac.cli import run; run({words}) and sys.exit('failed')"
        first, again = imported_by(code, tmp_path), imported_by(code, tmp_path)
        assert ("polars" in first) == (words == ["results"]), "the first one reads the histories"
        assert not again & unneeded
    assert "polars" in imported_by("import expiac; expiac.results('lab').runs", tmp_path)
