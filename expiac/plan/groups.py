"""Which resources are shown and taken as one: the trials of a sweep, the children of a component. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from expiac.declare.component import SEPARATOR, component_of
from expiac.plan.model import Plan, Step
from expiac.state.model import Record
from expiac.util.errors import UsageError

_MOST_NAMED = 4
"""Of more members of a group, only the number is told."""


def group_of(address: str, sweeps: Iterable[str] = (), *, is_trial: bool = False) -> str:
    """The sweep that an address stands in, else its component; empty where it stands in none.

    Where no declaration names the sweep of a trial, as when all is destroyed, the outermost component counts as it.
    """
    if SEPARATOR not in address:
        return ""
    known = set(sweeps)
    above = ancestors(address)
    return next((name for name in above if name in known), above[0] if is_trial else component_of(address))


def groups_of(plan: Plan) -> Mapping[str, list[Step]]:
    """The steps of each group of a plan, in its order; steps that stand in no component are in no group."""
    groups: dict[str, list[Step]] = {}
    for step in plan.steps:
        if name := group_of_step(step, plan):
            groups.setdefault(name, []).append(step)
    return groups


def group_of_step(step: Step, plan: Plan) -> str:
    """The group in which a step is shown; empty where it is shown alone."""
    return group_of(step.address, plan.sweeps, is_trial=bool(trial_of(step)))


def trial_of(step: Step) -> Mapping[str, object]:
    """The value of each swept setting of a step's trial; empty where it is none."""
    if step.desired is not None:
        return step.desired.trial
    return step.record.trial if step.record is not None else {}


def ancestors(address: str) -> list[str]:
    """The components in which an address stands, the outermost first."""
    parts = address.split(SEPARATOR)
    return [SEPARATOR.join(parts[:length]) for length in range(1, len(parts))]


def components_in(addresses: Iterable[str]) -> dict[str, None]:
    """Every component that some addresses stand in, once, in their order."""
    return {name: None for address in addresses for name in ancestors(address)}


def is_meant(address: str, pattern: str) -> bool:
    """Whether a pattern means an address: by itself, or as what stands in a component of that name."""
    return fnmatchcase(address, pattern) or fnmatchcase(address, f"{pattern}{SEPARATOR}*")


def members(name: str, addresses: Collection[str]) -> list[str]:
    """The address of this name, or those in the component of this name; none where there is neither."""
    if name in addresses:
        return [name]
    return [address for address in addresses if address.startswith(f"{name}{SEPARATOR}")]


def named_by_group(addresses: Iterable[str], group: Callable[[str], str]) -> list[str]:
    """The addresses, with one text for those of a group where they are many: `lr (996)`."""
    of_group: dict[str, list[str]] = {}
    for address in addresses:
        of_group.setdefault(group(address) or address, []).append(address)
    return [text for name, own in of_group.items()
            for text in (own if len(own) <= _MOST_NAMED else [f"{name} ({len(own):,})"])]


def refuse_component(name: str, records: Mapping[str, Record], command: str) -> None:
    """Raises `UsageError` where one job is wanted and the name is that of a component; names a job to look at first."""
    own = [records[address] for address in records if address.startswith(f"{name}{SEPARATOR}")]
    if not own:
        return
    first = min(own, key=lambda record: (not record.status.is_failure, not record.status.is_live))
    raise UsageError("Which job?", f"{name} is a component of {len(own):,} jobs", f"{command} {first.address}")
