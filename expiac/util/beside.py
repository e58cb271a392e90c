"""A half of some work in a forked process, beside this one: for work of pure Python that takes long enough."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")


def can_fork() -> bool:
    """Whether a fork is safe and of use: on Linux, with a second core, and with no other thread in this process."""
    has_cores = len(os.sched_getaffinity(0)) > 1 if sys.platform == "linux" else False
    return has_cores and threading.active_count() == 1


@contextmanager
def beside(work: Callable[[], T], *, timeout: float) -> Iterator[Callable[[], T | None]]:
    """Runs the work in a fork of this process within the context; what it yields gives the result.

    That is None where the fork failed or ended without one, or took longer than `timeout` seconds from when it is
    asked for: do the work here then. The fork has ended when the context ends.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, sender), daemon=True)
    process.start()
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


def _run(work: Callable[[], Any], sender: Connection) -> None:
    try:
        sender.send(work())
    except Exception:  # whatever it is, the caller does the work itself, and tells
        sender.close()
