"""The standard streams of a command: open in any case, and ready for every letter.

Whoever starts a command may have closed one (`expiac status >&-`). Python then has None in its place, and the next file
that is opened gets its descriptor, so that output would go into that file.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

_STREAMS = (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w"))


def prepare_streams() -> None:
    """Opens what is closed on the null device, and lets no letter fail that an encoding does not have."""
    for name, descriptor, mode in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, _open_null(descriptor, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Sends what is still to be written to the null device: Python tries once more at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _open_null(descriptor: int, mode: str) -> TextIOWrapper:
    opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is mostly the closed one
    if opened != descriptor and not _is_open(descriptor):
        os.dup2(opened, descriptor)
        os.close(opened)
        opened = descriptor
    os.set_inheritable(opened, True)
    return open(opened, mode, encoding="utf-8", closefd=False)  # type: ignore[return-value]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
