"""Selects steps of a plan: the targets and what they need, without what is excluded or needs that. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from expiac.plan.groups import components_in, is_meant
from expiac.plan.model import Action, Plan, Step
from expiac.util.errors import UsageError, did_you_mean


def select(plan: Plan, target: Sequence[str] = (), exclude: Sequence[str] = (),
           only: Collection[Action] = ()) -> Plan:
    """The steps that match a pattern of `target` (all, where there is none) and none of `exclude`.

    A pattern means an address of the plan, and the name of a component all that stands in it. One of `exclude` also
    means the address at which a run stands which is to move. A target does not, since it has to mean the same where its
    apply is killed after the move and begun again. `only` excludes by what a step would do. What a chosen step needs
    comes along; what needs an excluded step that would do something is left out with it, and so is every record that
    would have to make room for an excluded one, or to wait for its room.
    Raises `UsageError` where a pattern matches nothing.
    """
    if not target and not exclude and not only:
        return plan
    needs = {step.address: _needs(step) for step in plan.steps}
    active = {step.address for step in plan.steps if step.action is not Action.KEEP or step.renames}
    present = {step.address: step.renames for step in plan.steps if step.renames}
    targeted = _addresses_matching(target, needs, {}) if target else set(needs)
    excluded = _closure(_addresses_matching(exclude, needs, present), _neighbours(plan.moves)) & active
    if only:
        excluded |= {step.address for step in plan.steps if step.action not in {*only, Action.KEEP}}
    blocked = _closure(excluded, _reversed(needs))
    kept = _closure(targeted, needs) - (blocked & active)

    steps = tuple(step for step in plan.steps if step.address in kept)
    along = tuple(address for address in needs if address in kept & active - targeted)
    left_out = tuple(address for address in needs if address in active - kept)
    return replace(plan, steps=steps, along=along, left_out=left_out, moves=_moves(plan.moves, kept & active))


def _moves(moves: Mapping[str, str], done: Collection[str]) -> Mapping[str, str]:
    """The moves that chosen steps need: where one of several records that make room for each other moves, all do."""
    neighbours = _neighbours(moves)
    needed = _closure([address for address in done if address in neighbours], neighbours)
    return {old: new for old, new in moves.items() if old in needed}


def _neighbours(moves: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """By address, the other ends of the moves that begin or end there."""
    neighbours: dict[str, list[str]] = {}
    for old, new in moves.items():
        neighbours.setdefault(old, []).append(new)
        neighbours.setdefault(new, []).append(old)
    return neighbours


def _needs(step: Step) -> Sequence[str]:
    """What has to be done or to be there before it: dependencies, and for what leaves, what depends on it."""
    return step.depends_on if step.desired is not None else step.after


def _addresses_matching(patterns: Iterable[str], addresses: Collection[str], present: Mapping[str, str]) -> set[str]:
    """The addresses that a pattern means, or means by the present name of what is to move there."""
    names = {name: address for address, name in present.items()}
    found: set[str] = set()
    for pattern in patterns:
        matches = {address for address in addresses if is_meant(address, pattern)}
        matches |= {address for name, address in names.items() if is_meant(name, pattern)}
        if not matches:
            hint = did_you_mean(pattern, {*addresses, *names, *components_in(addresses)})
            raise UsageError("No such resource", f"{pattern} is not in this stack", hint)
        found |= matches
    return found


def _closure(start: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    reached: set[str] = set()
    todo = list(start)
    while todo:
        if (address := todo.pop()) not in reached:
            reached.add(address)
            todo += edges.get(address, ())
    return reached


def _reversed(edges: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    reversed_edges: dict[str, list[str]] = {}
    for address, others in edges.items():
        for other in others:
            reversed_edges.setdefault(other, []).append(address)
    return reversed_edges
