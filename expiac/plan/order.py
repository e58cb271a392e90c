"""The order of steps: what needs another comes after it, and leaves before it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from expiac.plan.model import Action, Step
from expiac.state.model import Record


def dependents_first(records: Sequence[Record]) -> list[Record]:
    """Records in an order in which they can be stopped: what depends on another stands before it."""
    waiting = {record.address: record for record in records}
    order: list[Record] = []
    todo = [(record, False) for record in reversed(records)]
    while todo:
        record, needs_are_done = todo.pop()
        if needs_are_done:
            order.append(record)
        elif waiting.pop(record.address, None) is not None:
            todo.append((record, True))
            todo += [(waiting[name], False) for name in reversed(record.depends_on) if name in waiting]
    return order[::-1]


def with_order(steps: Mapping[str, Step]) -> tuple[Step, ...]:
    """Each step with the addresses whose steps must have ended before it."""
    leaving: dict[str, list[str]] = defaultdict(list)
    for step in steps.values():
        if step.record is not None and (step.displaces or step.action in (Action.STOP, Action.FORGET)):
            for address in step.record.depends_on:
                leaving[address].append(step.address)
    ordered: dict[str, Step] = {}
    for step in steps.values():
        after = step.depends_on if step.desired is not None else leaving[step.address]
        # Only what stands before it: records of several programs may need each other. And what can be done now
        # does not wait for what is deferred.
        now = tuple(name for name in after if name in ordered and (step.deferred or not ordered[name].deferred))
        ordered[step.address] = replace(step, after=now) if now != step.after else step
    return tuple(ordered.values())
