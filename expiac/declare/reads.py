"""Which fields of its config a stack file reads: what is set and read by nothing has no effect, and a plan says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from expiac.declare.config import field_names

_HOOK = "__getattribute__"
_is_assigning: ContextVar[bool] = ContextVar("_is_assigning", default=False)


@contextmanager
def reads_of(config_class: type | None) -> Iterator[set[str]]:
    """Collects the names of the fields of the class that anything reads, from any instance, within the context.

    A read is an access to the attribute, be it by name, by `asdict`, by a loop over the fields or in a method or
    validator of the class itself. A library that takes all attributes at once, as pydantic does to serialize, reads
    all fields.
    """
    read: set[str] = set()
    if config_class is None:
        yield read
        return
    made_of: Any = config_class
    names, own, inherited = frozenset(field_names(made_of)), vars(config_class).get(_HOOK), made_of.__getattribute__

    def note_and_get(self: Any, name: str) -> Any:
        if _is_assigning.get():
            return inherited(self, name)
        if name in names:
            read.add(name)
        elif name == "__dict__":
            read.update(names)
        return inherited(self, name)

    setattr(config_class, _HOOK, note_and_get)
    try:
        yield read
    finally:
        if own is None:
            delattr(config_class, _HOOK)
        else:
            setattr(config_class, _HOOK, own)


@contextmanager
def assigning() -> Iterator[None]:
    """Within it pydantic reads all fields, to validate one that is assigned: no reads that count."""
    token = _is_assigning.set(True)
    try:
        yield
    finally:
        _is_assigning.reset(token)


def peek(config: Any, name: str) -> Any:
    """The value of a field, without a read that counts."""
    return object.__getattribute__(config, name)
