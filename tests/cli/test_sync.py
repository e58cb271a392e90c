"""`expiac sync`: what a trainer logged offline is at W&B, each row once. With the real client and a server here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from expiac.testing.wandb_server import Failure, WandbServer

pytest.importorskip("wandb")
pytestmark = pytest.mark.slow
TRAINER = """\
import os, sys, wandb
run = wandb.init()
for step in range(int(sys.argv[1])):
    run.log({"loss": 1 / (step + 1)})
run.finish()
"""
STACK = '''
from expiac import Job, SkypilotJobConfig, Stack

envs = {"WANDB_MODE": "%s", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "NO_PROXY": "127.0.0.1"}
where = SkypilotJobConfig(gpus=0, envs=envs)
lab = Stack("lab", [Job("train", run="python train.py 40", skypilot=where)])
'''


@pytest.fixture
def server(monkeypatch):
    with WandbServer() as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("WANDB_MODE")
        yield server


def train(project: Path, expiac, mode: str) -> str:
    """Runs the trainer of a user, which knows nothing of expiac; gives the name of the instance."""
    (project / "train.py").write_text(TRAINER)
    (project / "pyproject.toml").write_text('[project]\nname = "ants"\n[tool.expiac]\n')
    (project / "stacks" / "lab.py").write_text(STACK % mode)
    said = expiac("apply", "lab", "--yes", "--wait")
    assert said.code == 0, said.err + expiac("logs", "lab", "train").out
    return json.loads(expiac("status", "lab", "--json").out)["resources"][0]["instance"]


def run_file(project: Path) -> Path:
    (file,) = (project / ".expiac" / "local").glob("*/home/sky_workdir/wandb/offline-run-*/run-*.wandb")
    return file


def test_an_offline_run_is_uploaded_once_and_status_links_to_it(project, expiac, server):
    instance = train(project, expiac, "offline")
    dry = expiac("sync", "lab", "--dry-run")
    assert (dry.code, server.runs) == (0, [])
    assert f"{instance}: to upload" in dry.out

    first = json.loads(expiac("sync", "--json").out)
    (run,) = server.runs
    assert (run.project, run.name, run.group) == ("ants", instance, "lab")
    assert [row["_step"] for row in run.history] == list(range(40))
    page = f"{server.url}/tester/ants/runs/{instance}"
    assert first["synced"] == [{"stack": "lab", "address": "train", "instance": instance, "id": instance,
                                "outcome": "uploaded", "rows": 40, "artifacts": 0, "url": page,
                                "why": ""}]

    again = expiac("sync", "lab")
    assert "1 unchanged" in again.out
    assert server.uploads == 40

    asked = len(server.requests)
    assert f"train: {page}" in expiac("status", "lab").out
    assert json.loads(expiac("status", "lab", "--json").out)["resources"][0]["page"] == page
    assert len(server.requests) == asked, "status asks no server"


def test_each_server_gets_a_run_once(project, expiac, server, monkeypatch):
    """What one server has is not taken to be at another one; the link is that of the last upload."""
    instance = train(project, expiac, "offline")
    assert "1 uploaded" in expiac("sync", "lab").out
    with WandbServer() as other:
        for name, value in other.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("WANDB_MODE")
        assert f"{instance}: to upload" in expiac("sync", "lab", "--dry-run").out
        assert "1 uploaded" in expiac("sync", "lab").out
        assert "1 unchanged" in expiac("sync", "lab").out
        assert (len(other.run("ants", instance).history), server.uploads, other.uploads) == (40, 40, 40)
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        assert "1 unchanged" in expiac("sync", "lab").out


def test_an_upload_that_is_killed_is_made_whole_by_the_next(project, expiac, server):
    """The server has some rows then, and in the end each of them once."""
    instance = train(project, expiac, "offline")
    server.fail(Failure(status=500, where="CreateRunFiles"))
    command = [sys.executable, "-m", "expiac", "sync", "lab"]
    process = subprocess.Popen(command, cwd=project, env=os.environ, start_new_session=True, stdout=subprocess.DEVNULL)
    while not server.uploads:
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    server.recover()
    assert expiac("sync", "lab").code == 0
    assert [row["_step"] for row in server.run("ants", instance).history] == list(range(40))
    assert not list((project / ".expiac" / "wandb").glob("copy-*"))


def test_a_file_that_has_grown_is_uploaded_again(project, expiac, server):
    """A run that goes on; the end of a file that is being written is left out."""
    instance = train(project, expiac, "offline")
    file = run_file(project)
    whole = file.read_bytes()
    file.write_bytes(whole[:len(whole) // 2])
    assert expiac("sync", "lab").code == 0
    torn = len(server.run("ants", instance).history)
    assert 0 < torn < 40
    file.write_bytes(whole)
    assert "uploaded, 40 rows" in expiac("sync", "lab").out
    assert len(server.run("ants", instance).history) == 40


def test_foreign_empty_and_damaged_files_are_named_and_hinder_no_other(project, expiac, server):
    instance = train(project, expiac, "offline")
    wandb = run_file(project).parent.parent
    hostile = {"a-foreign": b"<script>\x1b[31m", "b-empty": b"", "c-cut": run_file(project).read_bytes()[:7]}
    for name, content in hostile.items():
        (wandb / f"offline-run-20200101_000000-{name}").mkdir()
        (wandb / f"offline-run-20200101_000000-{name}" / f"run-{name}.wandb").write_bytes(content)
    said = expiac("sync", "lab")
    assert said.code == 1
    assert "Not a W&B run" in said.out
    assert said.out.count("it does not say which run it is of") == 2
    assert [run.name for run in server.runs] == [instance]
    assert "\x1b" not in said.out


def test_a_server_that_fails_is_given_up_in_time(project, expiac, server):
    train(project, expiac, "offline")
    server.fail(Failure(status=500, where="UpsertBucket"))
    said = expiac("sync", "lab", "--timeout", "5")
    assert said.code == 1
    assert "Not uploaded in time: W&B was not done after 5 seconds" in said.out
    server.recover()
    assert expiac("sync", "lab").code == 0


@pytest.mark.parametrize(("status", "why"), [(500, "W&B does not answer"), (403, "W&B refuses the key")])
def test_a_server_that_takes_nothing_is_told_before_an_upload(project, expiac, server, status, why):
    """Nobody waits for the time limit."""
    train(project, expiac, "offline")
    server.fail(Failure(status=status))
    said = expiac("sync", "lab")
    assert (said.code, why in said.err, len(server.requests)) == (1, True, 1)


@pytest.mark.parametrize("where", ["UpsertBucket", "/file_stream"])
def test_what_a_server_refuses_is_not_called_uploaded(project, expiac, server, where):
    """W&B's own command says `done.` then, with exit code 0."""
    instance = train(project, expiac, "offline")
    server.fail(Failure(status=403, where=where))
    said = expiac("sync", "lab")
    assert (said.code, server.uploads) == (1, 0)
    assert f"{instance}: failed\n    Not uploaded: " in said.out
    server.recover()
    assert "1 uploaded" in expiac("sync", "lab").out


def test_nobody_without_a_key_is_kept_waiting(project, expiac, server, monkeypatch, tmp_path):
    train(project, expiac, "offline")
    monkeypatch.delenv("WANDB_API_KEY")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    said = expiac("sync", "lab")
    assert (said.code, server.requests) == (1, [])
    assert f"No W&B key\n  there is no key for {server.url}\n  Hint: wandb login" in said.err


def test_an_online_run_has_its_link_and_nothing_to_upload(project, expiac, server):
    instance = train(project, expiac, "online")
    assert len(server.run("ants", instance).history) == 40
    assert f"train: {server.url}/tester/ants/runs/{instance}" in expiac("status", "lab").out
    assert expiac("sync", "lab").out == "nothing was logged to W&B offline\n"


def test_the_link_of_an_online_run_is_to_the_server_of_its_launch(project, expiac, server, monkeypatch):
    """Whatever server is meant now."""
    instance = train(project, expiac, "online")
    for other in ("http://127.0.0.1:9", ""):
        monkeypatch.setenv("WANDB_BASE_URL", other)
        assert f"train: {server.url}/tester/ants/runs/{instance}" in expiac("status", "lab").out
