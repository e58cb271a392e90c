"""Single keys of a terminal, without Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty

_ARROWS = {"\x1b[D": "left", "\x1b[C": "right", "\x1b[A": "left", "\x1b[B": "right",
           "\x1bOD": "left", "\x1bOC": "right", "\x1bOA": "left", "\x1bOB": "right"}
_REST_OF_SEQUENCE = 0.05
"""Seconds in which a terminal sends the rest of an arrow."""


def read_key() -> str:
    """The next key: a letter, `left`, `right` or `enter`; empty at the end of the input.

    ^C raises KeyboardInterrupt.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)  # keys that were typed ahead stay
        typed = os.read(descriptor, 1)
        while typed.startswith(b"\x1b") and select.select([descriptor], [], [], _REST_OF_SEQUENCE)[0]:
            typed += os.read(descriptor, 16)
        while _is_cut(typed):
            typed += os.read(descriptor, 1)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    text = typed.decode(errors="replace")
    if text in ("\r", "\n"):
        return "enter"
    return "" if text == "\x04" else _ARROWS.get(text, text)


def _is_cut(typed: bytes) -> bool:
    """Whether a letter of several bytes is not there as a whole."""
    try:
        typed.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(typed) < 4
    return False
