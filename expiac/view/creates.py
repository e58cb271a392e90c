"""What the new resources of a plan set: what several of them share once, and of each one what it has alone. Pure.

Resources of one type are grouped by what they have in common: a sweep is one group, whose jobs differ in a seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expiac.declare.component import SEPARATOR
from expiac.plan import cost
from expiac.plan import formatting as inline
from expiac.plan.groups import group_of_step
from expiac.plan.kinds import CONFIG
from expiac.plan.model import Action, Plan, Step
from expiac.plan.references import said

Setting = tuple[str, str]
"""A key path, and its value as it reads on one line."""
_GROUPS = 20
"""Only so many groups are considered for a resource: in a plan of resources that are all unlike, few would fit."""
_STEPS = 20
"""Of a group with more resources, the others are folded into one line."""
_SETTINGS = 12
"""Of more settings, the others are folded into one line."""
_NAMES = 4
"""Of more names, the others are only counted."""


@dataclass(slots=True)
class Group:
    """New resources of one type that share settings."""

    type: str
    paths: Collection[str]
    """All key paths of its first resource."""
    shared: dict[str, str]
    """Key path → value, in the order in which they were declared."""
    steps: list[Step]
    """Never none."""
    name: str = ""
    """The sweep or component in which all of them stand; of jobs that each trial has, such as `lr/*/use`."""
    facts: Sequence[str] = ()
    """What is known of every one of its resources, where that is the same."""


    @property
    def title(self) -> str:
        """`lr (60 to create)`; empty where they stand in no sweep or component."""
        return f"{self.name} ({len(self.steps):,} to create)" if self.name else ""


@dataclass(frozen=True, slots=True)
class Creates:
    """The settings of every new resource of a plan."""

    own: Mapping[str, Sequence[Setting]]
    """By address, what it does not share with its group."""
    groups: Sequence[Group]
    """Those of several resources."""
    group_of: Mapping[str, Group]
    """By address, the group of several resources that it belongs to."""
    is_verbose: bool

    def own_lines(self, step: Step, room: int) -> list[str]:
        """What a resource sets alone; of a resource in a group on one line, if there is room."""
        own = self.own.get(step.address, ())
        line = ", ".join(f"{path}: {value}" for path, value in own)
        if step.address in self.group_of and line and len(line) <= room and "\n" not in line:
            return [line]
        return self._lines(own, room)

    def facts(self, step: Step) -> Sequence[str]:
        """What is known of a step, as far as it does not stand with its group."""
        group = self.group_of.get(step.address)
        return facts(step) if group is None or not group.facts else ()

    def shared_lines(self, group: Group, width: int) -> list[str]:
        """What the resources of a group share, under a heading that names them."""
        names = [step.address for step in group.steps]
        is_all = _NAMES < len(names) == len(self.own)
        named = f"all {len(names)} to create" if is_all else group.title or _short_list(names)
        lines = self._lines(tuple(group.shared.items()), width - 2) + [f"each: {fact}" for fact in group.facts]
        return [f"Shared by {named}:", *(f"  {line}" for line in lines)]

    def folded(self, apart: Collection[str] = ()) -> dict[str, Sequence[Step]]:
        """The steps that are not shown one by one, by the address of the last one of each group.

        Those at the addresses `apart` are shown by other means.
        """
        if self.is_verbose:
            return {}
        found: dict[str, Sequence[Step]] = {}
        for group in self.groups:
            steps = [step for step in group.steps if step.address not in apart]
            if not steps:
                continue
            first = _remarks(steps[0])
            hidden = [step for step in steps[_STEPS:] if not step.warning and _remarks(step) == first]
            if len(hidden) > 1:
                found[hidden[-1].address] = hidden
        return found

    def _lines(self, items: Sequence[Setting], room: int) -> list[str]:
        if self.is_verbose:
            return [line for path, value in items for line in _in_full(path, value)]
        shown = items if len(items) <= _SETTINGS + 1 else items[:_SETTINGS]
        more = len(items) - len(shown)
        return [_fit(path, value, room) for path, value in shown] + ([f"and {more} more: --verbose"] if more else [])


def creates(plan: Plan, *, verbose: bool = False) -> Creates:
    """The settings of what the plan creates; `verbose` shows all inputs and not only what the program sets."""
    known = {step.address: settings(step, verbose=verbose) for step in plan.steps if step.action is Action.CREATE}
    groups: list[Group] = []
    for step in plan.steps:
        if step.address in known:
            _add(step, known[step.address], groups, _name(step, plan))
    several = [group for group in groups if len(group.steps) > 1 and group.shared]
    group_of = {step.address: group for group in several for step in group.steps}
    own: dict[str, Sequence[Setting]] = {
        address: tuple(given.items()) for address, given in known.items() if address not in group_of}
    for group in several:
        own.update(_own(group, known))
        of_first, *of_others = map(facts, group.steps)
        group.facts = of_first if all(other == of_first for other in of_others) else ()
    return Creates(own, several, group_of, verbose)


def _own(group: Group, known: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Sequence[Setting]]]:
    """What each resource of a group sets alone.

    A default is named too where most others say otherwise, and where the resource would have nothing of its own.
    """
    given = {step.address: {path: value for path, value in known[step.address].items() if path not in group.shared}
             for step in group.steps}
    counts = Counter(path for own in given.values() for path in own)
    mostly = {path: None for path, count in counts.items() if 2 * count > len(group.steps)}
    for step in group.steps:
        own = given[step.address]
        named = [path for path in (mostly if own else counts) if path not in own]
        if named and step.desired is not None:
            inputs = dict(_paths(step.desired.inputs))
            own = {**own, **{path: inline.value(inputs[path]) for path in named if path in inputs}}
        yield step.address, tuple(own.items())


def settings(step: Step, *, verbose: bool = False) -> dict[str, str]:
    """The settings of a step's resource by key path; with `verbose`, text of several lines stands as it is."""
    want = step.desired
    if want is None:
        return {}
    inputs = want.inputs if verbose or want.settings is None else want.settings
    return {path: value if verbose and _is_text(value) else inline.value(value) for path, value in _paths(inputs)}


def facts(step: Step) -> Sequence[str]:
    """Which outputs of other stacks a step uses, what it costs, and how long its run should take."""
    lines = [said(reference) for reference in step.references]
    if step.cost_per_hour is not None and step.action.launches:
        lines.append(cost.cost_text(step.cost_per_hour, step.cost_at_most))
    if step.expected_seconds is not None:
        taken = f"about {inline.duration(step.expected_seconds)}"
        lines.append(taken if step.expected_by_steps else f"earlier runs took {taken}")
    if step.unpriced and step.action.launches:
        lines.append("no price known" + (f": {step.price_error}" if step.price_error else ""))
    return lines


def _remarks(step: Step) -> tuple[Any, ...]:
    """What is said of a step besides its settings."""
    return step.reason, step.note, bool(step.adopts), facts(step)


def _paths(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, given in inputs.items():
        yield from _leaves("" if key == CONFIG else key, given)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and (value or not path):
        for key, part in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), part)
    else:
        yield path, value


def _name(step: Step, plan: Plan) -> str:
    """The sweep or component of a step, with the name that a job has in each trial."""
    group = group_of_step(step, plan)
    _, _, below = step.address.removeprefix(f"{group}{SEPARATOR}").partition(SEPARATOR)
    job = below.partition(SEPARATOR)[0]
    return f"{group}/*/{job}" if group and job else group


def _add(step: Step, given: dict[str, str], groups: list[Group], name: str) -> None:
    """Puts the step in the newest group that it has much in common with, or in one of its own."""
    for group in reversed(groups[-_GROUPS:]):
        if group.type != step.type or group.name != name:
            continue
        common = group.shared.items() & given.items()
        if common and (2 * len(common) >= len(group.shared) or group.paths == given.keys()):
            if len(common) < len(group.shared):
                group.shared = {path: value for path, value in group.shared.items() if (path, value) in common}
            group.steps.append(step)
            return
    groups.append(Group(step.type, given.keys(), given, [step], name))


def _is_text(value: Any) -> bool:
    """Whether the value is text of several lines that a terminal can show."""
    return isinstance(value, str) and "\n" in value and all(line.isprintable() for line in value.splitlines())


def _in_full(path: str, value: str) -> Iterator[str]:
    if "\n" not in value:
        yield f"{path}: {value}"
        return
    yield f"{path}:"
    yield from (f"  {line}".rstrip() for line in value.rstrip().splitlines())


def _fit(path: str, value: str, room: int) -> str:
    """`path: value` in `room` columns: a value is cut at its end, and a very long path at its beginning."""
    path = inline.end(path, max(room - 12, 12))
    left = max(room - len(path) - 2, 8)
    return f"{path}: {value if len(value) <= left else value[:left - 1] + '…'}"


def _short_list(names: Sequence[str]) -> str:
    if len(names) <= _NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES - 1])} and {len(names) - _NAMES + 1} more"
