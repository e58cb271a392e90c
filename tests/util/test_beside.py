"""Work in a fork: its result, or None where there is none; and no process is left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from expiac.util.beside import beside, can_fork

ROOT = Path(__file__).parents[2]


def _children() -> list[psutil.Process]:
    return psutil.Process().children()


def test_both_halves() -> None:
    here = os.getpid()
    with beside(lambda: (os.getpid(), "there"), timeout=30) as result:
        there = result()
    assert there is not None
    assert there[0] != here
    assert there[1] == "there"


def _fails() -> None:
    raise ValueError("no")


def _dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stalls() -> None:
    time.sleep(600)


def _cannot_be_sent() -> threading.Lock:
    return threading.Lock()


@pytest.mark.parametrize("work", [_fails, _dies, _stalls, _cannot_be_sent])
def test_no_result_is_none_and_nothing_is_left(work: object) -> None:
    before = _children()
    with beside(work, timeout=0.5) as result:  # type: ignore[arg-type]
        assert result() is None
    assert _children() == before


def test_an_error_here_ends_the_fork() -> None:
    before = _children()
    with pytest.raises(KeyboardInterrupt), beside(_stalls, timeout=600):
        raise KeyboardInterrupt
    assert _children() == before


def test_another_thread_forbids_a_fork() -> None:
    """A lock that it holds would be held in the fork for ever."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert not can_fork()
    finally:
        end.set()
        thread.join()


def _has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _ends(process: psutil.Process) -> bool:
    """Whether the process of another ends soon; who reaps it is nobody's business here."""
    until = time.monotonic() + 20
    while not _has_ended(process) and time.monotonic() < until:
        time.sleep(0.02)
    return _has_ended(process)


_PARENT = """
import os, time
from expiac.util.beside import beside

def work():
    print(os.getpid(), flush=True)
    {work}

with beside(work, timeout=600) as result:
    time.sleep(600)
"""


@pytest.mark.parametrize("work", ["time.sleep(600)", "return 'x' * 10_000_000"], ids=["works", "sends"])
def test_a_killed_process_leaves_no_fork(work: str) -> None:
    """While the fork works, and while it sends more than a pipe holds."""
    command = [sys.executable, "-c", _PARENT.format(work=work)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        fork = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    try:
        assert _ends(fork)
    finally:
        if not _has_ended(fork):
            fork.kill()


def test_a_daemonic_process_forbids_a_fork() -> None:
    """Multiprocessing lets it have no children."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(can_fork()), daemon=True)
    process.start()
    assert receiver.poll(30)
    assert receiver.recv() is False
    process.join()


def test_where_no_process_can_be_made_there_is_no_result() -> None:
    """A limit on processes: the work is done here then."""
    code = """
import os
from expiac.util.beside import beside

def no_fork():
    raise BlockingIOError(11, "Resource temporarily unavailable")

os.fork = no_fork
with beside(lambda: 1, timeout=30) as result:
    assert result() is None
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=True)
