"""A plan as text and as JSON. Pure: knows widths and words, and nothing of terminals, colours or files.

`steps` is the body, a line or more per step; `text` adds what comes before and after it; `document` is `--json`.
"""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal

from expiac.declare.override_words import words_of
from expiac.plan import cost
from expiac.plan import formatting as inline
from expiac.plan.approval import NEW
from expiac.plan.durations import seconds_until_done
from expiac.plan.model import MISSING, Action, Change, Plan, Step
from expiac.view.creates import Creates, creates

if TYPE_CHECKING:
    from expiac.view import documents

FORMAT: Final = 1
"""The version of everything that `--json` prints; raised when a key goes or changes its meaning: docs/json.md."""

_SUMMARY = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.REPLACE: "to replace",
    Action.RELAUNCH: "to relaunch",
    Action.STOP: "to stop",
    Action.FORGET: "to forget",
    Action.RESTORE: "to restore",
    Action.KEEP: "unchanged",
}
_MIN_VALUES = 24
NO_LIMIT = 10**9
"""As much room on a line as a value needs."""


def text(plan: Plan, width: int = 80, *, program: str = "", verbose: bool = False) -> str:
    """The whole plan; `program` is what you call the stack on the command line, for commands that you can paste.

    `verbose` shows all settings of what is new, all steps, and every value in full.
    """
    new = creates(plan, verbose=verbose)
    shared = [new.shared_lines(group, width) for group in new.groups]
    closing = [line for remark in (*remarks(plan), summary(plan)) for line in _wrap(remark, "", width)]
    parts = [opening(plan, width, program=program), _steps(plan, width, new), *shared, closing]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def steps(plan: Plan, width: int = 80) -> list[str]:
    """The lines of every step, aligned: `± ppo   optimizer.learning_rate: 0.0003 → 0.001`."""
    return _steps(plan, width, creates(plan))


def _steps(plan: Plan, width: int, new: Creates) -> list[str]:
    # A single long name does not push everything else to the right: it gets a line of its own.
    pad = max((len(step.address) for step in plan.steps if len(step.address) <= width // 3), default=0)
    shared, folded = shared_notes(plan), new.folded()
    hidden = {step.address for steps in folded.values() for step in steps}
    lines: list[str] = []
    for step in plan.steps:
        if step.address not in hidden:
            lines += _step(step, pad, width, shared, new)
        elif step.address in folded:
            count = len(folded[step.address])
            lines.append(f"{step.action.glyph} {'…':<{pad}}   {count} more, to {step.address}: --verbose lists them")
    return lines


def remarks(plan: Plan) -> list[str]:
    """Warnings and notes."""
    return [*(f"! {warning}" for warning in plan.warnings), *notes(plan)]


def notes(plan: Plan) -> list[str]:
    """How far searches are; notes that several steps share, `2 jobs: no GPU on this machine`; and what is left out."""
    lines = [*plan.outlook]
    lines += [f"{count} jobs: {note}" for note, count in shared_notes(plan).items()]
    if plan.along:
        lines.append(f"needed, and so along with it: {', '.join(plan.along)}")
    if plan.left_out:
        lines.append(f"left out, and would change: {', '.join(plan.left_out)}")
    return lines


def shared_notes(plan: Plan) -> dict[str, int]:
    """The notes of several steps, each with their number."""
    counts = Counter(step.note for step in plan.steps if step.note)
    return {note: count for note, count in counts.items() if count > 1}


def summary(plan: Plan) -> str:
    """How much of what, and what it costs: `1 to replace, 1 unchanged`, or `no changes`."""
    if plan.is_empty:
        return "no changes"
    counts = [(plan.summary[action.value], words) for action, words in _SUMMARY.items()]
    line = ", ".join(f"{count} {words}" for count, words in counts if count)
    if deferred := sum(step.deferred for step in plan.steps):
        line += f" ({deferred} deferred)"
    return line + _total_time(plan) + _total_cost(plan)


def opening(plan: Plan, width: int = 80, *, program: str = "") -> list[str]:
    """How these overrides differ from the last apply's, and the command that restores those."""
    values = differing_overrides(plan)
    if not values or plan.previous_overrides is None:
        return []
    command = shlex.join(["expiac", "plan", program or plan.stack, *words_of(plan.previous_overrides)])
    return [
        "Overrides differ from the last apply:",
        *(line for value in values for line in _wrap(value, "  ", width)),
        f"  Hint: {command}",
    ]


def differing_overrides(plan: Plan) -> list[str]:
    """A line for each override that is not the last apply's: `gpus: 4 → 8`."""
    before, after = plan.previous_overrides, plan.overrides
    if before is None:
        return []
    differing = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    return [f"{key}: {_override(before, key)} → {_override(after, key)}" for key in differing]


def _override(overrides: Mapping[str, str], key: str) -> str:
    if key not in overrides:
        return "not set"
    return "removed" if key.startswith("~") else overrides[key]


def changes(differing: Iterable[Change], width: int = 80) -> list[str]:
    """A line or two for each change: `gpus: 4 → 8`."""
    return [line for change in differing for line in _change(change, width)]


def _step(step: Step, pad: int, width: int, shared: Container[str], new: Creates) -> Iterator[str]:
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
        yield from _wrap(why, "", room)
    if step.warning:
        yield from _wrap(f"! {step.warning}", "", room)
    if step.note and step.note not in shared:
        yield from _wrap(step.note, "", room)
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


def _wrap(line: str, indent: str, room: int) -> list[str]:
    return textwrap.wrap(line, max(room, 20), initial_indent=indent, subsequent_indent=indent + "  ",
                         break_on_hyphens=False)


def _total_time(plan: Plan) -> str:
    known = seconds_until_done(plan)
    if known is None:
        return ""
    seconds, is_complete = known
    return f", {'about' if is_complete else 'at least'} {inline.duration(seconds)}"


def _total_cost(plan: Plan) -> str:
    launches = [step for step in plan.steps if step.action.launches]
    priced = [step for step in launches if step.cost_per_hour is not None]
    if not priced:
        return ""
    per_hour = sum(step.cost_per_hour or 0 for step in priced)
    bounds = [step.cost_at_most for step in priced]
    at_most = None if None in bounds else sum(bound or 0 for bound in bounds)
    at_least = "at least " if len(priced) < len(launches) else ""
    return f", {at_least}{cost.cost_text(per_hour, at_most)}"


def document(plan: Plan) -> documents.Plan:
    """The plan as JSON values.

    A change has `before` and `after`. A field that is new has no `before`, and one that goes no `after`: that key is
    null, and `absent` names it. `absent` is null if both are there; a value of null is there.
    """
    return {
        "format_version": FORMAT,
        "stack": plan.stack,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "overrides": dict(plan.overrides),
        "previous_overrides": None if plan.previous_overrides is None else dict(plan.previous_overrides),
        "steps": [_step_document(step) for step in plan.steps],
        "summary": plan.summary,
        "along": list(plan.along),
        "left_out": list(plan.left_out),
        "warnings": list(plan.warnings),
        "outlook": list(plan.outlook),
    }


def _step_document(step: Step) -> documents.Step:
    return {
        "address": step.address,
        "type": step.type,
        "instance": step.run.instance,
        "launch": step.run.launch,
        "action": step.action,
        "reason": step.reason,
        "changes": [change_document(change) for change in step.changes],
        **_inputs(step),
        "cost_per_hour": step.cost_per_hour,
        "cost_at_most": step.cost_at_most,
        "unpriced": step.unpriced,
        "price_error": step.price_error,
        "adopts": bool(step.adopts),
        "expected_seconds": step.expected_seconds,
        "renames": step.renames or None,
        "restores": step.restores.run.instance if step.restores else None,
        "depends_on": list(step.depends_on),
        "deferred": step.deferred,
        "warning": step.warning,
        "note": step.note,
    }


def _inputs(step: Step) -> documents.Inputs:
    """The inputs of what is launched: those that the program sets, and all of them."""
    want = step.desired
    if want is None or not step.action.launches:
        return {"settings": None, "inputs": None}
    return {"settings": want.inputs if want.settings is None else want.settings, "inputs": want.inputs}


def change_document(change: Change) -> documents.Change:
    """One change as JSON values."""
    absent: Literal["before", "after"] | None
    absent = "before" if change.before is MISSING else "after" if change.after is MISSING else None
    return {
        "path": change.path,
        "before": None if change.before is MISSING else change.before,
        "after": None if change.after is MISSING else change.after,
        "kind": change.kind,
        "absent": absent,
    }
