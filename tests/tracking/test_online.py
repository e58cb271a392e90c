"""Runs at W&B: its real client logs them, its real API reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from launches import train

from expiac.testing.wandb_server import WandbServer
from expiac.tracking import WandbService, get_wandb_service
from expiac.util.errors import ExpiacError, UsageError


def test_a_run_that_the_client_logged(server: WandbServer, online: WandbService, tmp_path: Path):
    """Its settings, its state, the last of its metrics, its page, and all its rows."""
    train(tmp_path, server.env, "one")
    run = online.get_run("one")
    assert (run.name, run.project, run.entity, run.group, run.job_type) == (
        "run one", "lab", "tester", "ab_test", "train")
    assert (run.tags, run.notes, run.state, run.author) == (("blue", "new"), "a note", "finished", "tester")
    assert run.config == {"lr": 0.1, "net": {"layers": [64, 64]}, "late": True}
    assert (run.summary["loss"], run.summary["eval.hearts"], run.url) == (0.2, 4, f"{server.url}/tester/lab/runs/one")
    assert run.created_at is not None
    assert abs(datetime.now(UTC) - run.created_at) < timedelta(minutes=5)
    assert [(row["_step"], row["loss"], row["eval.hearts"]) for row in online.get_history(run)] == [
        (step, 1 / (step + 1), step) for step in range(5)]


def test_a_run_that_is_resumed(server: WandbServer, online: WandbService, tmp_path: Path):
    """It goes on after its last step, and each row is uploaded once."""
    train(tmp_path, server.env, "one", rows=3, exit_code=1)
    assert online.get_run("one").state == "failed"
    train(tmp_path, {**server.env, "WANDB_RESUME": "allow"}, "one", rows=2)
    assert [row["_step"] for row in online.get_history("one")] == [0, 1, 2, 3, 4]
    assert (online.get_run("one").state, server.uploads) == ("finished", 5)


def test_the_same_run_twice(server: WandbServer, online: WandbService, tmp_path: Path):
    """It is one run at W&B. Without resumption the client begins again at step 0, and what it uploads is seen."""
    for _ in range(2):
        train(tmp_path, server.env, "one", rows=3)
    assert [run.id for run in online.find_runs()] == ["one"]
    assert server.run("lab", "one").upserts > 2
    assert ([row["_step"] for row in server.run("lab", "one").history[-3:]], server.uploads) == ([0, 1, 2], 6)


def test_all_rows_of_a_long_history(server: WandbServer, online: WandbService):
    """More than W&B samples, and more than one page."""
    server.add_run("lab", "long", rows=2_500)
    assert [row["_step"] for row in online.get_history("long")] == list(range(2_500))
    assert sum("HistoryPage" in path for path in server.requests) == 3


def test_steps_far_apart(server: WandbServer, online: WandbService):
    """A run that counts samples has few rows in many steps: it is read in as many pages as its rows need."""
    run = server.add_run("lab", "sparse")
    run.write("wandb-history.jsonl", 0, [f'{{"_step": {step * 100_000}}}' for step in range(2_000)])
    assert len(list(online.get_history("sparse"))) == 2_000
    assert sum("HistoryPage" in path for path in server.requests) <= 3


def test_some_keys_of_a_history(server: WandbServer, online: WandbService):
    """The rows that have any of them."""
    run = server.add_run("lab", "mixed")
    run.write("wandb-history.jsonl", 0, ['{"_step": 0, "a": 1, "x": 0}', '{"_step": 1, "b": 2}', '{"_step": 2, "x": 3}',
                                         ])
    assert list(online.get_history("mixed", keys=["a", "b"])) == [{"_step": 0, "a": 1}, {"_step": 1, "b": 2}]


@pytest.fixture
def lab(server: WandbServer) -> WandbServer:
    """Four runs that differ."""
    server.add_run("lab", "r1", group="ab", tags=["blue", "old"], created_at="2026-01-01T00:00:00Z", state="finished",
                   summary={"loss": 3.0}, config={"lr": {"value": 0.1}})
    server.add_run("lab", "r2", group="ab", tags=["blue"], created_at="2026-01-02T00:00:00Z", state="crashed",
                   summary={"loss": 1.0}, config={"lr": {"value": 0.3}}, job_type="eval")
    server.add_run("lab", "r3", group="other", tags=["red"], created_at="2026-01-03T00:00:00Z", username="ada",
                   summary={"loss": 2.0}, config={"lr": {"value": 0.2}})
    server.add_run("elsewhere", "r4", group="ab")
    return server


@pytest.mark.parametrize(("wanted", "found"), [
    ({}, "r3 r2 r1"), ({"tags": ["blue"]}, "r2 r1"), ({"tags": ["blue", "old"]}, "r1"), ({"tags": "red"}, "r3"),
    ({"group": "ab"}, "r2 r1"), ({"state": "crashed"}, "r2"), ({"author": "ada"}, "r3"), ({"job_type": "eval"}, "r2"),
    ({"created_after": "2026-01-02"}, "r3 r2"), ({"created_before": "2026-01-02"}, "r1"),
    ({"created_after": datetime(2026, 1, 2, tzinfo=UTC), "created_before": "2026-01-03"}, "r2"),
    ({"ids": ["r1", "r3", "gone"]}, "r3 r1"), ({"order": "created_at", "limit": 2}, "r1 r2"),
    ({"order": "-summary_metrics.loss"}, "r1 r3 r2"), ({"order": "config.lr"}, "r1 r3 r2"), ({"limit": 0}, ""),
    ({"group": "ab", "state": "finished", "tags": ["blue"]}, "r1"), ({"author": "nobody"}, "")])
def test_find_runs(lab: WandbServer, online: WandbService, wanted, found):
    """By each word alone, and by several; W&B selects, and sends no other run."""
    assert " ".join(run.id for run in online.find_runs(**wanted)) == found


def test_what_is_found_was_selected_by_the_server(lab: WandbServer, online: WandbService):
    """The filters that it gets mean the same."""
    online.find_runs(state="crashed", tags=["blue"], created_after="2026-01-01")
    assert [run.name for run in lab.selected] == ["r2"]


def test_the_runs_of_a_stack(lab: WandbServer, online: WandbService):
    assert [run.id for run in online.get_runs_for_experiment("ab")] == ["r2", "r1"]


def test_more_runs_than_a_page(server: WandbServer, online: WandbService):
    for number in range(120):
        server.add_run("lab", f"r{number}", created_at=f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z")
    assert [run.id for run in online.find_runs(order="created_at")] == [f"r{number}" for number in range(120)]


def test_a_run_is_looked_at_anew(server: WandbServer, online: WandbService):
    """Nothing that was read before is given again."""
    run = server.add_run("lab", "one")
    assert online.get_run("one").state == "running"
    run.end(0)
    assert (online.get_run("one").state, online.find_runs()[0].state) == ("finished", "finished")


def test_artifacts(server: WandbServer, online: WandbService, tmp_path: Path):
    """They are listed, and one is downloaded."""
    train(tmp_path, server.env, "one", "artifact")
    (artifact,) = online.get_artifacts("one")
    assert (artifact.name, artifact.type, artifact.size) == ("checkpoint:v0", "model", 7)
    assert artifact.metadata == {"step": 5}
    assert set(artifact.aliases) == {"latest", "best"}
    target = online.download_artifact(artifact, tmp_path / "here")
    assert (target / "deep" / "weights.bin").read_bytes() == b"weights"


def test_an_order_that_there_is_not(online: WandbService):
    with pytest.raises(UsageError, match="Unknown order"):
        online.find_runs(order="mood")


def test_a_run_of_this_machine_that_was_never_uploaded(server, online, offline_folder, monkeypatch):
    """Its folder is read instead."""
    server.add_run("lab", "other")
    here = get_wandb_service(offline_folder, project="lab")
    assert here.is_online
    assert (here.get_run("one").url, len(list(here.get_history("one")))) == (None, 5)
    with pytest.raises(ExpiacError) as caught:
        here.get_run("three")
    assert caught.value.code == "no-such-wandb-run"
