"""Texts that come from the system and go to it, in UTF-8 whatever the locale says.

Python decodes arguments and variables by the locale. Under `LC_ALL=C` it then knows no letter beyond ASCII, and under
a Latin-1 locale it would give a child other bytes than those that stand in expiac's files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping


def decode(text: str) -> str:
    """A text as the system gave it, such as an argument, read as UTF-8 where the locale could not read it."""
    if not any("\udc80" <= letter <= "\udcff" for letter in text):
        return text
    return os.fsencode(text).decode("utf-8", "surrogateescape")


def path_text(path: str | os.PathLike[str]) -> str:
    """A path for a variable: Python has paths as the locale reads them."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")


def environment() -> dict[str, str]:
    """This process's variables, read as UTF-8; what is no UTF-8 goes to a child unchanged."""
    return {_text(name): _text(value) for name, value in os.environb.items()}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encode_environment(variables: Mapping[str, str]) -> dict[bytes, bytes]:
    """Variables for a child."""
    return {encode(name): encode(value) for name, value in variables.items()}


def encode_command(words: Iterable[str]) -> list[bytes]:
    """A command line for a child."""
    return [encode(word) for word in words]


def encode(text: str) -> bytes:
    """A text for the system."""
    return text.encode("utf-8", "surrogateescape")
