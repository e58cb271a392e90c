"""How two texts differ in what they say: by key path, whatever the order of keys and the layout of the text.

Pure. A text that cannot be read as its format has no such differences, and is compared as text: `text_lines`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expiac.plan.diff import diff
from expiac.plan.kinds import CONFIG
from expiac.plan.model import MISSING
from expiac.util.hashing import canonical


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is another, at its key path. A value that is not there is `MISSING`."""

    path: str
    before: Any
    after: Any
    moved_to: str = ""
    """The key path at which the same value stands now; empty where it did not move."""

    @property
    def key(self) -> str:
        """Equal for equal differences, whatever their values are made of."""
        return repr((self.path, self.moved_to, *map(_canonical, (self.before, self.after))))


def read_text(text: str, name: str) -> Mapping[str, Any] | None:
    """The mapping that a text of the format of its name holds; None if it holds none that can be read."""
    try:
        match name.rpartition(".")[2]:
            case "json":
                found = json.loads(text)
            case "toml":
                found = tomllib.loads(text)
            case _:
                from expiac.review.plain_yaml import read_yaml  # imports PyYAML

                found = read_yaml(text)
        found = json.loads(json.dumps(found, default=str))  # a date, and a key that is a number, as they read
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The values that differ, in the order of their key paths."""
    found = [Difference(change.path, change.before, change.after)
             for change in diff({CONFIG: before}, {CONFIG: after}, {})]
    moves = dict(_moves(found))
    targets = {id(target) for target in moves.values()}
    return tuple(Difference(one.path, one.before, MISSING, moves[one.path].path) if one.path in moves else one
                 for one in found if id(one) not in targets)


def _moves(found: Sequence[Difference]) -> Iterator[tuple[str, Difference]]:
    """By the path from which a value is gone: where the same one has come, if it is clear that it is the same."""
    gone: dict[str, list[Difference]] = {}
    came: dict[str, list[Difference]] = {}
    for one in found:
        if one.after is MISSING:
            gone.setdefault(_canonical(one.before), []).append(one)
        elif one.before is MISSING:
            came.setdefault(_canonical(one.after), []).append(one)
    for value, sources in gone.items():
        for source in sources:
            targets = [target for target in came.get(value, ()) if _is_clear(source, target)]
            if len(targets) == 1 and sum(_is_clear(other, targets[0]) for other in sources) == 1:
                yield source.path, targets[0]


def _is_clear(source: Difference, target: Difference) -> bool:
    """Whether the two are hardly equal by chance: one key under another parent, or a whole section."""
    is_section = isinstance(source.before, Mapping) and bool(source.before)
    return is_section or source.path.rpartition(".")[2] == target.path.rpartition(".")[2]


def _canonical(value: Any) -> str:
    return "\0" if value is MISSING else str(canonical(value))
