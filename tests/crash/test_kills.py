"""`kill -9` of apply and destroy at many instants: the next run converges, and nothing is born twice or lost.

An instant is a count of Python's audit events (opening, renaming, locking, spawning, …) inside a real process that
sends itself SIGKILL there. The jobs are real processes and record their own births.
"""

from __future__ import annotations

import pytest

KILLS = 32


def instants(events: int, kills: int = KILLS) -> list[int]:
    """Counts spread evenly over all of them, the first and the last included."""
    return sorted({1 + round(place * (events - 1) / (kills - 1)) for place in range(kills)})


@pytest.mark.slow
def test_an_apply_killed_anywhere_is_finished_by_the_next(crashes):
    """Create, replace, move and stop, each cut short: every (instance, launch) is born once, and what ran runs on."""
    crashes.apply("count", 1)
    events = crashes.apply("count", 2)
    killed = 0
    for number, instant in enumerate(instants(events)):
        stack = f"s{number}"
        crashes.apply(stack, 1)
        crashes.wait_for(lambda stack=stack: len(crashes.running(stack)) == 4)
        kept = crashes.running(stack)["kept"]
        killed += crashes.apply(stack, 2, die_at=instant) == -1
        crashes.apply(stack, 2)
        crashes.wait_for(lambda stack=stack: set(crashes.running(stack)) == {"kept", "moved", "replaced", "added"})
        crashes.wait_for(lambda stack=stack: len(crashes.starts(stack)) == 7)
        births = crashes.starts(stack)
        assert set(births.values()) == {1}, f"killed at event {instant} of {events}: {births}"
        assert crashes.running(stack)["kept"] == kept
        crashes.destroy(stack)
    assert killed >= 30, "too few of the processes were killed to prove anything"


@pytest.mark.slow
def test_a_destroy_killed_anywhere_is_finished_by_the_next(crashes):
    """Nothing is left running, whatever the first one had got to."""
    crashes.apply("count", 1)
    crashes.wait_for(lambda: len(crashes.running("count")) == 4)
    events = crashes.destroy("count")
    for number, instant in enumerate(instants(events, 8)):
        stack = f"s{number}"
        crashes.apply(stack, 1)
        crashes.wait_for(lambda stack=stack: len(crashes.running(stack)) == 4)
        crashes.destroy(stack, die_at=instant)
        crashes.destroy(stack)
        assert crashes.running(stack) == {}
        assert set(crashes.starts(stack).values()) == {1}
