"""Two people, one shared state, one SkyPilot: one is stopped or killed at the worst moment, the other one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm.desk import LIMIT, Desk

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]
PRELUDE = """
import os, signal, socket, sys
from expiac.providers.skypilot import sdk
from expiac.cli import main

host, sleeps, dies, *sys.argv[1:] = sys.argv[1:]
socket.gethostname = lambda: host
launch = sdk._launch

def launched(task, cluster):
    if sleeps == "sleeps":
        os.kill(os.getpid(), signal.SIGSTOP)
    request = launch(task, cluster)
    if dies == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return request

sdk._launch = launched
sys.exit(main())
"""
"""expiac's command line on a host of some name; it may sleep right before its launch request, and die after it."""
APPLY = ("apply", "small", "name=two", "seconds=1000", "--yes")


class SharedDesk(Desk):
    """A checkout whose states are in a store that it shares."""

    def __init__(self, folder: Path, env: dict[str, str], infra: str, store: Path, host: str) -> None:
        folder.mkdir()
        (folder / "tmp").mkdir()
        super().__init__(folder, {**env, "EXPIAC_STATE": f"file://{store}", "PYTHONUNBUFFERED": "1"}, infra)
        self.store, self.host = store, host
        self.env["TMPDIR"] = str(store.parent / f"tmp-{host}")  # where processes of one machine find each other
        Path(self.env["TMPDIR"]).mkdir(exist_ok=True)

    def start(self, *words: str, sleeps: bool = False, dies: bool = False, **changes: str) -> subprocess.Popen[str]:
        how = ("sleeps" if sleeps else "", "dies" if dies else "")
        return subprocess.Popen(
            [sys.executable, "-c", PRELUDE, self.host, *how, *words], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**self.env, **changes})

    def journal(self, stack: str) -> str:
        return "".join(piece.read_text() for piece in sorted((self.store / stack).glob("*.jsonl")))

    def asleep(self, *words: str, dies: bool = False) -> subprocess.Popen[str]:
        """The command, once it sleeps right before its request."""
        process = self.start(*words, sleeps=True, dies=dies)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "it did not come so far"
        return process


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def wake(process: subprocess.Popen[str]) -> str:
    """What it says until its end."""
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=LIMIT)
    return said


def launches(desk: Desk, stack: str = "two") -> list[tuple[str, bool]]:
    """Instance and launch of each job that there is of the stack, and whether it was cancelled; the earliest first."""
    return [(f"{instance}/{launch}", status.startswith("CANCEL"))
            for _, instance, launch, status in reversed(desk.queue(stack))]


def test_a_look_from_before_the_lock_launches_nothing(slurm, store, tmp_path):
    """Two clones on one machine: one waits for the lock, has looked, and gets it when the other dies in its launch."""
    first, second = (SharedDesk(tmp_path / name, slurm.env, slurm.infra, store, "one") for name in ("a", "b"))
    dying = first.asleep(*APPLY, dies=True)
    waiting = second.start(*APPLY)
    assert waiting.stdout is not None
    shown = next(line for line in waiting.stdout if "+ job0" in line or "Locked" in line)
    assert "+ job0" in shown
    wake(dying)
    assert dying.returncode == -signal.SIGKILL
    assert '"request"' not in first.journal("two"), "it was killed before it could note its request"
    said = shown + waiting.communicate(timeout=LIMIT)[0]
    if "Locked" in said:
        said += second.done(*APPLY)
    assert [cancelled for _, cancelled in launches(second)] == [False], said
    assert "no changes" in second.done("plan", *APPLY[1:-1])
    second.done("destroy", "two", "--yes")


def test_whoever_was_thought_gone_ends_its_later_launch(slurm, store, tmp_path):
    """On two hosts: it sleeps before its launch, the other one unlocks and launches; it wakes, and launches too."""
    first, second = (SharedDesk(tmp_path / name, slurm.env, slurm.infra, store, name) for name in ("a", "b"))
    sleeping = first.asleep(*APPLY)
    assert "expiac state unlock two" in second.expiac(*APPLY)[1]
    second.done("state", "unlock", "two", "--yes")
    second.done(*APPLY)
    said = wake(sleeping)
    assert sleeping.returncode != 0
    told = ("State taken over", "launched twice, and managed job", "was ended")
    assert [words for words in told if words not in said] == [], said
    (one, other) = launches(second)
    assert (one[0] == other[0], one[1], other[1]) == (True, False, True), said
    assert "no changes" in second.done("plan", *APPLY[1:-1])
    second.done("destroy", "two", "--yes")
    assert [cancelled for _, cancelled in launches(second)] == [True, True]


def test_what_slips_through_is_ended_by_the_next_look(slurm, store, tmp_path):
    """The first dies right after its launch: a plan says that there are two, and a refresh ends the later one."""
    first, second = (SharedDesk(tmp_path / name, slurm.env, slurm.infra, store, name) for name in ("a", "b"))
    dying = first.asleep(*APPLY, dies=True)
    second.done("state", "unlock", "two", "--yes")
    second.done(*APPLY)
    wake(dying)
    second.until_true(lambda: len(launches(second)) == 2, "a second launch", 1)
    assert "launched twice" in second.done("plan", *APPLY[1:-1])
    said = second.done("refresh", "two")
    assert "launched twice" in said, said
    (one, other) = launches(second)
    assert (one[0] == other[0], one[1], other[1]) == (True, False, True), said
    assert "launched twice" not in second.done("plan", *APPLY[1:-1])
    second.done("destroy", "two", "--yes")
