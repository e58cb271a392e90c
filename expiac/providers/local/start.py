"""Starts a launch's supervisor, once, as a process that outlives its starter. Knows nothing of the queue."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from expiac.providers.local.folder import MARK, Launch
from expiac.providers.local.job import LocalJob
from expiac.util.encoding import encode_environment, environment, path_text

LOG = "supervisor.log"
"""Of a launch's folder: what its supervisor printed."""
Begin = Callable[[Launch, LocalJob, int, Sequence[int], Mapping[str, str]], None]
"""Makes the supervisor's process, given the descriptor of the launch's lock, the GPUs and secrets."""
_children: list[subprocess.Popen[bytes]] = []
"""Supervisors that this process started; kept to be reaped, so that no zombies collect."""


def start_supervisor(
    launch: Launch, gpus: Sequence[int], secrets: Mapping[str, str], begin: Begin | None = None
) -> None:
    """Starts the supervisor, unless there is one, and hands the launch's lock over to it.

    `begin` makes the process; by default, it is a program of its own.
    """
    lock, job = launch.take_lock(), launch.job()
    if lock is None:
        return
    try:
        if job is not None:
            (begin or spawn_supervisor)(launch, job, lock, gpus, secrets)
    except OSError as error:  # its queue entry counts the try
        with open(launch.path / LOG, "a", encoding="utf-8") as log:
            log.write(f"{job and job.python}: {error}\n")
    finally:
        os.close(lock)


def spawn_supervisor(
    launch: Launch, job: LocalJob, lock: int, gpus: Sequence[int], secrets: Mapping[str, str]
) -> None:
    """Starts the job's interpreter with the supervisor in it, in this process's environment and with the secrets."""
    _children[:] = [child for child in _children if child.poll() is None]
    # Another job's mark would make the supervisor a part of that job.
    # Another Python's variables would mislead the supervisor's.
    kept = {
        name: value for name, value in {**environment(), **secrets}.items()
        if name != MARK and not name.startswith("PYTHON")
    }
    command = [job.python, "-P", "-m", "expiac.providers.local.supervisor",
               str(launch.path), str(lock), ",".join(map(str, gpus))]
    with open(launch.path / LOG, "ab") as log:
        _children.append(subprocess.Popen(
            command, cwd=launch.path,
            env=encode_environment({**kept, "PYTHONPATH": path_text(job.package)}),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lock,), start_new_session=True))
