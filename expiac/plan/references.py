"""How a resource's references to outputs of other stacks count: for what it is, and for what has changed. Pure.

As with a `Ref`, the run that is referred to counts, and not the name by which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from expiac.declare.resource import map_texts
from expiac.declare.stack_reference import StackRef, stack_refs_in
from expiac.plan import formatting as inline
from expiac.state.facts import Reference
from expiac.state.model import Record


def ref_of(reference: Reference) -> StackRef:
    """How the inputs say it."""
    return next(stack_refs_in(reference.text))


def said(reference: Reference) -> str:
    """The output, its value and its run, on one line."""
    return f"{ref_of(reference).said}: {_shown(reference.value)} (run {_result(reference)})"


def results(references: Iterable[Reference]) -> dict[str, str]:
    """The result of each resource of other stacks that is referred to, by `stack.resource`."""
    return {f"{one.stack}.{one.resource}": f"{one.instance}/{one.launch}" for one in references}


def with_values(inputs: Mapping[str, Any], references: Sequence[Reference]) -> Mapping[str, Any]:
    """The inputs with the values of the references in place of them, to be compared and shown.

    In a composed config a reference stands as the variable that holds its value.
    """
    if not references:
        return inputs
    values = {text: one.value for one in references for text in (one.text, ref_of(one).interpolation)}
    form = re.compile("|".join(map(re.escape, values)))
    filled: dict[str, Any] = map_texts(dict(inputs), lambda text: form.sub(lambda found: values[found[0]], text))
    return filled


def inputs_of(record: Record) -> Mapping[str, Any]:
    """The inputs of a run with the values of the references in them."""
    return with_values(record.inputs, record.references)


def new_runs(before: Iterable[Reference], now: Sequence[Reference]) -> list[str]:
    """A reason for each resource of another stack whose result is another one now."""
    known = {f"{one.stack}.{one.resource}": one for one in before}
    found = {f"{one.stack}.{one.resource}": one for one in now}
    return [_difference(name, known[name], one) for name, one in found.items()
            if name in known and results([known[name]]) != results([one])]


def differences(before: Iterable[Reference], now: Sequence[Reference]) -> list[str]:
    """How references that were found earlier differ from what is found now: another run, or another value."""
    known = {one.text: one for one in before}
    values = [f"{ref_of(one).said}: {_shown(known[one.text].value)} → {_shown(one.value)}"
              for one in now if one.text in known and known[one.text].value != one.value]
    return new_runs(known.values(), now) or values


def _difference(name: str, before: Reference, now: Reference) -> str:
    if before.instance == now.instance:
        return f"{name} has gone on to another result: {_result(now)}"
    return f"{name} has a new run: {_result(before)} → {_result(now)}"


def _result(reference: Reference) -> str:
    launch = f", launch {reference.launch}" if reference.launch > 1 else ""
    return f"{reference.instance}{launch}"


def _shown(value: str) -> str:
    return inline.printable(inline.value(value))
