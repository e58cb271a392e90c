"""A sweep or a component in a plan: one line with counts, and of a sweep a table of what happens to its trials. Pure.

What several of its steps have in common is said once, below; warnings are never folded away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from expiac.declare.component import SEPARATOR
from expiac.plan.groups import groups_of, trial_of
from expiac.plan.model import Action, Plan, Step
from expiac.view.creates import Creates
from expiac.view.step_lines import NO_LIMIT, changes, reason, wrap
from expiac.view.trial_table import Row, aligned, short_headers, trial_values

COUNTED = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.REPLACE: "to replace",
    Action.RELAUNCH: "to relaunch",
    Action.STOP: "to stop",
    Action.FORGET: "to forget",
    Action.RESTORE: "to restore",
    Action.KEEP: "unchanged",
}
"""How a number of steps is told."""
_ROWS, _ENDS = 20, 5
"""Of a table with more rows, only so many at its beginning and at its end are shown."""
_REMARKS = 6
"""Of more remarks, the others are counted."""
_WARNINGS = 10
"""Of more different warnings, the others are counted."""
_NAMES = 3
_DEFERRED = "deferred: "
"""How the reason of a step begins that waits."""


@dataclass(frozen=True, slots=True)
class StepGroup:
    """The steps of one sweep or component."""

    name: str
    steps: Sequence[Step]
    keys: Sequence[str]
    """What its trials differ in; none of a component that is no sweep, nor where everything is to go."""
    is_destroyed: bool = False
    """Everything is to go: that is the reason of each step."""

    @property
    def active(self) -> list[Step]:
        """The steps that do something."""
        return [step for step in self.steps if step.action is not Action.KEEP]

    @property
    def glyph(self) -> str:
        """The sign of its steps where all that do something do the same; a blank where they do not."""
        glyphs = {step.action.glyph for step in self.active} or {Action.KEEP.glyph}
        return glyphs.pop() if len(glyphs) == 1 else " "

    def child(self, step: Step) -> str:
        """The name of a step within the group."""
        return step.address.removeprefix(f"{self.name}{SEPARATOR}")


def step_groups(plan: Plan) -> dict[str, StepGroup]:
    """The groups of a plan, by the address of the first step of each."""
    groups = {}
    for name, steps in groups_of(plan).items():
        facts = plan.sweeps.get(name)
        is_sweep = facts is not None or all(trial_of(step) for step in steps)
        named = facts.keys if facts is not None else ()
        keys = dict.fromkeys([*named, *(key for step in steps for key in trial_of(step))]) if is_sweep else {}
        groups[steps[0].address] = StepGroup(name, steps, () if plan.destroys else tuple(keys),
                                             is_destroyed=plan.destroys)
    return groups


def counted(steps: Iterable[Step]) -> str:
    """How many steps do what: `12 to create, 45 unchanged`; of those that wait, how many do."""
    known = list(steps)
    counts = Counter(step.action for step in known)
    text = ", ".join(f"{counts[action]:,} {words}" for action, words in COUNTED.items() if counts[action])
    deferred = sum(step.deferred for step in known)
    return f"{text} ({deferred:,} deferred)" if deferred else text


def group_lines(group: StepGroup, pad: int, width: int, shared: Container[str], new: Creates) -> list[str]:
    """The lines of a group in the aligned list of all steps; `shared` are notes that are said elsewhere."""
    alone, remarks = remarks_of(group, shared, new)
    head = wrap(f"{group.glyph} {group.name:<{pad}}   {counted(group.steps)}", "", width)
    table = [f"  {line}" for line in _table(group, alone, width - 2)] if group.keys and group.active else []
    below = [*remarks, *([] if table else _named_texts(group, alone)), *warning_lines(group)]
    return [*head, *table, *(part for line in below for part in wrap(line, "    ", width))]


def remarks_of(group: StepGroup, shared: Container[str], new: Creates) -> tuple[dict[str, list[str]], list[str]]:
    """What is said of single steps, by address; and a line for each thing that is said of several alike."""
    if group.is_destroyed:
        return {step.address: [] for step in group.active}, []
    texts = {step.address: _texts(step, shared, new) for step in group.active}
    saying: dict[str, list[Step]] = {}
    for step in group.active:
        for text in dict.fromkeys(texts[step.address]):
            saying.setdefault(text, []).append(step)
    alone = {address: [text for text in own if len(saying[text]) == 1] for address, own in texts.items()}
    lines = [_told(text, steps, group) for text, steps in saying.items() if len(steps) > 1]
    return alone, _bounded(lines, _REMARKS, "… {} more remarks (--verbose shows all)")


def warning_lines(group: StepGroup) -> list[str]:
    """Every different warning of a group, with the steps that it is about."""
    about: dict[str, list[str]] = {}
    for step in group.steps:
        if step.warning:
            about.setdefault(step.warning, []).append(step.address)
    lines = [f"! {short_list(names)}: {text}" for text, names in about.items()]
    return _bounded(lines, _WARNINGS, "! … {} more warnings (--verbose shows all)")


def shown_ends(steps: Sequence[Step]) -> tuple[Sequence[Step], int, Sequence[Step]]:
    """The first steps that a table shows, how many it leaves out after them, and the last ones."""
    if len(steps) <= _ROWS:
        return steps, 0, ()
    return steps[:_ENDS], len(steps) - 2 * _ENDS, steps[-_ENDS:]


def short_list(names: Sequence[str]) -> str:
    """The names; of more than a few, the first ones and how many more there are."""
    if len(names) <= _NAMES + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES])} and {len(names) - _NAMES:,} more"


def _texts(step: Step, shared: Container[str], new: Creates) -> list[str]:
    """What is said of a step of a group besides its trial: changes, reason, note, price and time."""
    why = reason(step, has_settings=True)
    note = step.note if step.note not in shared else ""
    texts = (*changes(step.changes, NO_LIMIT), why, note, *new.facts(step))
    return [_without_own_name(text, step) for text in texts if text]


def _without_own_name(text: str, step: Step) -> str:
    """The text, in which the runs of a trial have no names, so that what is said of many trials is alike."""
    own = step.run.instance.rpartition(".")[0]
    return re.sub(rf"{re.escape(own)}\.[0-9a-f]{{8}}", "an earlier run", text) if own in text else text


def _told(text: str, steps: Sequence[Step], group: StepGroup) -> str:
    """A text with the steps that it is said of."""
    is_each = len(steps) == len(group.active)
    if text.startswith(_DEFERRED):
        return f"{'all' if is_each else format(len(steps), ',')} {text}"
    return f"{'each' if is_each else _number(steps, group)}: {text}"


def _number(steps: Sequence[Step], group: StepGroup) -> str:
    (action, *others) = {step.action for step in steps}
    is_all = not others and len(steps) == sum(step.action is action for step in group.active)
    return f"{len(steps):,} {COUNTED[action]}" if is_all else f"{len(steps):,} of them"


def _table(group: StepGroup, alone: Mapping[str, Sequence[str]], width: int) -> list[str]:
    """A line for each trial to which something happens, and below it what is said of it alone."""
    first, hidden, last = shown_ends(group.active)
    headers = short_headers(group.keys)
    rows: list[Row] = [(" ", "trial", list(headers.values()))]
    rows += [(step.action.glyph, group.child(step), trial_values(trial_of(step), group.keys))
             for step in (*first, *last)]
    header, *lines = aligned(rows, width)
    shown = [header]
    for step, line in zip((*first, *last), lines, strict=True):
        if hidden and last and step is last[0]:
            shown.append(f"… {hidden:,} more (--verbose shows all)")
        shown.append(line)
        shown += [part for text in alone[step.address] for part in wrap(text, "    ", width)]
    return shown


def _named_texts(group: StepGroup, alone: Mapping[str, Sequence[str]]) -> list[str]:
    """What is said of single steps of a component, with their names."""
    lines = [f"{step.action.glyph} {group.child(step)}: {text}" for step in group.active
             for text in alone[step.address] if not text.startswith(_DEFERRED)]
    return _bounded(lines, _REMARKS, "… {} more remarks (--verbose shows all)")


def _bounded(lines: Sequence[str], most: int, more: str) -> list[str]:
    left = len(lines) - most
    return list(lines) if left <= 1 else [*lines[:most], more.format(f"{left:,}")]


def hidden_addresses(groups: Iterable[StepGroup]) -> Iterator[str]:
    """The addresses of the steps that have no line of their own."""
    return (step.address for group in groups for step in group.steps)
