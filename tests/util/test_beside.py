"""Work in a fork: its result, or None where there is none; and no process is left."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil
import pytest

from expiac.util.beside import beside, can_fork


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
