"""Locks of the operating system on files, and the one of a stack's writer, which says who holds it.

The system lets go when the holder ends, however it ends. The file stays: to remove it would let two processes each hold
a lock on a file of that name.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from expiac.util.errors import ExpiacError, Locked
from expiac.util.user import user

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.01
"""Seconds between two tries; the pause doubles."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, since when and for what."""

    purpose: str
    user: str
    host: str
    pid: int
    since: str
    """ISO 8601, UTC."""
    command: str = ""
    token: str = ""
    """What tells it from every other holder, also of the same process in the same second."""

    @classmethod
    def me(cls, purpose: str) -> Self:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        command, token = shlex.join(sys.argv), uuid4().hex
        return cls(purpose, user(), socket.gethostname(), os.getpid(), since, command, token)

    @property
    def sentence(self) -> str:
        """`ada@gpu1, process 1234, since 2026-11-22 21:40:03`, by the clock on this machine's wall."""
        since = datetime.fromisoformat(self.since).astimezone()
        return f"{self.user}@{self.host}, process {self.pid}, since {since:%Y-%m-%d %H:%M:%S}"


class Lock:
    """Held within a `with`; raises `Locked` where somebody else, or this very process, holds it already."""

    def __init__(self, path: Path, *, purpose: str, wait_seconds: float = 0.0) -> None:
        self.path, self._purpose, self._wait_seconds = path, purpose, wait_seconds
        self._fd: int | None = None

    def __enter__(self) -> Self:
        fd = self._open()
        try:
            if not _take(fd, self._wait_seconds):
                raise self._locked_error()
            _sign(fd, Holder.me(self._purpose))
        except OSError as error:
            os.close(fd)
            hint = "the state folder has to be on a file system with locks"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                hint = f"make room for {self.path.parent}, then run the command again"
            raise ExpiacError("Lock not taken", f"{self.path}: {error.strerror}", hint) from error
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._fd is not None, "a lock that was never taken"
        fd, self._fd = self._fd, None
        with suppress(OSError):
            os.ftruncate(fd, 0)
        # A forked child may still have the descriptor: to close ours would not be enough.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)

    def _open(self) -> int:
        """The lock's file; no program that we start inherits it."""
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise ExpiacError("State folder not writable", f"{folder}: {error.strerror}",
                              f"ls -ld {folder}, and see that {user()} may write there") from error

    def _locked_error(self) -> Locked:
        who, stack = holder(self.path), self.path.stem
        if who is None:
            return Locked("Locked", f"{stack} by a process that has not said who it is", "run the command again")
        if (who.pid, who.host) == (os.getpid(), socket.gethostname()):
            return Locked("Locked", f"{who.purpose} of {stack} by this very process: {who.sentence}")
        return Locked("Locked", f"{who.purpose} of {stack} by {who.sentence}",
                      f"wait until it ends, or look at it: ps -fp {who.pid}")


def holder(path: Path) -> Holder | None:
    """Who took the lock last, if it is not known to have let go: of meaning where the lock is held."""
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _sign(fd: int, who: Holder) -> None:
    """Written in one piece over what was there, so that no reader finds it empty."""
    text = json.dumps(asdict(who)).encode() + b"\n"
    os.pwrite(fd, text, 0)
    os.ftruncate(fd, len(text))


def take_lock(path: Path, wait_seconds: float, *, shared: bool = False) -> int | None:
    """An open descriptor that holds the file's lock; None where it could not be had in so many seconds.

    Any number of processes hold it at once where all of them share it. To close the descriptor lets go.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if _take(fd, wait_seconds, shared=shared):
        return fd
    os.close(fd)
    return None


def take_folder_lock(folder: Path, wait_seconds: float) -> int | None:
    """As `take_lock`, of a folder that is there: nothing is written into it."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if _take(fd, wait_seconds):
        return fd
    os.close(fd)
    return None


def _take(fd: int, wait_seconds: float, *, shared: bool = False) -> bool:
    """Whether the lock of an open file could be had in time: the only caller of flock, but for letting go."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    until, pause = time.monotonic() + wait_seconds, _SHORTEST_PAUSE
    while True:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
