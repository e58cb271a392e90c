"""Records what a provider notes while an effect is under way, and limits how long the engine waits for its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from expiac.providers.base import Observation
from expiac.state.events import Event, Submitted
from expiac.state.model import Record
from expiac.util import duration
from expiac.util.errors import Uncertain
from expiac.util.timeout import TimedOut, run_within


class Ledger(Protocol):
    """What the engine needs of a journal: append events, confirm that it is still ours, read a record."""

    def append(self, event: Event, *, durable: bool = True) -> object:
        """Writes the event; where it is durable, it and all before it survive a loss of power."""


    def confirm(self) -> None:
        """Raises `Stale` if another process writes the journal now."""

    def record(self, address: str) -> Record | None: ...


class Notes:
    """Records what a provider notes of an effect, until its time limit is over."""

    def __init__(self, ledger: Ledger, address: str) -> None:
        self._ledger, self._address = ledger, address
        self._writing, self._is_over = threading.Lock(), False

    def __call__(self, handle: Mapping[str, Any]) -> None:
        with self._writing:
            if self._is_over:
                raise Uncertain("Nobody waits any more", self._address)
            self._ledger.append(Submitted(self._address, dict(handle)))
            self._ledger.confirm()

    def run_within(self, limit: int | str | None, effect: Callable[[], Observation]) -> Observation:
        """Runs the effect. Raises `Uncertain` when its time limit is over; after that no note is taken."""
        if limit is None:
            return effect()
        try:
            return run_within(duration.seconds(limit), effect, f"{self._address}, limited")
        except TimedOut as error:
            with self._writing:
                self._is_over = True
            raise Uncertain("Took too long", f"{self._address}: {error}, and its timeout is {limit}",
                            "expiac apply sees what became of it; a longer timeout in its options") from error
