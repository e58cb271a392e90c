"""What the values of a state file have in common, and what is said of outputs of other stacks in several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class Fact:
    """Refuses keys it does not know: a field of a newer release is never dropped in silence."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Reference(Fact):
    """An output of another stack that a resource uses, as it was found: its value, and of which run."""

    text: str
    """As the inputs have it: `${stack:pretrain:base.checkpoint}`."""
    stack: str
    resource: str
    output: str
    instance: str
    """The run that left the value."""
    launch: int
    """Which launch of the run: one that went on to more steps has another result."""
    value: str
