"""How what is declared of a resource differs from its record. Pure."""

from __future__ import annotations

from expiac.declare.fields import Kind
from expiac.plan.diff import diff
from expiac.plan.model import Change, Desired
from expiac.plan.references import inputs_of, with_values
from expiac.state.model import Record


def changes_of_inputs(record: Record, want: Desired) -> tuple[Change, ...]:
    """The changes of inputs; an output of another stack is compared by its value."""
    return diff(inputs_of(record), with_values(want.inputs, want.references), want.kinds)


def changes_of_options(record: Record, want: Desired) -> tuple[Change, ...]:
    """The changes of options and dependencies."""
    changes: list[Change] = []
    if record.options != want.options.lasting:
        before, after = record.options.by_path(), want.options.by_path()
        changes += [Change(path, before[path], after[path], Kind.OPTION) for path in after
                    if before[path] != after[path]]
    if set(record.depends_on) != set(want.depends_on):
        changes.append(Change("depends_on", list(record.depends_on), list(want.depends_on), Kind.OPTION))
    return tuple(changes)
