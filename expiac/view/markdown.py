"""A plan as GitHub-flavoured markdown, for a comment on a pull request. Pure.

GitHub shows no comment of more than 65,536 characters, so long plans are cut: `_STEPS` rows, and values of `_VALUE`
characters.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from expiac.declare.override_words import words_of
from expiac.plan import formatting as inline
from expiac.plan.groups import trial_of
from expiac.plan.model import Action, Plan, Step
from expiac.view import show, step_lines
from expiac.view.creates import Creates, Group, creates
from expiac.view.markdown_text import cells, code, escape, row
from expiac.view.step_groups import (
    StepGroup,
    counted,
    hidden_addresses,
    remarks_of,
    step_groups,
    warning_lines,
)
from expiac.view.trial_table import short_headers, trial_values

_STEPS = 100
_VALUE = 120
_SETTINGS = 30
_NAMES = 4


def markdown(plan: Plan, *, verbose: bool = False) -> str:
    """The summary, the warnings, a table with a row for each step that does something, and what new jobs share.

    `verbose` shows all inputs of what is new and every step, however long that is.
    """
    new = creates(plan, verbose=verbose)
    groups = {} if verbose else step_groups(plan)
    parts = [
        [f"### {code(plan.stack)}: {escape(show.summary(plan))}"],
        _overrides(plan),
        *(["> [!WARNING]", *(f"> {escape(line)}" for line in warning.splitlines())] for warning in plan.warnings),
        _table(plan, new, groups, verbose=verbose),
        *(_details(group, plan, new) for group in groups.values()),
        *(_shared(group, new, verbose=verbose) for group in new.groups),
        *([escape(note)] for note in show.notes(plan)),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _overrides(plan: Plan) -> list[str]:
    given = ", ".join(code(word) for word in words_of(plan.overrides))
    lines = [f"Overrides: {given}"] if given else []
    if differing := show.differing_overrides(plan):
        lines += ["", "Overrides differ from the last apply:", "", *(f"- {code(line)}" for line in differing)]
    return lines if given else lines[1:]


def _table(plan: Plan, new: Creates, groups: Mapping[str, StepGroup], *, verbose: bool) -> list[str]:
    in_groups = set(hidden_addresses(groups.values()))
    folded = new.folded(in_groups)
    hidden = {step.address for steps in folded.values() for step in steps}
    shared = show.shared_notes(plan)
    rows: list[str] = []
    for step in plan.steps:
        if step.address in groups:
            rows += _group_row(groups[step.address], shared, new)
        if step.address in in_groups or (step.action is Action.KEEP and not step.warning):
            continue
        if step.address not in hidden:
            lines = list(_cell_lines(step, new, shared, verbose=verbose))
            rows.append(row(step.action.glyph, code(step.address), lines))
        elif step.address in folded:
            rows.append(row(step.action.glyph, "…", [f"{len(folded[step.address])} more, to {code(step.address)}"]))
    if not rows:
        return []
    cut = len(rows) - _STEPS if not verbose else 0
    more = [row("…", "", [f"{cut} more"])] if cut > 0 else []
    return ["| | name | what |", "|:-:|---|---|", *(rows[:_STEPS] if more else rows), *more]


def _group_row(group: StepGroup, shared: Container[str], new: Creates) -> list[str]:
    """The row of a sweep or component, where it does something or is to be minded."""
    warnings = [f"⚠️ {escape(line.removeprefix('! '))}" for line in warning_lines(group)]
    if not group.active and not warnings:
        return []
    _, remarks = remarks_of(group, shared, new)
    return [row(group.glyph, code(group.name), [counted(group.steps), *map(escape, remarks), *warnings])]


def _details(group: StepGroup, plan: Plan, new: Creates) -> list[str]:
    """What happens to each trial of a sweep or child of a component, which opens by a click."""
    if not group.active:
        return []
    alone, _ = remarks_of(group, show.shared_notes(plan), new)
    headers = short_headers(group.keys)
    shown = group.active[:_STEPS]
    rows = ["| | name | " + "".join(f"{code(header)} | " for header in headers.values()) + "what |",
            "|:-:|" + "---|" * (len(headers) + 2)]
    rows += [cells([step.action.glyph, code(group.child(step)),
                     *(code(value) if value else "" for value in trial_values(trial_of(step), group.keys)),
                     "<br>".join(code(text) for text in alone[step.address])]) for step in shown]
    more = [f"\n{len(group.active) - len(shown):,} more"] if len(group.active) > len(shown) else []
    return [f"<details><summary>{group.name}: {counted(group.active)}</summary>", "", *rows, *more, "", "</details>"]


def _cell_lines(step: Step, new: Creates, shared: Container[str], *, verbose: bool) -> Iterator[str]:
    own = new.own.get(step.address, ())
    yield from _settings(own, verbose=verbose)
    for change in step.changes:
        before, after = inline.value(change.before), inline.value(change.after)
        values = f"{before} → {after}" if verbose else inline.difference(before, after, _VALUE)
        yield f"{code(change.path)}: {code(values)}"
    if reason := step_lines.reason(step, has_settings=bool(own)):
        yield escape(reason)
    if step.warning:
        yield f"⚠️ {escape(step.warning)}"
    if step.note and step.note not in shared:
        yield escape(step.note)
    yield from map(escape, new.facts(step))


def _shared(group: Group, new: Creates, *, verbose: bool) -> list[str]:
    names = [step.address for step in group.steps]
    if _NAMES < len(names) == len(new.own):
        named = f"all {len(names)} to create"
    elif group.name:
        named = f"{code(group.name)} ({len(names):,} to create)"
    else:
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        named = ", ".join(map(code, names[:_NAMES])) + more
    lines = [*_settings(tuple(group.shared.items()), verbose=verbose),
             *(f"each: {escape(fact)}" for fact in group.facts)]
    return [f"Shared by {named}:", "", *(f"- {line}" for line in lines)]


def _settings(items: Sequence[tuple[str, str]], *, verbose: bool) -> list[str]:
    if verbose:
        return [f"{code(path)}: {code(value)}" for path, value in items]
    cut = [(path, value if len(value) <= _VALUE else value[:_VALUE - 1] + "…") for path, value in items[:_SETTINGS]]
    more = [f"and {len(items) - _SETTINGS} more"] if len(items) > _SETTINGS else []
    return [f"{code(path)}: {code(value)}" for path, value in cut] + more
