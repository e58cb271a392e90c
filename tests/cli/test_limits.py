"""What a backend can't carry out is refused by the plan, with the limit; nothing is begun."""

from __future__ import annotations

import os

import pytest

NAMES = '''
from expiac import Job, SkypilotJobConfig, Stack, ExperimentConfig

class Names(ExperimentConfig):
    name: str = "names"
    length: int = 1

def stack(config: Names) -> Stack:
    return Stack(config.name, [Job("a" * config.length, run="true", skypilot=SkypilotJobConfig(workdir=None))])
'''


@pytest.fixture(autouse=True)
def names(project):
    (project / "stacks" / "names.py").write_text(NAMES)


@pytest.mark.parametrize(("length", "code"), [(113, 0), (114, 1)])
def test_a_run_has_a_name_that_wandb_takes(expiac, project, length, code):
    """`names.aaa….0a1b2c3d` is also its run id there."""
    said = expiac("apply", "names", f"length={length}", "--yes")
    assert said.code == code
    if code:
        assert said.err.startswith("Name too long")
        assert "which has 129 characters, and local takes at most 128" in said.err
        assert said.err.endswith("Hint: a name of at most 113 characters\n")
        assert not (project / ".expiac" / "local").exists()
    else:
        assert expiac("destroy", "names", "--yes").code == 0


@pytest.mark.parametrize("words", [["--no-refresh"], []])
def test_a_place_of_skypilots_takes_shorter_ones(expiac, words):
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    said = expiac("plan", "names", "length=49", "infra=slurm/loop", *words)
    assert said.code == 1
    assert "skypilot takes at most 63" in said.err


def test_the_path_of_a_run_fits_the_file_system(expiac, project):
    """A run's files lie below the folder of the states."""
    most = os.pathconf(project, "PC_PATH_MAX")
    parts, rest = divmod(most - len(str(project)) - 100, 201)
    deep = project.joinpath(*["d" * 200] * parts, "d" * max(rest - 1, 1))
    said = expiac("--state", str(deep), "plan", "names", "length=100", "infra=local")
    assert said.code == 1
    assert said.err.startswith("Name too long")
    assert f"the file system takes {most}" in said.err
