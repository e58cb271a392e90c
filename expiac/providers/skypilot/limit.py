"""A time limit around a call that has none of its own, and its errors in our words."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from expiac.errors import ExpiacError
from expiac.providers.skypilot.hush import Hush
from expiac.providers.skypilot.trouble import translated

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], doing: str) -> T:
    """What the call returns; its errors in our words. A call that takes longer is left behind."""
    returned: list[T] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            with Hush():
                returned.append(call())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, name=f"skypilot: {doing}", daemon=True)
    tracebacks = getattr(sys, "tracebacklimit", None)
    thread.start()
    thread.join(seconds)
    if tracebacks is None and hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit  # SkyPilot hides its own tracebacks, and with them everybody's that come after
    if raised:
        if isinstance(raised[0], ExpiacError):
            raise raised[0]
        raise translated(raised[0], doing) from raised[0]
    if not returned:
        raise translated(TimeoutError(f"nothing after {seconds:.0f} s"), doing)
    return returned[0]
