"""A time limit around a call that has none of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TimedOut(Exception):
    """The call goes on, in a thread that nobody waits for."""


def run_within(seconds: float, call: Callable[[], T], name: str) -> T:
    """What the call returns or raises; raises `TimedOut` if that takes longer."""
    returned: list[T] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            returned.append(call())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not returned:
        raise TimedOut(f"nothing after {seconds:.0f} s")
    return returned[0]
