"""A half of some work in a forked process, beside this one: for work of pure Python that takes long enough."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when the thread that forked it ends."""


def can_fork() -> bool:
    """Whether a fork is safe and of use: on Linux, with a second core, and with no other thread in this process.

    A daemonic process of `multiprocessing` may have no children.
    """
    has_cores = len(os.sched_getaffinity(0)) > 1 if sys.platform == "linux" else False
    return has_cores and threading.active_count() == 1 and not multiprocessing.current_process().daemon


@contextmanager
def beside(work: Callable[[], T], *, timeout: float) -> Iterator[Callable[[], T | None]]:
    """Runs the work in a fork of this process within the context; what it yields gives the result.

    That is None where the fork failed or ended without one, or took longer than `timeout` seconds from when it is
    asked for: do the work here then. The fork has ended when the context ends, or this process does.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, receiver, sender, os.getpid()), daemon=True)
    try:
        process.start()
    except OSError:  # no memory, or too many processes
        receiver.close()
        sender.close()
        yield lambda: None
        return
    sender.close()

    def result() -> T | None:
        try:
            return receiver.recv() if receiver.poll(timeout) else None
        except (EOFError, OSError, pickle.UnpicklingError):
            return None

    try:
        yield result
    finally:
        receiver.close()
        process.kill()
        process.join()


def _run(work: Callable[[], Any], receiver: Connection, sender: Connection, parent: int) -> None:
    receiver.close()  # so that a send fails once the parent has ended, and does not wait for a reader for ever
    _end_with(parent)
    try:
        sender.send(work())
    except Exception:  # whatever it is, the caller does the work itself, and tells
        sender.close()


def _end_with(parent: int) -> None:
    """Lets the kernel kill this process when its parent ends, however that ends."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        return  # not Linux: it ends with its work
    if os.getppid() != parent:  # it ended before it could be tied to it
        os._exit(1)
