"""Runs one launch to its end: setup, then run, on every node. Knows no stack and no other launch.

    python -m expiac.providers.local.supervisor <launch folder> [<lock's descriptor> [<gpu,gpu,…>]]

It lives as long as its job and holds the launch's lock meanwhile. It adopts the orphans of its job, so that a
daemon that leaves its session still ends with it. At its job's end it moves the machine's queue on, and starts what
fits as forks of itself. It imports little: there is one for each running job.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from expiac.providers.local import processes
from expiac.providers.local.disk import write
from expiac.providers.local.environment import node_environment
from expiac.providers.local.folder import Launch, RunFolder
from expiac.providers.local.forks import Forks
from expiac.providers.local.job import LocalJob
from expiac.providers.local.sharing import share_copies
from expiac.providers.local.signals import Signals
from expiac.providers.local.slots import Machine, Queue
from expiac.state.status import Status
from expiac.util.encoding import encode_command, encode_environment, environment

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of <linux/prctl.h>."""
FIRST_SCAN, SCAN_PAUSE = 0.1, 5.0
"""Seconds until a job's processes are first listed, and the longest between two lists; it doubles."""
END_LIMIT = 600.0
"""Seconds to wait for a full disk to take the end of a job."""


@dataclass(frozen=True, slots=True)
class End:
    """How a launch ended."""

    status: Status
    detail: str = ""
    exit_code: int | None = None

    def with_remark(self, remark: str) -> End:
        """The same end, of which this is said too."""
        return replace(self, detail="; ".join(filter(None, (self.detail, remark))))


class Supervisor:
    """The parent of everything that one launch runs."""

    def __init__(self, launch: Launch, job: LocalJob, gpus: Sequence[int]) -> None:
        self._launch, self._job, self._gpus = launch, job, gpus
        self._mark = launch.mark(job)
        self._codes: dict[int, int] = {}
        # Kept, because Popen reaps children that nobody refers to.
        self._children: list[subprocess.Popen[bytes]] = []
        self._family: processes.Family = []
        self._scan_pause = FIRST_SCAN
        self._next_scan = time.monotonic() + self._scan_pause
        self.began: float | None = None
        """When its setup was done, in seconds since the epoch."""
        self._signals = Signals()
        _adopt_orphans()

    def carry_out(self) -> End:
        """Runs the job, ends what it leaves behind, and says how it went."""
        try:
            end = self._setup() or self._run()
        except (OSError, ValueError) as error:
            # No bash, no disk: the job must not stay without an end.
            traceback.print_exc()
            end = End(Status.FAILED, f"the supervisor failed: {error}")
        if not processes.end(self._living_processes, self._job.grace):
            end = end.with_remark("some of its processes cannot be killed")
        return self._without_outputs(end) if end.status is Status.SUCCEEDED else end

    @property
    def has_processes(self) -> bool:
        """Whether anything of the job is alive; where orphans are not adopted, they are looked for."""
        if self._living_processes():
            return True
        return sys.platform != "linux" and bool(processes.survivors(self._launch, self._job))

    def _without_outputs(self, end: End) -> End:
        """The end of a run that succeeded, which names the outputs that are not there; it failed if others need one."""
        there = self._launch.outputs(self._job)
        missing = [name for name, path in self._job.outputs.items() if "://" not in path and name not in there]
        if not missing:
            return end
        needed = [name for name in missing if name in self._job.needed]
        name = (needed or missing)[0]
        others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        end = replace(end, status=Status.FAILED) if needed else end
        return end.with_remark(f"output {name} is not there: {self._job.outputs[name]}{others}")

    def _setup(self) -> End | None:
        """None where it went well; one node after another, because they share one machine and one folder."""
        for rank in range(self._job.nodes) if self._job.setup else ():
            if self._is_stop_requested:
                return End(Status.CANCELLED)
            failed = self._wait_for_all([self._begin(rank, self._job.setup)])
            if failed is not None:
                return self._failure("setup failed with ", rank, self._codes[failed])
        return None

    def _run(self) -> End:
        if self._is_stop_requested:
            return End(Status.CANCELLED)
        self.began = time.time()
        self._launch.record("running", durable=False, at=self.began)
        pids = [self._begin(rank, self._job.run) for rank in range(self._job.nodes)]
        failed = self._wait_for_all(pids)
        if failed is not None:
            return self._failure("", pids.index(failed), self._codes[failed])
        if all(self._codes.get(pid) == 0 for pid in pids):
            return End(Status.SUCCEEDED, "", 0)
        return End(Status.CANCELLED)

    def _begin(self, rank: int, script: str) -> int:
        """Starts a script as a session of its own; its pid."""
        descriptor = os.open(self._launch.log(rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            given = environment() if self._job.secrets else {}
            variables = node_environment(self._job, self._launch, rank, self._gpus, given)
            child = subprocess.Popen(
                encode_command(["bash", "-c", script]), cwd=self._launch.home / self._job.workdir,
                start_new_session=True,
                env=encode_environment(variables),
                stdin=subprocess.DEVNULL, stdout=descriptor, stderr=subprocess.STDOUT)
        finally:
            os.close(descriptor)
        self._children.append(child)
        self._codes.pop(child.pid, None)  # an adopted orphan's, which had this pid before
        return child.pid

    def _wait_for_all(self, pids: Iterable[int]) -> int | None:
        """Waits until all have ended, one has failed, or a stop is requested; returns the one that failed."""
        while True:
            self._reap()
            ended = [pid for pid in pids if pid in self._codes]
            if not self._is_stop_requested and (failed := [pid for pid in ended if self._codes[pid]]):
                return failed[0]
            if self._is_stop_requested or ended == list(pids):
                return None
            self._scan_processes()
            self._signals.wait(self._scan_pause)

    def _scan_processes(self) -> None:
        """Writes down what is alive, so that it is found if this process is killed, also without its mark."""
        if time.monotonic() >= self._next_scan:
            self._next_scan = time.monotonic() + self._scan_pause
            self._scan_pause = min(2 * self._scan_pause, SCAN_PAUSE)
            family = processes.process_tree()
            if family != self._family:
                text = json.dumps({"of": self._mark, "members": family})
                with suppress(OSError):
                    write(self._launch.path / "family.json", text, durable=False)
            self._family = family

    def _failure(self, what: str, rank: int, code: int) -> End:
        said = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        where = f" on node {rank}" if self._job.nodes > 1 else ""
        variables = environment() if self._job.secrets else {}
        secrets = [variables.get(name, "") for name in self._job.secrets]
        last = _last_line(self._launch.log(rank), secrets)
        return End(Status.FAILED, f"{what}{said}{where}" + (f": {last}" if last else ""), code)

    def _living_processes(self) -> list[psutil.Process]:
        """Everything of the job. With no child left there is no descendant either: orphans become children."""
        if not self._reap() and sys.platform == "linux":
            return []
        return processes.with_descendants([psutil.Process()])

    def _reap(self) -> bool:
        """Takes note of what has ended; whether any child is left."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._codes[found[0]] = os.waitstatus_to_exitcode(found[1])
        except ChildProcessError:
            return False
        return True

    @property
    def _is_stop_requested(self) -> bool:
        # The file too: the request may be older than this process's signal handlers.
        return self._signals.is_stop_requested or self._launch.has("stop")


def _adopt_orphans() -> None:
    """Makes a descendant that loses its parent a child of this process, where the kernel can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def _last_line(log: Path, secrets: Iterable[str]) -> str:
    """The last thing that was printed, for the status; never a secret."""
    with open(log, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    for secret in filter(None, secrets):
        last = last.replace(secret, "***")
    return last[:200]


def main(path: str, lock: str = "", gpus: str = "") -> None:
    """Supervises the launch in the folder, unless that was done before or is being done."""
    launch = Launch(Path(path))
    descriptor = int(lock) if lock else launch.take_lock()
    if descriptor is not None:
        os.set_inheritable(descriptor, False)
        supervise(launch, [int(index) for index in gpus.split(",") if index], Forks(supervise))


def supervise(launch: Launch, gpus: Sequence[int], forks: Forks) -> None:
    """Supervises a launch whose lock this process holds; then starts what waits and fits, by forks of itself."""
    job = launch.job()
    if job is None or launch.has("started") or launch.has("end"):
        return
    supervisor = Supervisor(launch, job, gpus)
    # From here on nobody runs this launch again, whatever happens to us.
    pid = os.getpid()
    launch.record("started", pid=pid, born=processes.start_key(pid), at=time.time(), gpus=",".join(map(str, gpus)))
    end = supervisor.carry_out()
    if end.status is Status.CANCELLED and not launch.has("stop"):
        # Nobody asked for its end, so the machine goes down: the launch is lost, and the next apply resumes it.
        return
    _record_end(launch, end, supervisor.began)
    may_share = not supervisor.has_processes  # asked now: the supervisors that the queue starts are children too
    machine = Machine(Path(job.machine), job.machine_cpus, job.machine_gpus)
    try:
        Queue(machine, forks.starter(job)).advance(leave=[launch])
    finally:
        if may_share:
            share_copies(RunFolder(launch.path.parent.parent), launch)


def _record_end(launch: Launch, end: End, began: float | None) -> None:
    deadline = time.monotonic() + END_LIMIT
    facts: dict[str, Any] = {
        "status": end.status.value, "detail": end.detail, "exit_code": end.exit_code, "began": began}
    while True:
        try:
            launch.record("end", **facts, at=time.time())
            return
        except OSError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
