"""Refused calls are made again after pauses that grow and differ, and not for ever."""

from __future__ import annotations

from itertools import islice

import pytest

from expiac.util.backoff import Backoff


class Busy(Exception):
    """A refusal."""


def is_busy(error):
    return isinstance(error, Busy)


class Refusing:
    """Refuses so many calls, and then answers."""

    def __init__(self, times: int) -> None:
        self.times, self.calls = times, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise Busy
        return "done"


def test_pauses_grow_up_to_the_longest_and_differ():
    """Two who were refused together do not come back together."""
    one, other = (list(islice(Backoff(first=1, most=10).pauses(), 8)) for _ in range(2))
    for pause, longest in zip(one, (1, 2, 4, 8, 10, 10, 10, 10), strict=True):
        assert longest / 2 <= pause <= longest
    assert one != other


def test_a_refused_call_is_made_again():
    call = Refusing(4)
    assert Backoff(first=0.001, most=0.002).call(call, is_busy) == "done"
    assert call.calls == 5


def test_after_the_total_time_the_refusal_is_raised():
    call = Refusing(1000)
    with pytest.raises(Busy):
        Backoff(first=0.001, most=0.01, total=0.05).call(call, is_busy)
    assert 1 < call.calls < 1000


def test_another_error_is_raised_at_once():
    """It may have done something."""
    with pytest.raises(ZeroDivisionError):
        Backoff().call(lambda: 1 // 0, is_busy)
