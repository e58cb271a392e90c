"""Runs a resource's hooks: the user's shell commands around a launch and an end. Decides nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from expiac.util.encoding import encode, encode_environment, environment
from expiac.util.errors import ExpiacError

HOOK_TIMEOUT = 600.0
"""Seconds that a hook may take."""
_LAST_LINES = 5


class RunsHooks(Protocol):
    """Whoever runs hooks for the engine."""

    def __call__(self, name: str, command: str, env: Mapping[str, str]) -> None: ...


class ShellHooks:
    """Hooks run by the shell in one folder."""

    def __init__(self, folder: Path, *, timeout: float = HOOK_TIMEOUT) -> None:
        self._folder, self._timeout = folder, timeout

    def __call__(self, name: str, command: str, env: Mapping[str, str]) -> None:
        """Returns once the command has ended well. Raises `ExpiacError`, with the end of what it said, otherwise."""
        process = subprocess.Popen(encode(command), shell=True, cwd=self._folder,
                                   env=encode_environment({**environment(), **env}),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   encoding="utf-8", errors="replace", start_new_session=True)
        try:
            said, _ = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise _hook_failure(name, command, f"not done after {self._timeout:g} s", "") from error
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        if process.returncode != 0:
            raise _hook_failure(name, command, f"exit code {process.returncode}", said)


def _hook_failure(name: str, command: str, why: str, said: str) -> ExpiacError:
    lines = [f"{name}: {why}: {command}", *said.strip().splitlines()[-_LAST_LINES:]]
    return ExpiacError("Hook failed", "\n".join(lines), "mend the hook, then run the command again")
