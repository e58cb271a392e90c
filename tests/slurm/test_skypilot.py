"""expiac on the real SkyPilot and the real Slurm: launched once, seen as it is, and gone after destroy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]
LIMIT = 600
STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack


class Small(ExperimentConfig):
    name: str = "small"
    seconds: int = 1
    jobs: int = 1


def stack(config: Small) -> Stack:
    where = SkypilotJobConfig(gpus=1, secrets=["TOKEN"], file_mounts={"~/sky_workdir/extra/note.txt": "note.txt"})
    run = f"cat extra/note.txt; test $TOKEN = hush && echo told; echo I am $EXPIAC_INSTANCE; sleep {config.seconds}"
    return Stack(config.name, [
        Job(f"job{number}", run=run, skypilot=where, outputs={"result": "out/r"}) for number in range(config.jobs)])
'''
QUEUE = """
import json
from expiac.providers.skypilot import get_skypilot_service
from expiac.providers.skypilot.seen import envs
for job in get_skypilot_service().list():
    told = envs(job.task)
    print(json.dumps([told.get("EXPIAC_LINEAGE"), told.get("EXPIAC_INSTANCE"), told.get("EXPIAC_LAUNCH"), job.status]))
"""


class Desk:
    """A project in a folder of its own, and expiac's command line in it."""

    def __init__(self, folder: Path, env: dict[str, str], infra: str) -> None:
        self.folder, self.env = folder, {**env, "TOKEN": "hush"}
        (folder / "stacks").mkdir()
        (folder / "stacks" / "small.py").write_text(STACK)
        (folder / "note.txt").write_text("a note\n")
        (folder / ".gitignore").write_text(".expiac\n")
        (folder / "pyproject.toml").write_text(f'[tool.expiac]\nbackend = "{infra}"\naccelerator = "H100"\n')
        shutil.copytree(ROOT / "templates", folder / "templates")

    def start(self, *words: str, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "expiac", *words], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**self.env, **changes})

    def expiac(self, *words: str, **changes: str) -> tuple[int, str]:
        process = self.start(*words, **changes)
        output, _ = process.communicate(timeout=LIMIT)
        return process.returncode, output

    def done(self, *words: str) -> str:
        code, output = self.expiac(*words)
        assert code == 0, output
        return output

    def until(self, word: str, stack: str) -> None:
        deadline = time.monotonic() + LIMIT
        while word not in (seen := self.done("status", stack)):
            assert time.monotonic() < deadline, seen
            time.sleep(2)

    def journal(self, stack: str) -> str:
        file = self.folder / ".expiac" / f"{stack}.jsonl"
        return file.read_text() if file.exists() else ""

    def queue(self, stack: str) -> list[list[str]]:
        """Lineage, instance, launch and status of each of the stack's managed jobs."""
        listed = subprocess.run([sys.executable, "-c", QUEUE], cwd=self.folder, env=self.env, text=True, check=True,
                                capture_output=True, timeout=LIMIT).stdout
        jobs = [json.loads(line) for line in listed.splitlines()]
        lineage = json.loads(self.journal(stack).splitlines()[0])["lineage"]
        return [job for job in jobs if job[0] == lineage]


@pytest.fixture
def desk(slurm, tmp_path):
    return Desk(tmp_path, slurm.env, slurm.infra)


def test_a_job_runs_to_its_end_and_is_kept(desk):
    """With its mounts and its secret, which is in no file of ours."""
    desk.done("apply", "small", "name=ends", "--yes", "--wait")
    assert "succeeded" in desk.done("status", "ends")
    said = desk.done("logs", "ends", "job0")
    assert all(word in said for word in ("a note", "told", "I am ends.job0."))
    assert "no changes" in desk.done("plan", "small", "name=ends")
    assert not [file for file in desk.folder.rglob("*") if file.is_file() and "hush" in file.read_text()
                and file.name != "small.py"]


def test_a_killed_client_launched_once(desk):
    """Killed between the request and its answer; the next apply finds all of them."""
    process = desk.start("apply", "small", "name=killed", "jobs=2", "--yes")
    deadline = time.monotonic() + LIMIT
    while '"request"' not in desk.journal("killed") and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    desk.done("apply", "small", "name=killed", "jobs=2", "--yes")
    launches = [(instance, launch) for _, instance, launch, _ in desk.queue("killed")]
    assert len(launches) == len(set(launches)) == 2


def test_destroy_leaves_nothing(desk):
    """Seen running, cancelled by its id, and verified in SkyPilot's queue and in Slurm's."""
    desk.done("apply", "small", "name=lasts", "seconds=1000", "--yes")
    desk.until("running", "lasts")
    desk.done("destroy", "lasts", "--yes")
    assert [status for *_, status in desk.queue("lasts")] == ["CANCELLED"]
    squeue = subprocess.run(["squeue", "-h", "-o", "%j"], env=desk.env, capture_output=True, text=True, check=True)
    assert "lasts" not in squeue.stdout
    assert "no changes" in desk.done("destroy", "lasts", "--yes")


def test_a_server_that_is_away_is_named_soon(desk):
    """Nothing is launched or written, and no server is started."""
    away = {"SKYPILOT_API_SERVER_LOCAL_PORT": "9", "SKYPILOT_DISABLE_LOCAL_API_SERVER": "1"}
    code, output = desk.expiac("apply", "small", "name=away", "--yes", **away)
    assert (code, "API server does not answer" in output, "sky api start" in output) == (1, True, True), output
    lines = [json.loads(line) for line in desk.journal("away").splitlines()[1:]]
    began, ended = (datetime.fromisoformat(line["at"]) for line in lines if line["event"] in ("started", "failed"))
    assert (ended - began).total_seconds() < 10
    assert desk.expiac("plan", "small", "name=away", "--no-refresh", **away)[0] == 0
    assert "request" not in desk.journal("away")
