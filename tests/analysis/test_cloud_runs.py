"""Runs whose files are on machines elsewhere are seen by what they print: a SkyPilot in memory, commands in process."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from expiac import api
from expiac.cli import commands, queries
from expiac.cli import results as result_commands

CLOUD = """
from expiac.providers.skypilot import SkypilotProvider
from expiac.testing.sky import FakeSky, Server

SERVER = Server()

class Cloud(SkypilotProvider):
    def __init__(self, root, folder=None):
        super().__init__(root, folder, sky=FakeSky(SERVER), timeout=5, pause=0.01)
"""
STACK = """
from dataclasses import field
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Far(ExperimentConfig):
    name: str = "far"
    run: str = "lasts"
    managed: bool = True
    expect: dict[str, str] = field(default_factory=dict)

def stack(config: Far) -> Stack:
    where = SkypilotJobConfig(gpus=0, infra="skypilot", workdir=None, git_check=False, managed=config.managed)
    return Stack(config.name, [Job(f"seed_{seed}", run=config.run, outputs={"metrics": "out/metrics.jsonl"},
                                   expect=config.expect, skypilot=where, notes=f"{seed}") for seed in (0, 1)])
"""


def rows(*steps, reward=1.0):
    return [json.dumps({"step": step, "total_steps": 40, "elapsed": step, "reward": reward * step}) for step in steps]


@pytest.fixture
def server(tmp_path, monkeypatch):
    """We stand in the project."""
    (tmp_path / "pyproject.toml").write_text('[tool.expiac.providers]\nskypilot = "far_cloud:Cloud"\n')
    (tmp_path / "far_cloud.py").write_text(CLOUD)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "far.py").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "far_cloud", raising=False)
    yield importlib.import_module("far_cloud").SERVER
    sys.modules.pop("far_cloud", None)


def launched(server, **overrides):
    """The stack, applied; each run has printed something, the second twice as good."""
    assert api.apply("far", overrides).is_well
    instances = [one.instance for one in api.status("far")]
    for place, instance in enumerate(instances, start=1):
        server.printed[instance] = ["hello", *rows(10, 20, reward=place)]
    return instances


def until(status):
    for _ in range(10):
        seen = api.status("far")
        if {one.status.value for one in seen} == {status}:
            return seen
    raise AssertionError(seen)


def test_status_shows_step_and_figures(server, capsys):
    """Each look reads each log once; the runs that wait have none."""
    launched(server)
    seen = until("running")
    assert [(one.progress.step, one.progress.total_steps, dict(one.progress.metrics)) for one in seen] == [
        (20, 40, {"reward": 20.0}), (20, 40, {"reward": 40.0})]
    server.asked.clear()
    assert commands.status("far") == 0
    assert server.asked.count("lines") == 2
    assert "20/40" in capsys.readouterr().out


def test_without_a_refresh_nobody_is_asked(server, capsys):
    """What the last look saw is shown."""
    launched(server)
    until("running")
    server.asked.clear()
    assert [one.progress.step for one in api.status("far", refresh=False)] == [20, 20]
    assert expiac_results(capsys, no_refresh=True)[0]["step"] == 20
    assert server.asked == []


@pytest.mark.parametrize("managed", [True, False])
def test_results_have_the_whole_curve_also_after_the_log_is_gone(server, managed):
    """A run on a cluster has lost its log with the cluster, which the refresh takes down."""
    launched(server, run="succeeds", managed=managed)
    until("succeeded")
    api.refresh("far")
    server.printed.clear()
    server.asked.clear()
    histories = api.results("far").histories
    assert histories.select("job", "step", "value").rows() == [
        ("seed_0", 10.0, 10.0), ("seed_0", 20.0, 20.0), ("seed_1", 10.0, 20.0), ("seed_1", 20.0, 40.0)]
    assert "lines" not in server.asked
    assert bool(server.clusters) is False


def test_results_of_runs_that_go_on_are_as_of_now(server, capsys):
    """One look reads each log once."""
    instances = launched(server)
    until("running")
    server.printed[instances[0]] += rows(30)
    server.asked.clear()
    assert [run["step"] for run in expiac_results(capsys)] == [30, 20]
    assert server.asked.count("lines") == 2


def test_a_run_is_judged_by_what_it_printed(server):
    assert api.apply("far", {"run": "succeeds"}).is_well
    for place, one in enumerate(api.status("far", refresh=False), start=1):
        server.printed[one.instance] = rows(10, 20, reward=place)
    until("succeeded")
    assert api.apply("far", {"run": "succeeds", "expect": {"reward": ">= 30"}}).done
    seen = {one.address: (one.status.value, one.detail) for one in api.status("far")}
    assert seen["seed_0"] == ("failed", "expected reward >= 30, but it is 20")
    assert seen["seed_1"][0] == "succeeded"


def test_two_runs_are_compared(server, capsys):
    launched(server, run="succeeds")
    until("succeeded")
    capsys.readouterr()
    assert queries.diff(["far.seed_0", "far.seed_1"]) == 0
    assert "reward: 20.0 → 40.0" in capsys.readouterr().out


def test_an_output_costs_no_log(server, capsys):
    launched(server)
    until("running")
    server.asked.clear()
    assert queries.output("far") == 0
    assert "lines" not in server.asked


def test_why_there_are_no_figures_is_said(server, capsys):
    """The status itself is known."""
    launched(server)
    until("running")
    server.printed = Broken()
    assert commands.status("far") == 0
    said = capsys.readouterr()
    assert "its log was not read" in said.out + said.err


class Broken(dict):
    """A log that can't be read."""

    def __contains__(self, name):
        raise OSError("the log is torn")


def expiac_results(capsys, **words):
    capsys.readouterr()
    assert result_commands.results("far", json=True, **words) == 0
    return json.loads(capsys.readouterr().out)["results"]
