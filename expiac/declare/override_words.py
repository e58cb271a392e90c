"""`key=value` words as overrides, and back. Knows the signs of Hydra's grammar; nothing of configs and values.

`key=value` sets, `+key=value` adds a key to a mapping, `++key=value` does either, and `~key` removes a key. Hydra's own
parser is not called for keys: it takes 0.1 s to import, and each word says at its first letter what it does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Literal, cast

from expiac.util.errors import UsageError

SWEEP = "--sweep"
"""Among overrides, the word that says that those with several values are swept."""
Sign = Literal["", "+", "++", "~"]
_SIGNED = re.compile(r"(\+\+|\+|~)?(.*)", re.DOTALL)
_INDEX = re.compile(r"\[(\d+)\]")


def parse(words: Sequence[str]) -> dict[str, str]:
    """The overrides as signed key → text, in their order; the last of one key counts, whatever its sign."""
    overrides: dict[str, str] = {}
    for word in words:
        key, text = _parse_word(word)
        _, path = split_key(key)
        for other in [known for known in overrides if split_key(known)[1] == path]:
            del overrides[other]
        overrides[key] = text
    return overrides


def _parse_word(word: str) -> tuple[str, str]:
    if word == SWEEP:
        return SWEEP, ""
    key, equals, text = word.partition("=")
    key = key.strip()
    sign, path = split_key(key)
    if sign == "~" and path:
        if equals:
            raise UsageError("Not an override", f"{word!r} removes a key, and gives it a value", f"{key} or {path}=…")
        return key, ""
    if not equals or not path:
        hint = f"{key}=…" if all(part.isidentifier() for part in path.split(".")) else "gpus=4"
        raise UsageError("Not an override", f"{word!r} is not of the form key=value", hint)
    return key, text


def split_key(key: str) -> tuple[Sign, str]:
    """The sign of a key and its dotted path: `+a.b[0]` is `+` and `a.b.0`."""
    found = _SIGNED.fullmatch(key)
    assert found is not None
    return cast(Sign, found[1] or ""), _INDEX.sub(r".\1", found[2])


def words_of(overrides: Mapping[str, str]) -> list[str]:
    """The overrides as they are typed."""
    return [word_of(key, text) for key, text in overrides.items()]


def command_line(verb: str, stack: str, overrides: Mapping[str, str]) -> str:
    """The command that does this with a stack under these overrides, to be pasted."""
    return shlex.join(["expiac", verb, stack, *words_of(overrides)])


def word_of(key: str, text: str) -> str:
    """One override as it is typed."""
    return key if key.startswith("~") or key == SWEEP else f"{key}={text}"
