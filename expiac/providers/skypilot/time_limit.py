"""A call to SkyPilot under a time limit, without what it prints, and its errors in our words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from expiac.providers.skypilot.error_translation import translate_error
from expiac.providers.skypilot.quiet import QuietStdout
from expiac.util import timeout as timeout
from expiac.util.errors import ExpiacError

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], doing: str) -> T:
    """What the call returns; its errors in our words. A call that takes longer is left behind."""

    def work() -> T:
        try:
            with QuietStdout():
                return call()
        except ExpiacError:
            raise
        except BaseException as error:  # SkyPilot may want to leave the whole process
            raise translate_error(error, doing) from error

    tracebacks = getattr(sys, "tracebacklimit", None)
    try:
        return timeout.run_within(seconds, work, f"skypilot: {doing}")
    except timeout.TimedOut as error:
        raise translate_error(TimeoutError(str(error)), doing) from error
    finally:
        if tracebacks is None and hasattr(sys, "tracebacklimit"):
            del sys.tracebacklimit  # SkyPilot hides its own tracebacks, and with them everybody's that come after
