"""A `Component`: resources that are declared, shown and taken as one, at the addresses `component/child`.

Knows the declarations only. A `Stack` holds the resources of its components, and no components: what stands at
`lr/a` belongs to `lr`, by its address.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from expiac.declare.mapping import map_declared
from expiac.declare.options import Options
from expiac.declare.resource import NAME, Ref, Resource, fitting_name, rename_ref_texts
from expiac.util.errors import ExpiacError, did_you_mean

C = TypeVar("C", bound="Component")
SEPARATOR = "/"
"""Between the name of a component and that of its child."""


@dataclass(frozen=True, init=False)
class Component:
    """Resources under one name; a name in it means a resource of its own first, and then one of what holds it."""

    name: str
    resources: tuple[Resource, ...]
    """Those of the components in it among them, each by its address: `name/child`."""
    outputs: Mapping[str, str]
    """Its outputs by name, each a Ref to an output of a child."""
    parts: tuple[Component, ...]
    """The components in it, at their addresses, and those in these."""

    def __init__(self, name: str, resources: Iterable[Resource | Component], *, options: Options | None = None,
                 depends_on: Iterable[str] = (), outputs: Mapping[str, str] | None = None) -> None:
        """`options` are those of each child that does not say; `depends_on` is what each of them needs."""
        if not NAME.fullmatch(name):
            raise ExpiacError("Invalid name", f"component {name!r}: a name is a letter, then letters, digits, '_' and "
                              "'-'", f"such as {fitting_name(name)}")
        declared = tuple(resources)
        flat, parts = flatten(declared)
        firsts = {one.name.partition(SEPARATOR)[0] for one in declared}
        addresses = {first: f"{name}{SEPARATOR}{first}" for first in firsts}
        every = tuple(depends_on)
        moved = tuple(_in_component(one, addresses, options or Options(), every) for one in flat)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "resources", moved)
        object.__setattr__(self, "outputs", {key: _moved(ref, addresses) for key, ref in (outputs or {}).items()})
        by_address = {one.name: one for one in moved}
        object.__setattr__(self, "parts", tuple(part.under(name, by_address) for part in parts))

    def output(self, name: str) -> Ref:
        """The value of its output `name`, to be used in any string field of another resource."""
        if name not in self.outputs:
            raise ExpiacError("Unknown output", f"component {self.name} has no output {name}",
                              did_you_mean(name, self.outputs) or f'outputs={{"{name}": child.output(…)}}')
        return Ref.parse(self.outputs[name])

    def with_members(self, members: Mapping[str, Sequence[str]]) -> Component:
        """The component in which what names a component needs each resource in it; only a search holds any."""
        return self

    def child(self, name: str) -> Resource:
        """The resource at the address `component/name`, as the stack will hold it."""
        by_name = {one.name.removeprefix(f"{self.name}{SEPARATOR}"): one for one in self.resources}
        if name not in by_name:
            raise ExpiacError("No such resource", f"{name} is not in component {self.name}",
                              did_you_mean(name, by_name))
        return by_name[name]

    def under(self, name: str, moved: Mapping[str, Resource]) -> Component:
        """The same component as a part of the component `name`, with its resources as they stand there."""
        other = at_address(self, f"{name}{SEPARATOR}{self.name}")
        own = tuple(moved[f"{name}{SEPARATOR}{one.name}"] for one in self.resources)
        object.__setattr__(other, "resources", own)
        return other


def flatten(declared: Sequence[Resource | Component]) -> tuple[list[Resource], list[Component]]:
    """The resources, those of components among them and in their place; and the components with those in them.

    A dependency on a component is one on each resource in it. Raises where two things have one name.
    """
    resources: list[Resource] = []
    components: list[Component] = []
    for one in declared:
        if isinstance(one, Component):
            resources += one.resources
            components += [one, *one.parts]
        else:
            resources.append(one)
    _refuse_shared_names(resources, components)
    members = {part.name: [one.name for one in part.resources] for part in components}
    _refuse_open_dependencies(resources, members)
    return [with_members(one, members) for one in resources], [one.with_members(members) for one in components]


def component_of(address: str) -> str:
    """The component in which a resource stands; empty where it stands in none."""
    return address.rpartition(SEPARATOR)[0]


def _refuse_shared_names(resources: Sequence[Resource], components: Sequence[Component]) -> None:
    alone = [one.name for one in resources if SEPARATOR not in one.name]
    for names, what in ((alone, "resources"), ([*alone, *(one.name for one in components)], "resources or components")):
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise ExpiacError("Duplicate name", f"two {what} are called {twice!r}",
                              "give each resource of a stack a name of its own")


def _refuse_open_dependencies(resources: Sequence[Resource], members: Mapping[str, Sequence[str]]) -> None:
    """Raises `ExpiacError` where a resource needs a component whose resources are not known yet: a search."""
    for one in resources:
        for name in one.depends_on:
            if not members.get(name, [""]):
                raise ExpiacError("Unknown dependency", f"{one.name} needs {name}, whose trials are not known yet",
                                  "Stack.reference(…) in a stack of its own uses the results of a search")


def with_members(resource: Resource, members: Mapping[str, Sequence[str]]) -> Resource:
    """The resource, which needs each resource of a component where it named the component."""
    if not any(name in members for name in resource.depends_on):
        return resource
    needed = [each for name in resource.depends_on for each in members.get(name, (name,)) if each != resource.name]
    return dataclasses.replace(resource, depends_on=tuple(dict.fromkeys(needed)))


def _in_component(resource: Resource, addresses: Mapping[str, str], options: Options,
                  depends_on: Sequence[str]) -> Resource:
    """A resource under its address, its references to what stands beside it too."""
    own = tuple(_moved_name(name, addresses) for name in resource.depends_on)
    moved: Resource = map_declared(resource, lambda text: _moved(text, addresses))
    return dataclasses.replace(
        moved, name=_moved_name(resource.name, addresses), depends_on=tuple(dict.fromkeys((*depends_on, *own))),
        options=_passed_down(options, resource))


def _moved_name(name: str, addresses: Mapping[str, str]) -> str:
    """The address of a name within the component: a child's, or that of something in a component in it."""
    first, separator, rest = name.partition(SEPARATOR)
    return f"{addresses[first]}{separator}{rest}" if first in addresses else name


def _moved(text: str, addresses: Mapping[str, str]) -> str:
    """A text with each Ref in it to a child under its address."""
    return rename_ref_texts(text, lambda name: _moved_name(name, addresses))


def _passed_down(options: Options, resource: Resource) -> Options:
    """The options of a child: its own, and those of its component where it does not say."""
    default = Options()
    given = {field.name: value for field in dataclasses.fields(Options)
             if field.name != "aliases" and (value := getattr(options, field.name)) != getattr(default, field.name)
             and getattr(resource.options, field.name) == getattr(default, field.name)}
    aliases = tuple(f"{alias}{SEPARATOR}{resource.name}" for alias in options.aliases)
    return dataclasses.replace(resource.options, aliases=(*resource.options.aliases, *aliases), **given)


def at_address(component: C, address: str) -> C:
    """The same component at another address."""
    moved = object.__new__(type(component))
    for name, value in vars(component).items():
        object.__setattr__(moved, name, value)
    object.__setattr__(moved, "name", address)
    return moved
