"""A project whose jobs record their own births, and processes that kill themselves at a chosen instant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from expiac.apply.events import Silent
from expiac.declare.project import find_project
from expiac.providers.local import LocalProvider  # noqa: F401
from expiac.session import Session

STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Config(ExperimentConfig):
    name: str = "crash"
    phase: int = 1

def job(name, text="", gpus=1):
    where = SkypilotJobConfig(workdir=None, gpus=gpus)
    run = f"echo $EXPIAC_INSTANCE $EXPIAC_LAUNCH >> {BIRTHS}; exec sleep 600 # {text}"
    return Job(name, run=run, skypilot=where)

def stack(config: Config) -> Stack:
    first = [job("kept"), job("moved"), job("replaced"), job("removed")]
    second = [job("kept"), job("moved", gpus=2), job("replaced", "differently"), job("added", "new")]
    return Stack(config.name, first if config.phase == 1 else second)
'''


class Crashes:
    """One project, many stacks; each is applied by processes that may be told when to die."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.births_file = folder / "births"
        (folder / "stacks").mkdir(parents=True)
        (folder / "templates").symlink_to(Path(__file__).parents[2] / "templates")
        (folder / "pyproject.toml").write_text("[tool.expiac]\n")
        (folder / "stacks/crash.py").write_text(STACK.replace("{BIRTHS}", str(self.births_file)))

    def apply(self, stack: str, phase: int, die_at: int | None = None) -> int:
        """Applies in a process of its own; `die_at` is the count of audit events after which it kills itself.

        Returns how many events there were, or -1 where it was killed.
        """
        return self._child(lambda session: session.apply(session.plan()), [f"name={stack}", f"phase={phase}"], die_at)

    def destroy(self, stack: str, die_at: int | None = None) -> int:
        return self._child(lambda session: session.apply(session.plan_destroy()), [f"name={stack}"], die_at)

    def _child(self, deed: Callable[..., object], overrides: list[str], die_at: int | None) -> int:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._live_and_die(deed, overrides, die_at, writer)
        os.close(writer)
        with os.fdopen(reader) as answer:
            said = answer.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            assert die_at is not None
            return -1
        assert os.WEXITSTATUS(status) == 0, said
        return int(said)

    def _live_and_die(self, deed: Callable[..., object], overrides: list[str], die_at: int | None, writer: int) -> None:
        code = 1
        try:
            events = 0
            with Session.open("crash", overrides, reporter=Silent(), project=find_project(self.root)) as session:
                def count(event: str, _: object) -> None:
                    nonlocal events
                    events += 1
                    if events == die_at:
                        os.kill(os.getpid(), signal.SIGKILL)

                sys.addaudithook(count)
                deed(session)
                os.write(writer, str(events).encode())
            code = 0
        except BaseException:
            import traceback

            os.write(writer, traceback.format_exc().encode())
        finally:
            os._exit(code)

    def starts(self, stack: str) -> Counter[tuple[str, str]]:
        """How often each (instance, launch) of the stack says that it was born."""
        lines = self.births_file.read_text().splitlines() if self.births_file.exists() else []
        return Counter((name, launch) for name, launch in map(str.split, lines) if name.startswith(f"{stack}."))

    def running(self, stack: str) -> dict[str, int]:
        """The jobs' own processes by instance: job name → pid."""
        found = {}
        for process in psutil.process_iter():
            try:
                instance = process.environ().get("EXPIAC_INSTANCE", "")
                if instance.startswith(f"{stack}.") and process.name() == "sleep":
                    found[instance.split(".")[1]] = process.pid
            except psutil.Error:
                continue
        return found

    def wait_for(self, what: Callable[[], bool], limit: float = 60.0) -> None:
        until = time.monotonic() + limit
        while not what():
            assert time.monotonic() < until, "it did not come about in time"
            time.sleep(0.05)


@pytest.fixture
def crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crashes]:
    monkeypatch.setenv("EXPIAC_LOCAL_MACHINE", str(tmp_path / "machine"))
    monkeypatch.setenv("EXPIAC_LOCAL_CPUS", "1000")
    made = Crashes(tmp_path / "project")
    yield made
    for file in (made.root / ".expiac").glob("*.jsonl"):
        made.destroy(file.stem)
    left = subprocess.run(["pgrep", "-f", str(made.root)], capture_output=True, text=True, check=False).stdout.split()
    assert left == [], f"processes are left: {left}"
