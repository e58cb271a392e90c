"""What a reviewer decides, one job after the other; `writing` carries it out. Pure: every step can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from expiac.review.changes import JobChange, Review


class Decision(str, Enum):
    """What is to become of a change."""

    ACCEPT = "accepted"
    REJECT = "rejected"
    SKIP = "skipped"


@dataclass(frozen=True, slots=True)
class Decisions:
    """A review under way: which change is looked at, and what was decided of each."""

    review: Review
    taken: tuple[Decision | None, ...]
    at: int = 0
    """The change that is looked at; behind the last one when all are decided."""
    earlier: Decisions | None = None
    """How it was before the last decision."""

    @classmethod
    def begin(cls, review: Review) -> Decisions:
        return cls(review, (None,) * len(review.changes))

    @property
    def current(self) -> JobChange | None:
        """The change that is looked at; None at the end."""
        return self.review.changes[self.at] if self.at < len(self.taken) else None

    def alike(self) -> Sequence[int]:
        """The places of the changes like the current one which are not decided, its own first."""
        current = self.current
        if current is None:
            return ()
        others = [place for place, change in enumerate(self.review.changes)
                  if place != self.at and self.taken[place] is None and change.likeness == current.likeness]
        return (self.at, *others)

    def decide(self, decision: Decision, *, alike: bool = False) -> Decisions:
        """Decides the current change, or all like it, and goes on to the next one that is not decided."""
        if self.current is None:
            return self
        places = set(self.alike() if alike else (self.at,))
        taken = tuple(decision if place in places else was for place, was in enumerate(self.taken))
        return Decisions(self.review, taken, _next(taken, self.at), self)

    def back(self) -> Decisions:
        """Looks at the change before this one again; what was decided of it stays until it is decided anew."""
        return replace(self, at=max(self.at - 1, 0))

    def forward(self) -> Decisions:
        """Looks at the change after this one."""
        return replace(self, at=min(self.at + 1, len(self.taken)))

    def undo(self) -> Decisions:
        """Takes the last decision back."""
        return self.earlier or self

    def count(self) -> Counter[Decision]:
        """How many changes were decided in each way."""
        return Counter(one for one in self.taken if one is not None)


def _next(taken: Sequence[Decision | None], at: int) -> int:
    """The place of the next change that is not decided, from the one at hand on and then from the first."""
    places = [*range(at, len(taken)), *range(at)]
    return next((place for place in places if taken[place] is None), len(taken))
