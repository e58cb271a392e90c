"""Results of runs whose history is at W&B alone: read from a server on loopback by W&B's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import expiac
from expiac import api
from expiac.testing.wandb_server import Failure, WandbServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    with WandbServer() as running:
        for name, value in {**running.env, "WANDB_PROJECT": "lab"}.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def uploaded(server: WandbServer, project: Path) -> WandbServer:
    """Four runs that have succeeded without a metrics file; W&B has the rewards of three."""
    stack = project / "stacks" / "lab.py"
    stack.write_text(stack.read_text().replace('outputs={"metrics": "metrics.jsonl"},', ""))
    assert api.apply("lab", wait=True, timeout=120).is_well
    for number, instance in enumerate(expiac.results("lab").runs["instance"][:3]):
        run = server.add_run("lab", instance, state="finished", summary={"_step": 2})
        run.write("wandb-history.jsonl", 0, [json.dumps({"_step": step, "reward": number * 10 + step})
                                             for step in range(3)])
    server.requests.clear()
    return server


def rewards() -> list[float | None]:
    runs = expiac.results("lab").runs
    return runs["reward"].to_list() if "reward" in runs.columns else []


def test_the_history_at_wandb_is_used(uploaded: WandbServer):
    assert rewards() == [2.0, 12.0, 22.0, None]


def test_ended_runs_are_read_once(uploaded: WandbServer):
    """Later one query tells that nothing has changed."""
    first = rewards()
    uploaded.requests.clear()
    assert rewards() == first
    assert [path for path in uploaded.requests if "History" in path] == []
    assert uploaded.requests.count("/graphql/Runs") == 1


def test_what_is_uploaded_later_is_seen(uploaded: WandbServer):
    rewards()
    run = uploaded.runs[0]
    run.write("wandb-history.jsonl", 3, ['{"_step": 3, "reward": 99}'])
    run.summary = {"_step": 3}
    assert rewards()[0] == 99.0


def test_a_server_that_does_not_answer(uploaded: WandbServer):
    """What was read before is kept, and a note says why there is no more."""
    first = rewards()
    uploaded.fail(Failure(status=401))
    results = expiac.results("lab")
    assert results.runs["reward"].to_list() == first
    assert results.notes == [f"W&B refuses the key: {uploaded.url.removeprefix('http://')} does not take this API key"]


def test_a_history_that_breaks_off_is_not_kept(uploaded: WandbServer):
    """It is read again when the server is well."""
    uploaded.fail(Failure(status=400, where="HistoryPage"))
    results = expiac.results("lab")
    assert "reward" not in results.runs.columns
    assert len(results.notes) == 3
    uploaded.recover()
    assert rewards() == [2.0, 12.0, 22.0, None]


def test_metrics_files_come_first(server: WandbServer, applied: Path):
    """Where they are, W&B is not asked."""
    assert rewards() == [40.0, 41.0, 50.0, 51.0]
    assert server.requests == []
