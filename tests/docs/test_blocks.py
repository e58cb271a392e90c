"""README and docs hold as typed: commands are parsed, settings read, Python executed.

`python -m tests.docs` lists the blocks, and how each is tested.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from expiac.cli.commands import app
from expiac.declare.program import load
from expiac.declare.project import find_project
from tests.docs.blocks import ROOT, RUN_AS_PROJECTS, Block, blocks, how, is_run, reason_not_run, runner_elsewhere

ALL = list(blocks())
_MAKE_NAMES = (ROOT / "Makefile").read_text()


def of(language: str) -> list[Block]:
    return [block for block in ALL if block.language == language]


def test_no_block_is_left_out():
    """Each is held to its word, or says why not."""
    assert [str(block) for block in ALL if not how(block)] == []
    assert {block.page for block in ALL} >= {"README.md", *RUN_AS_PROJECTS}


def test_commands_are_run_or_say_why_not():
    """Those of expiac; the page itself has the reason, right above them."""
    calls = [block for block in of("sh") if any(command.startswith("expiac ") for command in block.commands)]
    assert [str(block) for block in calls if not (is_run(block) or runner_elsewhere(block) or block.marker)] == []


@pytest.mark.parametrize("block", of("sh"), ids=str)
def test_what_is_to_be_typed(block: Block):
    """Commands of expiac have these words and flags; make has these verbs; scripts run."""
    for command in block.commands:
        words = shlex.split(command)
        if reason_not_run(command):
            continue
        match words:
            case ["expiac", *arguments]:
                done = CliRunner().invoke(app, [*arguments, "--help"])
                assert done.exit_code == 0, f"{command}\n{done.output}"
            case ["make", verb]:
                assert f"\n{verb}:" in _MAKE_NAMES
            case ["python", *arguments] if "--no-launch" in arguments:
                done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True,
                                      timeout=120, check=False)
                assert done.returncode == 0, done.stderr
            case _:
                pytest.fail(f"nobody knows how to check {command!r}")


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_settings(block: Block, tmp_path: Path):
    """A project may say so."""
    text = block.text if "[tool.expiac]" in block.text else f"[tool.expiac]\n{block.text}"
    (tmp_path / "pyproject.toml").write_text(text)
    assert find_project(tmp_path).root == tmp_path


@pytest.mark.parametrize("block", [block for block in of("json") if block.page == "docs/json.md"], ids=str)
def test_documents(block: Block):
    """They are of the schema that the package ships."""
    schema = json.loads((ROOT / "expiac" / "view" / "schema.json").read_text())
    for text in [block.text] if block.text.startswith("{\n") else block.text.splitlines():
        jsonschema.validate(json.loads(text), schema)


@pytest.mark.parametrize("block", [
    block for block in of("python") if block.page not in RUN_AS_PROJECTS and not reason_not_run(block.text)], ids=str)
def test_python(block: Block, tmp_path: Path):
    """A stack file declares a stack; anything else runs."""
    if not block.text.startswith("# stacks/"):
        prelude = "from expiac import *\n" if block.language == "python" and "import" not in block.text else ""
        exec(compile(prelude + block.text.strip().replace("=…", "=TrainingRunConfig()"), str(block), "exec"), {})
        return
    name = Path(block.text.split("\n")[0].removeprefix("# "))
    written = tmp_path / name.name
    written.write_text(block.text)
    declared = load(find_project(ROOT), str(written)).stack
    assert declared.resources or any(sweep.search for sweep in declared.sweeps)
    if (ROOT / name).exists():
        assert declared == load(find_project(ROOT), name.stem).stack
