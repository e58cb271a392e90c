"""A job whose W&B run is online needs a key: a plan says so, instead of a traceback in the job."""

from __future__ import annotations

import pytest

STACK = '''
from expiac import Job, SkypilotJobConfig, Stack

where = SkypilotJobConfig(gpus=0, workdir=None, envs={"WANDB_MODE": "%s"%s})
lab = Stack("lab", [Job("train", run="echo key=$WANDB_API_KEY netrc=$NETRC", skypilot=where)])
'''


@pytest.fixture(autouse=True)
def nobody_logged_in(project, tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_BASE_URL", "NETRC", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    declare(project, "online")


def declare(project, mode: str, more: str = "") -> None:
    (project / "stacks" / "lab.py").write_text(STACK % (mode, more))


def test_an_online_run_without_a_key_is_refused_while_planning(expiac):
    said = expiac("plan", "lab")
    assert said.code == 1
    assert "No W&B key\n  train: its W&B run is online, and there is no key for https://api.wandb.ai" in said.err
    assert "Hint: wandb login, or log offline" in said.err


def test_an_offline_run_needs_none(project, expiac):
    declare(project, "offline")
    assert expiac("plan", "lab").code == 0


def test_a_job_on_this_machine_gets_the_key_of_its_user_and_no_file_has_it(project, expiac, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert expiac("apply", "lab", "--yes", "--wait").code == 0
    assert f"key={'k' * 40}" in expiac("logs", "lab", "train").out
    recorded = [path for path in (project / ".expiac").rglob("*.json*") if b"kkkkkkkk" in path.read_bytes()]
    assert recorded == []


def test_a_job_on_this_machine_finds_what_wandb_login_has_written(tmp_path, expiac, monkeypatch):
    """For this server; an entry for another one is none."""
    file = tmp_path / "home" / ".netrc"
    file.write_text("machine lab.example\n  login user\n  password secret\n")
    assert expiac("plan", "lab").code == 1
    monkeypatch.setenv("WANDB_BASE_URL", "https://lab.example")
    assert expiac("apply", "lab", "--yes", "--wait").code == 0
    assert f"netrc={file}" in expiac("logs", "lab", "train").out


def test_a_key_that_the_job_says_itself_is_enough(project, expiac):
    declare(project, "online", ', "WANDB_API_KEY": "x"')
    assert expiac("plan", "lab").code == 0


def test_a_finished_run_is_kept_without_a_key(expiac, monkeypatch):
    """Nothing would be launched."""
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert expiac("apply", "lab", "--yes", "--wait").code == 0
    monkeypatch.delenv("WANDB_API_KEY")
    assert expiac("plan", "lab").code == 0
