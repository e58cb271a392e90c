"""Which steps of a plan can begin, as the steps before them end."""

from __future__ import annotations

from collections.abc import Mapping

from expiac.plan.model import Step


class StepOrder:
    """The steps whose prerequisites have ended, the earliest of the plan first."""

    def __init__(self, todo: Mapping[str, Step]) -> None:
        self._steps = todo
        self._waits = {address: {name for name in step.after if name in todo} for address, step in todo.items()}
        self._blocks: dict[str, list[str]] = {}
        for address, names in self._waits.items():
            for name in names:
                self._blocks.setdefault(name, []).append(address)
        self.ready = [todo[address] for address in reversed(list(todo)) if not self._waits[address]]

    def mark_ended(self, address: str) -> None:
        """Lets the steps that waited for this one alone begin."""
        for other in reversed(self._blocks.get(address, [])):
            self._waits[other].discard(address)
            if not self._waits[other]:
                self.ready.append(self._steps[other])
