"""Several calls at once, within one time limit."""

from __future__ import annotations

import threading

from expiac.util.parallel import ParallelCalls


def test_each_answer_or_error_comes_back():
    def fails():
        raise OSError("no")

    ended = ParallelCalls(at_once=2).run({"a": lambda: 1, "b": fails, "c": lambda: 3}, seconds=30)
    assert (ended["a"], type(ended["b"]), ended["c"]) == (1, OSError, 3)


def test_no_more_than_so_many_at_once():
    """The fourth call begins when another one has ended."""
    inside, most, gate = [0], [0], threading.Lock()

    def call():
        with gate:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.02)
        with gate:
            inside[0] -= 1

    assert len(ParallelCalls(at_once=3).run(dict.fromkeys(range(12), call), seconds=30)) == 12
    assert most[0] <= 3


def test_a_call_that_hangs_is_missing_and_not_made_again_meanwhile():
    go, calls, made = threading.Event(), ParallelCalls(at_once=2), []

    def hangs():
        made.append(1)
        go.wait(30)

    try:
        assert [calls.run({"slow": hangs, "quick": lambda: 1}, seconds=0.5) for _ in range(2)] == [{"quick": 1}] * 2
        assert made == [1]
    finally:
        go.set()


def test_without_time_nothing_is_called():
    assert ParallelCalls(at_once=1).run({"a": lambda: 1}, seconds=0.0) == {}
