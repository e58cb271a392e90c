"""Which errors say that SkyPilot's API server took nothing of a call, so that it may be made again.

Knows the errors by name, so that it needs no SkyPilot itself. Of a connection that broke in between, nobody knows.
"""

from __future__ import annotations

from expiac.util.errors import Unavailable

_BUSY = (429, 503)
"""HTTP: too many requests; shutting down, starting, or no worker is free."""
_NOT_CONNECTED = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
"""What urllib3 raises before it has sent anything."""


class Refused(Unavailable):
    """The server surely did nothing of what it was asked for."""


def refusal_of(error: BaseException) -> str:
    """How the server refused the call: `busy` or `away`; empty if it may have taken it."""
    names = [kind.__name__ for kind in type(error).__mro__]
    if "ServerTemporarilyUnavailableError" in names:
        return "busy"
    if "HTTPError" in names and getattr(getattr(error, "response", None), "status_code", 0) in _BUSY:
        return "busy"
    # SkyPilot's own error is raised by the look at the server's health, which it takes before each call.
    if "ApiServerConnectionError" in names or "ConnectTimeout" in names or isinstance(error, ConnectionRefusedError):
        return "away"
    return "away" if "ConnectionError" in names and _was_never_connected(error) else ""


def _was_never_connected(error: BaseException) -> bool:
    """Whether an error of requests is one of its connection; what was caught before it does not count."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    return type(reason).__name__ in _NOT_CONNECTED
