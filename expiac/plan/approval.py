"""What the journal records of an approved plan: what was to be done, why, and by whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expiac.declare.component import component_of
from expiac.plan import formatting as inline
from expiac.plan.model import Action, Change, Plan, Step
from expiac.plan.references import said
from expiac.state.events import Approved, ApprovedStep

NEW = "new"
"""The reason of a resource's first run."""
_LONGEST = 160
_CHANGES = 20


def approval_event(plan: Plan, provenance: Mapping[str, Any], *, rendered: Mapping[str, str] | None = None,
                   reviewed: Mapping[str, str] | None = None, max_failures: int | None = None) -> Approved:
    """The event; `provenance` says who approves, where, and from which commit.

    `rendered` has the digest of the rendered files of each launch by its instance, and `reviewed` the snapshots.
    """
    active = [step for step in plan.steps if step.action is not Action.KEEP]
    created = tuple(step.address for step in active if _is_plain(step))
    described = tuple(ApprovedStep(step.address, step.action.value, step.reason,
                                   (*_change_lines(step.changes), *map(said, step.references)))
                      for step in active if not _is_plain(step))
    prices = {step.run.instance: step.cost_per_hour for step in active
              if step.action.launches and step.cost_per_hour is not None}
    refused = {component_of(address) for address in plan.left_out}
    searches = {name: plan.searches[name] for name in plan.changed_searches if name not in refused}
    return Approved(plan.overrides, plan.program, plan.summary, provenance, created, described, prices, plan.sweeps,
                    plan.outputs, rendered or {}, reviewed or {}, searches, max_failures)


def steps(event: Approved) -> tuple[ApprovedStep, ...]:
    """Everything that an approved plan was to do."""
    return tuple(ApprovedStep(address, Action.CREATE.value, NEW) for address in event.created) + event.steps


def _is_plain(step: Step) -> bool:
    return step.action is Action.CREATE and step.reason == NEW and not (step.changes or step.references)


def _change_lines(changes: tuple[Change, ...]) -> tuple[str, ...]:
    """A line for each change; of very many, the first ones and a count."""
    lines = [f"{change.path}: {inline.difference(inline.value(change.before), inline.value(change.after), _LONGEST)}"
             for change in changes[:_CHANGES]]
    more = [f"and {len(changes) - _CHANGES} more"] if len(changes) > _CHANGES else []
    return tuple(lines + more)
