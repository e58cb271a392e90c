"""Without the credentials of a backend a plan says that the price is unknown, and apply launches nothing at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from expiac.providers.base import Estimates, RunsJobs
from expiac.testing.memory import MemoryProvider
from expiac.util.errors import NoAccess

ROOT = Path(__file__).parents[2]
TWO = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Two(ExperimentConfig):
    name: str = "two"

def stack(config: Two) -> Stack:
    here = SkypilotJobConfig(workdir=None, infra="local")
    there = SkypilotJobConfig(workdir=None, infra="lab", max_runtime="1h")
    return Stack(config.name, [Job("here", run="touch launched", skypilot=here),
                               Job("there", run="true", skypilot=there)])
'''


class Lab(MemoryProvider, Estimates, RunsJobs):
    """A backend that has credentials once a file of the project says so."""

    def __init__(self, root: Path) -> None:
        super().__init__(autofinish=True)
        self._root = root

    def estimate(self, inputs):
        if not (self._root / "credentials").exists():
            raise NoAccess("No cloud is enabled in the lab", "asking for the price", "lab login")
        return 2.0


@pytest.fixture(autouse=True)
def two(project):
    (project / "stacks" / "two.py").write_text(TWO)
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.expiac.providers]\nlab = "test_access:Lab"\n')
    return project


def test_a_plan_says_that_the_price_is_unknown_and_why(expiac):
    said = expiac("plan", "two")
    assert said.code == 0
    assert "no price known: No cloud is enabled in the lab (lab login)" in said.out
    assert "! apply will refuse: No cloud is enabled in the lab (lab login)" in said.out
    here, there = json.loads(expiac("plan", "two", "--json").out)["steps"]
    assert (here["unpriced"], here["price_error"]) == (False, "")
    assert (there["unpriced"], there["price_error"]) == (True, "No cloud is enabled in the lab (lab login)")


@pytest.mark.parametrize("words", [[], ["--no-refresh"]])
def test_apply_refuses_before_anything_is_launched(expiac, two, words):
    """Also what needs no credentials: a half of a plan is not what was asked for."""
    said = expiac("apply", "two", "--yes", *words)
    assert (said.code, said.err.splitlines()[0]) == (1, "No cloud is enabled in the lab")
    assert not list(two.rglob("launched"))
    assert expiac("state", "list", "two").code == 64  # nothing was recorded


def test_a_plan_that_was_saved_without_credentials_goes_with_them(expiac, two):
    assert expiac("plan", "two", "--out", "plan.json").code == 0
    assert expiac("apply", "plan.json", "--yes").code == 1
    (two / "credentials").touch()
    assert expiac("apply", "plan.json", "--yes").code == 0
    assert expiac("destroy", "two", "--yes").code == 0


@pytest.mark.parametrize("policy", [False, True])
def test_an_unknown_price_is_over_every_budget(expiac, two, policy):
    """Its reason is told; without a budget the plan goes, as above."""
    if policy:
        text = (two / "pyproject.toml").read_text()
        (two / "pyproject.toml").write_text(text + "[tool.expiac.policies]\nbudget = 1000\n")
    said = expiac("plan", "two", *([] if policy else ["budget=1000"]))
    assert said.code == 1
    assert "the price of there is not known: No cloud is enabled in the lab (lab login)" in said.err


@pytest.mark.parametrize(("policy", "asks"), [("max_gpus = 8", False), ("budget = 1000", True)])
def test_without_a_refresh_prices_are_asked_for_only_by_policies_that_go_by_them(expiac, two, policy, asks):
    text = (two / "pyproject.toml").read_text()
    (two / "pyproject.toml").write_text(text + f"[tool.expiac.policies]\n{policy}\n")
    said = expiac("plan", "two", "--no-refresh")
    assert (said.code == 1, "No cloud is enabled in the lab" in said.out + said.err) == (asks, asks)


def test_skypilot_without_a_cloud_is_planned_for(two, tmp_path_factory):
    """The real SkyPilot, in a home without any credentials."""
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    env = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home")), "SKYPILOT_DISABLE_USAGE_COLLECTION": "1",
           "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "expiac", "plan", "lab", "infra=aws"]
    said = subprocess.run(words, env=env, text=True, capture_output=True, check=False, timeout=120)
    assert said.returncode == 0, said.stderr
    assert "no price known: No cloud is enabled in SkyPilot (sky check)" in said.stdout
