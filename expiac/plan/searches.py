"""What was approved of the searches of a stack, and how a plan differs from that. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from expiac.declare.override_words import command_line
from expiac.plan.model import Plan
from expiac.state.events import Approved
from expiac.state.facts import ApprovedSearch
from expiac.state.model import State

LIMITS = ("trials", "max_concurrent", "stop_when", "budget", "gpu_hours", "max_failures")
"""The settings that say when a search ends: recorded as values, and a change of them is told with its values."""


def recorded_searches(state: State) -> Mapping[str, ApprovedSearch]:
    """The searches as they were approved last, by address.

    An apply of a program without a search ends what was approved of it, and so does a destroy.
    """
    known: Mapping[str, ApprovedSearch] = {}
    for approved in (one.approved for one in state.approvals):
        known = {name: one for name, one in {**known, **approved.searches}.items() if name in approved.sweeps}
    return known


def with_searches_to_approve(plan: Plan, searches: Mapping[str, ApprovedSearch], state: State) -> Plan:
    """The plan, of which an apply approves these searches."""
    known = recorded_searches(state)
    changed = {name: changes_of_search(known[name], one) if name in known else ""
               for name, one in searches.items() if known.get(name) != one}
    return replace(plan, searches=searches, changed_searches=changed)


def changes_of_search(before: ApprovedSearch, after: ApprovedSearch) -> str:
    """What differs in one line: `trials 60 → 80, another space`; empty where nothing does."""
    values = [(name, getattr(before, name), getattr(after, name)) for name in LIMITS]
    changes = [f"{name} {_said(old)} → {_said(new)}" for name, old, new in values if old != new]
    names = dict.fromkeys((*before.digests, *after.digests))
    changes += [f"another {name}" for name in names if before.digests.get(name) != after.digests.get(name)]
    if not changes and before != after:
        changes = ["another " + ", ".join(field.name for field in dataclasses.fields(after)
                                          if getattr(before, field.name) != getattr(after, field.name))]
    return ", ".join(changes)


def apply_command(state: State, stacks: PurePath) -> str:
    """The command that applies the program of a stack again, and waits; `stacks` is the project's folder of them."""
    last = _last_applied(state)
    overrides = {str(key): str(text) for key, text in last.overrides.items()} if last is not None else {}
    return f"{command_line('apply', program_name(state, stacks), overrides)} --wait"


def program_name(state: State, stacks: PurePath) -> str:
    """What the program that was applied last is called on the command line; the stack's own name where none was."""
    last = _last_applied(state)
    if last is None:
        return state.stack
    path = PurePath(last.program)
    return path.stem if path.parent == stacks else last.program


def _last_applied(state: State) -> Approved | None:
    return next((one.approved for one in reversed(state.approvals) if one.approved.program), None)


def _said(value: object) -> str:
    return "none" if value is None else str(value)
