"""A provider has a capability when it declares it; a method that has the same name by chance declares nothing."""

from __future__ import annotations

import pytest

from expiac.plan import adoption
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.plan.preflight import examine_plan
from expiac.provider import Adopts, AdvancesQueue, EndsDuplicates, Estimates, Examines, Logs, Prunes, Releases
from expiac.state.events import Run
from expiac.state.model import State
from expiac.testing.memory import MemoryProvider
from expiac.util.errors import ExpiacError

BOOK = Desired("novel", "book", "library", {}, {}, "d", completes=True)


class Library(MemoryProvider):
    """Its own methods happen to have names of capabilities, and mean something else."""

    def find(self, title, shelf=None):
        raise AssertionError("nobody asked for a book")

    find_job = examine = estimate = release = end_duplicates = advance_queue = stored = find


def test_a_method_called_find_is_no_offer_to_adopt():
    with pytest.raises(ExpiacError, match="library takes over no jobs of others"):
        adoption.find_jobs([BOOK], {"novel": "7"}, State("books", "0" * 32), {"library": Library()})


def test_methods_called_examine_and_estimate_are_not_asked_for_a_plan():
    step = Step("novel", "book", Action.CREATE, "", Run("books.novel.1", "f", 0, 1), desired=BOOK)
    plan = Plan("books", "0" * 32, 0, (step,))
    assert examine_plan(plan, {"library": Library()}, ask=True, budget=None) == plan


def test_only_what_is_inherited_is_declared():
    library = Library()
    declared = [kind for kind in (Adopts, AdvancesQueue, EndsDuplicates, Estimates, Examines, Logs, Prunes, Releases)
                if isinstance(library, kind)]
    assert declared == [Logs]


def test_a_declared_capability_without_its_method_cannot_be_made():
    """The mistake shows where the class is used first, and not in the middle of an apply."""

    class Forgetful(MemoryProvider, Adopts):
        pass

    with pytest.raises(TypeError, match="find_job"):
        Forgetful()
