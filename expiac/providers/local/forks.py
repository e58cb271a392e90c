"""Starts supervisors as forks of one whose job has ended: a fork takes about a millisecond, an interpreter some fifty.

A fork is a process like any other supervisor: its own pid, session, lock and log. It knows nothing of its parent's job.
Where a fork would not do what a program of its own does, such a program is started.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from expiac.providers.local.folder import Launch
from expiac.providers.local.job import LocalJob
from expiac.providers.local.start import LOG, spawn_supervisor, start_supervisor

GENERATIONS = 100
"""After so many forks of forks there is a new program, so that neither the stack nor the memory grows on."""


class Supervises(Protocol):
    """Carries out a launch whose lock this process holds."""

    def __call__(self, launch: Launch, gpus: Sequence[int], forks: Forks, /) -> None: ...


@dataclass(frozen=True)
class Forks:
    """How the supervisor in this process starts further ones."""

    supervise: Supervises
    generation: int = 0
    """How many forks lie between this process and its program's start."""
    code: Mapping[str, int] = field(default_factory=lambda: _code_times())
    """When the files of expiac that this process has loaded were changed last, by name."""

    def starter(self, own: LocalJob) -> Callable[[Launch, Sequence[int], Mapping[str, str]], None]:
        """What starts the launches that the queue lets in after this process's own job."""
        return functools.partial(start_supervisor, begin=functools.partial(self._begin, own))

    def _begin(self, own: LocalJob, launch: Launch, job: LocalJob, lock: int, gpus: Sequence[int],
               secrets: Mapping[str, str]) -> None:
        if not secrets and self._fits(own, job):
            self._fork(launch, lock, gpus)
        else:
            spawn_supervisor(launch, job, lock, gpus, secrets)

    def _fits(self, own: LocalJob, job: LocalJob) -> bool:
        """Whether a fork runs the code that the job's own interpreter would load."""
        is_same_program = (own.python, own.package) == (job.python, job.package)
        is_young = self.generation < GENERATIONS
        return sys.platform == "linux" and is_same_program and is_young and self.code == _times(self.code)

    def _fork(self, launch: Launch, lock: int, gpus: Sequence[int]) -> None:
        with open(launch.path / LOG, "ab") as log:
            sys.stdout.flush()
            sys.stderr.flush()
            if os.fork():
                return
            code = 1
            try:
                _become_own_process(launch, lock, log.fileno())
                self.supervise(launch, gpus, replace(self, generation=self.generation + 1))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)  # never back into the parent's frames


def _become_own_process(launch: Launch, lock: int, log: int) -> None:
    """Lets go of all that is the parent's, such as the queue's lock, and keeps the launch's lock."""
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(name, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor != lock:
            os.closerange(descriptor, descriptor + 1)
    os.chdir(launch.path)


def _code_times() -> dict[str, int]:
    """Those of the modules of expiac in this process."""
    files = [module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "expiac"]
    return _times(filter(None, files))


def _times(files: Iterable[str]) -> dict[str, int]:
    """When each file was changed last; 0 where it is gone."""
    found = {}
    for file in files:
        try:
            found[file] = os.stat(file).st_mtime_ns
        except OSError:
            found[file] = 0
    return found
