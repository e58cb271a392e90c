"""The lock, held around effects, on a state that still stands where the plan left it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from expiac.state.journal import Journal
from expiac.state.model import State
from expiac.util.errors import Stale

LOCK_TIMEOUT = 5.0
"""Seconds to wait for another holder: a refresh takes that long, an apply longer."""


class Basis(Protocol):
    """A state, or a plan: what was made from one serial of one lineage."""

    @property
    def stack(self) -> str: ...

    @property
    def lineage(self) -> str: ...

    @property
    def serial(self) -> int: ...


@contextmanager
def lock_state(journal: Journal, basis: Basis | None, *, purpose: str) -> Iterator[None]:
    """Holds the stack's lock, on the state or plan that the work stands on; where that is None, the caller checks it.

    Raises `Locked` where somebody else keeps it, `Stale` where the state moved on meanwhile.
    """
    with journal.lock(purpose=purpose, wait_seconds=LOCK_TIMEOUT):
        now = journal.reload()
        if basis is not None:
            refuse_stale(basis, now)
        yield
        journal.flush()


def refuse_stale(basis: Basis, now: State) -> None:
    """Raises `Stale` where the state is another one, or has moved on by a decision."""
    if basis.lineage != now.lineage:
        raise Stale("Plan of another state", f"{basis.stack} has another lineage here: the plan was made in another "
                    "checkout, or before the state was removed", f"expiac plan {basis.stack}")
    if basis.serial != now.serial:
        raise Stale("Stale plan", f"The plan stands on serial {basis.serial}, but the state is at {now.serial}.",
                    f"expiac plan {basis.stack}")
