"""What a user declares: frozen, typed values whose construction has no effects.

Knows nothing of files, backends or state. A `Ref` is text, so that it fits any string field and any f-string.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, dataclass_transform

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import core_schema, to_jsonable_python

from expiac.declare.field_docs import WithFieldDocs
from expiac.declare.fields import Kind, Option, kinds_of, non_default_fields
from expiac.declare.options import Options
from expiac.util.errors import ExpiacError

_NAME = r"[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
NAME = re.compile(_NAME)
ADDRESS = re.compile(rf"{_NAME}(?:/{_NAME})*")
"""A name, after those of the components that it stands in: `sweep/trial`."""
REF = "${ref:"
"""How each Ref begins."""
_VARIABLE = re.compile(r"\$\{oc\.env:EXPIAC_REF_(\w+)\}", re.ASCII)
_REF = re.compile(r"\$\{ref:(?P<resource>[A-Za-z][A-Za-z0-9_/-]*)\.(?P<output>[A-Za-z_][A-Za-z0-9_]*)\}")


class Ref(str):
    """Output `output` of resource `resource`: a value known only once the resource has it.

    Its text is `${ref:resource.output}`; it may stand alone in a string field or inside a longer string.
    """

    def __new__(cls, resource: str, output: str) -> Ref:
        return super().__new__(cls, f"${{ref:{resource}.{output}}}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """As JSON it is its text."""
        return core_schema.no_info_after_validator_function(lambda text: cls(*_parts(text)), core_schema.str_schema())

    @classmethod
    def parse(cls, text: str) -> Ref:
        """The Ref of this text. Raises ValueError where it is none."""
        return cls(*_parts(text))

    @property
    def resource(self) -> str:
        """The name of the resource that has the output."""
        return _parts(self)[0]

    @property
    def output(self) -> str:
        """The name of the output."""
        return _parts(self)[1]

    @property
    def variable(self) -> str:
        """The environment variable in which a job finds the value."""
        return f"EXPIAC_REF_{variable_part(self.resource)}_{self.output}"

    @property
    def interpolation(self) -> str:
        """How a Hydra config reads that variable."""
        return f"${{oc.env:{self.variable}}}"


def variable_part(address: str) -> str:
    """An address as a part of the name of an environment variable, which knows neither "-" nor "/"."""
    return address.replace("-", "_").replace("/", "_")


def fitting_name(name: str) -> str:
    """The nearest name that a resource or a stack may have: `lr_0_1` for `lr_0.1`."""
    text = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")
    return text if NAME.fullmatch(text) else f"run_{text}" if text else "run"


def _parts(ref: str) -> tuple[str, str]:
    """Resource and output. Raises ValueError, which pydantic reports by the field that has the text."""
    match = _REF.fullmatch(ref)
    if match is None:
        raise ValueError(f"not a Ref: {ref!r}")
    return match["resource"], match["output"]


def refs_in(value: Any) -> Iterator[Ref]:
    """Every Ref in a nested JSON value, in the order of its canonical form."""
    if isinstance(value, str):
        for match in _REF.finditer(value):
            yield Ref(match["resource"], match["output"])
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from refs_in(value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from refs_in(part)


def distinct_refs(inputs: dict[str, Any]) -> tuple[Ref, ...]:
    """Every Ref in a resource's inputs, each once, in the order of their canonical form."""
    return tuple(dict.fromkeys(refs_in(inputs)))


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The nested JSON value with each text in it changed, keys apart."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: map_texts(part, change) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [map_texts(part, change) for part in value]
    return value


def texts_in(value: Any) -> Iterator[str]:
    """Each text in a nested JSON value, keys apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_in(part)


def replace_refs(value: Any, by: Callable[[Ref], str]) -> Any:
    """The nested JSON value with each Ref replaced by the text `by(ref)`."""
    return map_texts(value, lambda text: _REF.sub(lambda ref: by(Ref(ref["resource"], ref["output"])), text))


def rename_ref_texts(text: str, rename: Callable[[str], str]) -> str:
    """The text with each Ref in it to the resource that `rename` gives for its own."""
    return _REF.sub(lambda ref: Ref(rename(ref["resource"]), ref["output"]), text) if "${ref:" in text else text


def rename_refs(value: Any, moves: Mapping[str, str]) -> Any:
    """The nested JSON value with each Ref to a moved resource, and each interpolation of one, under the new name."""

    def rename(text: str) -> str:
        named = _REF.sub(lambda ref: Ref(moves.get(ref["resource"], ref["resource"]), ref["output"]), text)
        return _VARIABLE.sub(lambda found: _rename_variable(found[0], found[1], moves), named)

    return map_texts(value, rename)


def _rename_variable(whole: str, tail: str, moves: Mapping[str, str]) -> str:
    """A variable says `name_output`; of the moved names, the longest that fits is meant."""
    fits = [old for old in moves if tail.startswith(f"{variable_part(old)}_")]
    if not fits:
        return whole
    old = max(fits, key=len)
    return Ref(moves[old], tail[len(old) + 1:]).interpolation


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
class _Declaration(metaclass=WithFieldDocs):
    """Makes every subclass a frozen pydantic dataclass, decorated or not."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        pydantic_dataclass(cls, frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))


class Resource(_Declaration):
    """One thing that should exist: a name, and inputs each of which has a kind.

    A subclass states its `type` and its fields; `provider` names who makes it, and where that is empty the type does.
    `completes` says whether it ends by itself: dependents wait for its success (a run) or for its presence (a thing).
    """

    type: ClassVar[str] = ""
    provider: ClassVar[str] = ""
    completes: ClassVar[bool] = False

    name: str = dataclasses.field(kw_only=False)
    """Unique in its stack; a letter, then letters, digits, `_` and `-`; after `component/` in a component."""
    depends_on: tuple[str, ...] = ()
    """Names of resources that must have succeeded (or exist) first, besides those referred to."""
    options: Option[Options] = Options()
    """How expiac is to treat it."""

    def __post_init__(self) -> None:
        if not ADDRESS.fullmatch(self.name):
            raise ExpiacError(
                "Invalid name",
                f"{self.type or 'resource'} {self.name!r}: a name is a letter, then letters, digits, '_' and '-'",
                f"such as {fitting_name(self.name)}",
            )

    def output(self, name: str) -> Ref:
        """The value of this resource's output `name`, to be used in any string field of another."""
        return Ref(self.name, name)

    def inputs(self) -> dict[str, Any]:
        """The JSON inputs that differ from their defaults, by input name."""
        kinds = kinds_of(type(self))
        given = non_default_fields(self)
        return {
            name: to_jsonable_python(value)
            for name, value in given.items()
            if name not in ("name", "depends_on") and kinds[name] is not Kind.OPTION
        }

    def kinds(self) -> dict[str, Kind]:
        """The kind of each input, by input name."""
        return kinds_of(type(self))

    def refs(self) -> tuple[Ref, ...]:
        """Every Ref among the inputs, each once."""
        return distinct_refs(self.inputs())

    def output_names(self) -> frozenset[str] | None:
        """The outputs it will have, or None where only its provider or the project knows."""
        return frozenset(self.output_paths()) or None

    def output_paths(self) -> dict[str, str]:
        """Where a job leaves each output, from its working directory, with `@instance@` for the instance name."""
        return {}
