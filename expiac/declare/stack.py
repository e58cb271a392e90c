"""A named, closed, ordered set of resources: the desired world. Knows nothing of how it comes to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic_core import to_jsonable_python

from expiac.declare.component import SEPARATOR, Component, flatten
from expiac.declare.resource import NAME, Ref, Resource, fitting_name, variable_part
from expiac.declare.sweep import Sweep
from expiac.declare.trials import Trial
from expiac.util.errors import ExpiacError, did_you_mean

_LONGEST_NAME = 117
"""Characters that leave a run's name, `stack.job.0a1b2c3d`, within the 128 of a run id of W&B's."""


@dataclass(frozen=True, init=False)
class Stack:
    """Resources in the order in which they can be made: whatever a resource needs stands before it."""

    name: str
    resources: tuple[Resource, ...]
    previous_job_ids: tuple[str, ...] = ()
    """Jobs launched by other means, which its first jobs adopt, in this order, where they have no run yet."""
    budget: float | None = None
    """Dollars that all its jobs may cost at most; a plan above it is refused."""

    max_running: int | None = None
    """How many of its jobs may be live at once; further ones wait until one has ended."""

    components: tuple[Component, ...] = ()
    """Those in which resources stand, at their addresses; those in others among them."""

    def __init__(self, name: str, resources: Iterable[Resource | Component], *, budget: float | None = None,
                 max_running: int | None = None, previous_job_ids: Iterable[str] = ()) -> None:
        declared, components = flatten(tuple(resources))
        if not NAME.fullmatch(name):
            raise ExpiacError("Invalid name", f"stack {name!r}: a name is a letter, then letters, digits, '_' and '-'",
                              f"such as {fitting_name(name)}")
        if len(name) > _LONGEST_NAME:
            raise ExpiacError("Name too long", f"stack {name} has {len(name)} characters, which are a part of the name "
                              "of each run", f"a name of at most {_LONGEST_NAME} characters")
        _check_max_running(name, max_running)
        _refuse_nested_searches(components)
        _refuse_duplicates(declared)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "resources", _in_dependency_order(declared))
        object.__setattr__(self, "components", tuple(components))
        object.__setattr__(self, "budget", budget)
        object.__setattr__(self, "max_running", max_running)
        object.__setattr__(self, "previous_job_ids", tuple(previous_job_ids))

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The sweeps among its components."""
        return tuple(part for part in self.components if isinstance(part, Sweep))

    @property
    def trials(self) -> Mapping[str, Mapping[str, Any]]:
        """The value of each setting that a sweep varies, by the address of each job of its trials."""
        found: dict[str, Mapping[str, Any]] = {}
        for sweep in self.sweeps:
            names_above = sweep.name.count(SEPARATOR) + 1
            values = {trial.name: to_jsonable_python(trial.values, fallback=str) for trial in sweep.trials}
            for resource in self.resources:
                if resource.name.startswith(f"{sweep.name}{SEPARATOR}"):
                    found[resource.name] = values[resource.name.split(SEPARATOR)[names_above]]
        return found

    def with_resources(self, change: Callable[[Resource], Resource]) -> Stack:
        """The stack in which each resource is what `change` makes of it, at its address."""
        changed = [change(resource) for resource in self.resources]
        components = tuple(part.with_template(change) if isinstance(part, Sweep) and part.search else part
                           for part in self.components)
        if changed == list(self.resources) and components == self.components:
            return self
        return self._replaced(resources=_in_dependency_order(changed), components=components)

    def with_trials(self, trials: Mapping[str, Sequence[Trial]]) -> Stack:
        """The stack in which searches have these trials, by the address of the search."""
        found = {sweep.name: sweep.having(tuple(trials.get(sweep.name, ())))
                 for sweep in self.sweeps if sweep.search}
        jobs = [job for sweep in self.sweeps if sweep.search for job in sweep.with_trials(trials.get(sweep.name, ()))]
        return self._replaced(resources=_in_dependency_order([*self.resources, *jobs]),
                              components=tuple(found.get(part.name, part) for part in self.components))

    def with_limits(self, *, budget: float | None, max_running: int | None, previous_job_ids: Iterable[str]) -> Stack:
        """The stack with other limits and other jobs to adopt."""
        _check_max_running(self.name, max_running)
        return self._replaced(budget=budget, max_running=max_running, previous_job_ids=tuple(previous_job_ids))

    def _replaced(self, **changes: Any) -> Stack:
        other = object.__new__(type(self))
        for name, value in {**vars(self), **changes}.items():
            object.__setattr__(other, name, value)
        return other


def _check_max_running(stack: str, max_running: int | None) -> None:
    if max_running is not None and max_running < 1:
        raise ExpiacError("Invalid value", f"stack {stack}: max_running={max_running}: at least one job at a time",
                          "max_running=1 or more")


def dependencies(resource: Resource, refs: Iterable[Ref]) -> tuple[str, ...]:
    """The names that a resource with these Refs needs: stated ones first, then those it refers to."""
    return tuple(dict.fromkeys([*resource.depends_on, *(ref.resource for ref in refs)]))


def _refuse_nested_searches(components: Iterable[Component]) -> None:
    for part in components:
        if isinstance(part, Sweep) and part.search and SEPARATOR in part.name:
            raise ExpiacError("Invalid sweep", f"search {part.name} stands in a component",
                              f"declare search {part.name.rpartition(SEPARATOR)[2]} in the stack itself")


def _refuse_duplicates(resources: Sequence[Resource]) -> None:
    seen: dict[str, str] = {}
    for resource in resources:
        # Environment variables carry outputs, and they know neither "-" nor "/": a-b, a/b and a_b would be one.
        key = variable_part(resource.name)
        if key in seen:
            raise ExpiacError(
                "Duplicate name",
                f"two resources are called {resource.name!r}"
                if seen[key] == resource.name
                else f"{seen[key]!r} and {resource.name!r} differ only in '-', '_' and '/'",
                "give each resource of a stack a name of its own",
            )
        seen[key] = resource.name


def _in_dependency_order(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    by_name = {resource.name: resource for resource in resources}
    refs = {resource.name: resource.refs() for resource in resources}  # not for nothing: it walks all inputs
    graph = {resource.name: dependencies(resource, refs[resource.name]) for resource in resources}
    for name, needed in graph.items():
        for other in needed:
            if other not in by_name:
                raise ExpiacError("Unknown dependency", f"{name} needs {other!r}, which is not in the stack",
                                  did_you_mean(other, by_name))
    _refuse_unknown_outputs(refs, by_name)
    _refuse_ambiguous_outputs(refs)
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = " → ".join(reversed(error.args[1]))
        raise ExpiacError("Dependency cycle", cycle, "remove one of these references") from None
    return tuple(by_name[name] for name in _stable_order(sorter, list(by_name)))


def _refuse_unknown_outputs(refs: Mapping[str, Sequence[Ref]], by_name: dict[str, Resource]) -> None:
    for name, needed in refs.items():
        for ref in needed:
            known = by_name[ref.resource].output_names()
            if known is not None and ref.output not in known:
                raise ExpiacError("Unknown output", f"{name} refers to {ref.resource}.{ref.output}",
                                  did_you_mean(ref.output, known)
                                  or f'a job names its own: outputs={{"{ref.output}": "a/path"}}')


def _refuse_ambiguous_outputs(refs: Mapping[str, Sequence[Ref]]) -> None:
    """A job finds each output in a variable: a.b_c and a_b.c would be one."""
    for name, needed in refs.items():
        seen: dict[str, Ref] = {}
        for ref in needed:
            other = seen.setdefault(ref.variable, ref)
            if other != ref:
                raise ExpiacError("Ambiguous outputs", f"{name} refers to {other.resource}.{other.output} and "
                                  f"{ref.resource}.{ref.output}: both would be ${ref.variable}",
                                  "give one of the two another name")


def _stable_order(sorter: TopologicalSorter[str], declared: list[str]) -> list[str]:
    """Dependencies first; among equals, the order of the program."""
    place = {name: index for index, name in enumerate(declared)}
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        order += ready
        sorter.done(*ready)
    return order
