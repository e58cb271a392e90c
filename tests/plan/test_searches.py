"""What was approved of searches, and what is told of a change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from expiac.plan.searches import apply_command, changes_of_search, recorded_searches
from expiac.state.events import Approved
from expiac.state.facts import ApprovedSearch, SweepFacts
from expiac.state.model import Approval, State

LR = ApprovedSearch(60, 4, study="s", digests={"job": "a", "space": "b"})
DECLARED = {"lr": SweepFacts(is_search=True)}


def _state(*approved: Approved) -> State:
    return State("small", "0", approvals=tuple(Approval(serial, "", one) for serial, one in enumerate(approved, 1)))


def _approved(*, searches: dict[str, ApprovedSearch], sweeps: dict[str, SweepFacts] = DECLARED) -> Approved:
    return Approved(program="stacks/small.py", searches=searches, sweeps=sweeps)


def test_an_approval_stands_until_another_one_says_something_else():
    more = replace(LR, trials=80)
    first, later = _approved(searches={"lr": LR}), _approved(searches={})
    assert recorded_searches(_state(first, later)) == {"lr": LR}
    assert recorded_searches(_state(first, _approved(searches={"lr": more}), later)) == {"lr": more}


def test_a_destroy_ends_it_and_so_does_a_program_without_the_search():
    """That the search is declared again approves nothing."""
    first, again = _approved(searches={"lr": LR}), _approved(searches={})
    assert recorded_searches(_state(first, Approved(), again)) == {}
    assert recorded_searches(_state(first, _approved(searches={}, sweeps={}), again)) == {}


def test_an_earlier_release_recorded_none():
    assert recorded_searches(_state(_approved(searches={}))) == {}


def test_a_change_is_told_with_its_values_where_they_are_known():
    assert changes_of_search(LR, LR) == ""
    changed = replace(LR, trials=80, budget=2.5, digests={"job": "a", "space": "c", "seed": "1"})
    assert changes_of_search(LR, changed) == "trials 60 → 80, budget none → 2.5, another space, another seed"
    assert changes_of_search(LR, replace(LR, study="t")) == "another study"


def test_the_command_to_go_on_has_the_overrides_of_the_last_apply():
    applied = Approved({"lr": "1e-3", "note": "a b"}, "stacks/arena.py", sweeps=DECLARED)
    assert apply_command(_state(applied), PurePath("stacks")) == "expiac apply arena lr=1e-3 'note=a b' --wait"
    other = replace(applied, program="lab/arena.py", overrides={})
    assert apply_command(_state(other, Approved()), PurePath("stacks")) == "expiac apply lab/arena.py --wait"
    assert apply_command(_state(), PurePath("stacks")) == "expiac apply small --wait"
