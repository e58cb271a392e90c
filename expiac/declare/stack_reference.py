"""Outputs of other stacks as text, which stands wherever a `Ref` may stand. Knows nothing of states or values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, overload

from expiac.declare.resource import ADDRESS, NAME, Ref, fitting_name, map_texts, refs_in, replace_refs, variable_part
from expiac.util.errors import ExpiacError

STACK_REF = "${stack:"
"""How the text of each begins."""
_STACK_REF = re.compile(r"\$\{stack:(?P<stack>[A-Za-z][A-Za-z0-9_-]*):(?:(?P<resource>[A-Za-z][A-Za-z0-9_/-]*)\.)?"
                        r"(?P<output>[A-Za-z_][A-Za-z0-9_]*)\}")
OUTPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class StackRef(str):
    """Output `output` of resource `resource` in the stack `stack`; where `resource` is empty, one that it exports.

    Its text is `${stack:stack:resource.output}` or `${stack:stack:output}`.
    """

    def __new__(cls, stack: str, resource: str, output: str) -> StackRef:
        return super().__new__(cls, f"${{stack:{stack}:{resource}{'.' if resource else ''}{output}}}")

    @property
    def stack(self) -> str:
        """The name of the other stack."""
        return self._part("stack")

    @property
    def resource(self) -> str:
        """The name of the resource that has the output; empty for an output that the stack exports."""
        return self._part("resource")

    @property
    def output(self) -> str:
        """The name of the output."""
        return self._part("output")

    @property
    def said(self) -> str:
        """As a message names it: `pretrain.base.checkpoint`."""
        return ".".join(part for part in (self.stack, self.resource, self.output) if part)

    @property
    def variable(self) -> str:
        """The environment variable in which a job finds the value; no `Ref` has one of this form."""
        parts = [part for part in (self.stack, self.resource, self.output) if part]
        return f"EXPIAC_REF__{'__'.join(map(variable_part, parts))}"

    @property
    def interpolation(self) -> str:
        """How a Hydra config reads that variable."""
        return f"${{oc.env:{self.variable}}}"

    def _part(self, name: str) -> str:
        match = _STACK_REF.fullmatch(self)
        assert match is not None, f"not a StackRef: {self!r}"
        return match[name] or ""


AnyRef = Ref | StackRef
"""An output of a resource of this stack, or of another stack."""


@dataclass(frozen=True, slots=True)
class StackReference:
    """Another stack, whose outputs a resource may use: `Stack.reference("pretrain")` makes one."""

    name: str

    def __post_init__(self) -> None:
        _check(NAME, self.name, "stack")

    @overload
    def output(self, resource: str, output: str, /) -> StackRef: ...

    @overload
    def output(self, exported: str, /) -> StackRef: ...

    def output(self, first: str, second: str | None = None, /) -> StackRef:
        """The value of an output, for any text field: `output("base", "checkpoint")` of a resource, `output("best")` of
        what the stack exports."""
        resource, output = ("", first) if second is None else (first, second)
        if resource:
            _check(ADDRESS, resource, "resource")
        if not OUTPUT_NAME.fullmatch(output):
            raise ExpiacError("Invalid name", f"output {output!r}: a name is letters, digits and '_', no digit first",
                              'Stack.reference("pretrain").output("base", "checkpoint")')
        return StackRef(self.name, resource, output)


def stack_refs_in(value: Any) -> Iterator[StackRef]:
    """Every StackRef in a nested JSON value, in the order of its canonical form."""
    if isinstance(value, str):
        if STACK_REF in value:
            yield from map(_ref_of, _STACK_REF.finditer(value))
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from stack_refs_in(value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from stack_refs_in(part)


def distinct_stack_refs(inputs: Mapping[str, Any]) -> tuple[StackRef, ...]:
    """Every StackRef in a resource's inputs, each once. Raises `ExpiacError` if two would be one variable of a job."""
    refs = tuple(dict.fromkeys(stack_refs_in(dict(inputs))))
    seen: dict[str, StackRef] = {}
    for ref in refs:
        if (other := seen.setdefault(ref.variable, ref)) != ref:
            raise ExpiacError("Ambiguous outputs", f"{other.said} and {ref.said} would both be ${ref.variable}",
                              "give one of the two another name")
    return refs


def any_refs(inputs: Mapping[str, Any]) -> tuple[AnyRef, ...]:
    """Every Ref and every StackRef in a resource's inputs, each once."""
    return tuple(dict.fromkeys([*refs_in(dict(inputs)), *stack_refs_in(dict(inputs))]))


def replace_stack_refs(value: Any, by: Callable[[StackRef], str]) -> Any:
    """The nested JSON value with each StackRef replaced by the text `by(ref)`, which is not looked through again."""
    return map_texts(value, lambda text: _STACK_REF.sub(lambda match: by(_ref_of(match)), text))


def replace_any_refs(value: Any, by: Callable[[AnyRef], str]) -> Any:
    """The nested JSON value with each Ref and each StackRef replaced by the text `by(ref)`, which is not looked
    through again: whatever a value says, it is no reference."""

    def replace(text: str) -> str:
        parts, end = list[str](), 0
        for match in _STACK_REF.finditer(text):
            parts += [replace_refs(text[end:match.start()], by), by(_ref_of(match))]
            end = match.end()
        return "".join([*parts, replace_refs(text[end:], by)])

    return map_texts(value, replace)


def _ref_of(match: re.Match[str]) -> StackRef:
    return StackRef(match["stack"], match["resource"] or "", match["output"])


def _check(form: re.Pattern[str], name: str, kind: str) -> None:
    if not form.fullmatch(name):
        raise ExpiacError("Invalid name", f"{kind} {name!r}: a name is a letter, then letters, digits, '_' and '-'",
                          f"such as {fitting_name(name)}")
