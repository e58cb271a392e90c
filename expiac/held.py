"""The lock, held around effects, on a state that still stands where the plan left it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from expiac.errors import Stale
from expiac.journal import Journal
from expiac.plan import Plan
from expiac.state import State

PATIENCE = 5.0
"""Seconds to wait for another holder: a refresh takes that long, an apply longer."""


@contextmanager
def held(journal: Journal, standing: State | Plan, *, purpose: str) -> Iterator[None]:
    """Holds the stack's lock, on the state or plan that the work stands on.

    Raises `Locked` where somebody else keeps it, `Stale` where the state moved on meanwhile.
    """
    with journal.lock(purpose=purpose, wait_seconds=PATIENCE):
        refuse_stale(standing, journal.reload())
        yield
        journal.flush()


def refuse_stale(standing: State | Plan, now: State) -> None:
    """Raises `Stale` where the state is another one, or has moved on by a decision."""
    if standing.lineage != now.lineage:
        raise Stale("Plan of another state", f"{standing.stack} has another lineage here: the plan was made in another "
                    "checkout, or before the state was removed", f"expiac plan {standing.stack}")
    if standing.serial != now.serial:
        raise Stale("Stale plan", f"The plan stands on serial {standing.serial}, but the state is at {now.serial}.",
                    f"expiac plan {standing.stack}")
