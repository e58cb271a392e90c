"""Which arm the others are compared with, by its name or by a setting. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from expiac.analysis.matching import is_equal
from expiac.plan.formatting import printable
from expiac.util.errors import UsageError
from expiac.util.hashing import canonical

_LONGEST = 40
"""Characters of a value in a hint."""


class Named(Protocol):
    """An arm, as it can be named."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, Any]: ...


A = TypeVar("A", bound=Named)


def arm_named(word: str, arms: Sequence[A]) -> A:
    """The arm that a word means: its name such as `B`, or `KEY=VALUE` of a setting that one arm alone has.

    Raises `UsageError` where that is none, or several.
    """
    key, is_setting, value = word.partition("=")
    found = [arm for arm in arms if (_has(arm, key, value) if is_setting else arm.name == word.upper())]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{arm.name}: {_settings(arm)}" for arm in found or arms)
    if found:
        raise UsageError("Which arm?", f"--baseline {word} is that of {len(found)} arms", known)
    raise UsageError("No such arm", f"--baseline {word} is neither a letter nor a setting, KEY=VALUE, of an arm", known)


def _has(arm: Named, key: str, value: str) -> bool:
    return any(path == key or path.endswith(f".{key}") for path in arm.settings
               if is_equal(arm.settings[path], value))


def _settings(arm: Named) -> str:
    return ", ".join(f"{path.rpartition('.')[2]}={_text(value)}" for path, value in arm.settings.items()) or "all runs"


def _text(value: Any) -> str:
    return printable(value if isinstance(value, str) else canonical(value), room=_LONGEST)
