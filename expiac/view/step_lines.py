"""The lines about one step of a plan: its settings or changes, its reason, warnings and notes. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Container, Iterable, Iterator

from expiac.plan import formatting as inline
from expiac.plan.approval import NEW
from expiac.plan.model import Action, Change, Step
from expiac.view.creates import Creates

_MIN_VALUES = 24
_LEAST_ROOM = 20
NO_LIMIT = 10**9
"""As much room on a line as a value needs."""


def changes(differing: Iterable[Change], width: int = 80) -> list[str]:
    """A line or two for each change: `gpus: 4 → 8`."""
    return [line for change in differing for line in _change(change, width)]


def step_lines(step: Step, pad: int, width: int, shared: Container[str], new: Creates) -> Iterator[str]:
    """A step in the aligned list of all: `± ppo   optimizer.learning_rate: 0.0003 → 0.001`."""
    head = f"{step.action.glyph} {step.address:<{pad}}   "
    indent = " " * (pad + 5)
    lines = list(_lines(step, width - len(indent), shared, new)) or [""]
    if len(step.address) > pad:
        yield head.rstrip()
    else:
        yield head + lines.pop(0)
    yield from (indent + line for line in lines)


def _lines(step: Step, room: int, shared: Container[str], new: Creates) -> Iterator[str]:
    """The lines about a step: its settings or changes, its reason, warnings and notes; at least one line."""
    own = new.own_lines(step, room)
    yield from own
    for change in step.changes:
        yield from _change(change, NO_LIMIT if new.is_verbose else room)
    if why := reason(step, has_settings=bool(own)):
        yield from wrap(why, "", room)
    if step.warning:
        yield from wrap(f"! {step.warning}", "", room)
    if step.note and step.note not in shared:
        yield from wrap(step.note, "", room)
    yield from new.facts(step)


def reason(step: Step, *, has_settings: bool) -> str:
    """Why the step is there, if its changes or settings, or its warning, do not say so already."""
    if step.action is Action.UPDATE and step.changes:
        return ""
    if step.warning.startswith(step.reason) and step.action is Action.KEEP:
        return ""
    why = step.reason
    if has_settings and (why == NEW or why.startswith(f"{NEW}; ")):
        why = why[len(NEW):].removeprefix("; ")  # its sign and its settings say so
    return f"deferred: {why}" if step.deferred else why


def _change(change: Change, room: int) -> Iterator[str]:
    before, after = inline.value(change.before), inline.value(change.after)
    line = f"{change.path}: {before} → {after}"
    if len(line) <= room:
        yield line
        return
    left = room - len(change.path) - len(":  → ")
    if left >= _MIN_VALUES:
        yield f"{change.path}: {inline.difference(before, after, left)}"
    else:
        yield f"{inline.end(change.path, room - 1)}:"
        yield f"  {inline.difference(before, after, room - len('   → '))}"


def wrap(line: str, indent: str, room: int) -> list[str]:
    """The line in as much room as there is; what goes on stands two columns further in."""
    room = max(room, _LEAST_ROOM)
    if line and len(indent) + len(line) <= room and line.isprintable() and line == line.strip():
        return [indent + line]  # as most: there is nothing to wrap
    return textwrap.wrap(line, room, initial_indent=indent, subsequent_indent=indent + "  ",
                         break_on_hyphens=False)
