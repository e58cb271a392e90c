"""A third backend is one class and one line: the command line plans, applies, awaits, shows and destroys its jobs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

BACKEND = '''
from pathlib import Path

from expiac.testing.memory import MemoryProvider

class MyBackend(MemoryProvider):
    """Its jobs outlive a command, and succeed once there is a file `done`."""

    worlds = {}

    def __init__(self, root: Path) -> None:
        world = self.worlds.setdefault(root, MemoryProvider())
        vars(self).update(vars(world), autofinish=(root / "done").exists())

class NoBackend:
    """A provider of something else."""

    def __init__(self, root: Path) -> None: ...
'''
STACK = """
from expiac import Job, SkypilotJobConfig, Stack

where = SkypilotJobConfig(gpus=0, workdir=None{infra})
lab = Stack("lab", [Job("train", run="true", skypilot=where)])
"""
REGISTERED = '[tool.expiac.providers]\nmine = "my_backend:MyBackend"\nbooks = "my_backend:NoBackend"\n'


def declare(project: Path, infra: str, *, backend: str = "") -> None:
    """A stack of one job of this `infra`, in a project whose default backend is `backend`."""
    default = f'backend = "{backend}"\n' if backend else ""
    (project / "pyproject.toml").write_text(f"[tool.expiac]\n{default}{REGISTERED}")
    (project / "my_backend.py").write_text(BACKEND)
    given = f', infra="{infra}"' if infra else ""
    (project / "stacks" / "lab.py").write_text(STACK.format(infra=given))


@pytest.mark.parametrize(("infra", "backend"), [("mine", ""), ("", "mine")], ids=["of a job", "of the project"])
def test_a_third_backend_runs_jobs(expiac, project, infra, backend):
    declare(project, infra, backend=backend)

    planned = json.loads(expiac("plan", "lab", "--json").out)
    assert [step["action"] for step in planned["steps"]] == ["create"]

    applied = expiac("apply", "lab", "--yes")
    assert applied.code == 0, applied.err
    (shown,) = json.loads(expiac("status", "lab", "--json").out)["resources"]
    assert (shown["address"], shown["provider"], shown["status"]) == ("train", "mine", "pending")

    backend = sys.modules["my_backend"].MyBackend(project)
    assert backend.running() == [shown["instance"]]
    destroyed = expiac("destroy", "lab", "--yes")
    assert (destroyed.code, "- train" in destroyed.out) == (0, True), destroyed.err
    assert backend.running() == []

    (project / "done").touch()
    waited = expiac("apply", "lab", "--yes", "--wait")
    assert waited.code == 0, waited.err
    assert "train  succeeded" in waited.out
    assert expiac("plan", "lab").out.splitlines()[-1] == "no changes"
    assert expiac("logs", "lab", "train").out.endswith(" is succeeded\n")


def test_its_name_is_no_place_of_skypilots(expiac, project):
    """The task does not name it: in SkyPilot's format `infra` is a cloud."""
    declare(project, "mine")
    said = expiac("render", "lab", "--out", "rendered")
    assert said.code == 0, said.err
    assert "infra" not in (project / "rendered" / "train.task.yaml").read_text()


@pytest.mark.parametrize(("infra", "backend"), [("mien", ""), ("", "mien"), ("mine/gpus", "")])
def test_a_misspelt_backend_names_the_nearest_and_lists_all(expiac, project, infra, backend):
    """Before anybody asks SkyPilot whether it has such a place."""
    declare(project, infra, backend=backend)
    said = expiac("plan", "lab", "--no-refresh")
    assert said.code == 1
    assert said.err == (f"No such backend\n  train: infra='{infra or backend}', and the backends are local, mine, "
                        "skypilot\n  Hint: did you mean mine?\n")


def test_a_provider_that_runs_no_jobs_is_no_backend(expiac, project):
    declare(project, "books")
    said = expiac("plan", "lab", "--no-refresh")
    assert said.err == ("Not a backend\n  train: infra='books', a provider that runs no jobs\n"
                        "  Hint: infra='local', or let its class inherit RunsJobs\n")


@pytest.mark.parametrize("infra", ["aws/us-east-1", "k8s", "slurm/lab", "*/us-east-1", "Kubernetes/a", "there/new"])
def test_every_other_place_is_skypilots(expiac, project, infra):
    """Also one of a cloud that only a later SkyPilot knows."""
    declare(project, infra)
    said = expiac("plan", "lab", "--no-refresh", "--json")
    assert said.code == 0, said.err
