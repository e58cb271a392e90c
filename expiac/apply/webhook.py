"""Posts JSON to an address. Secrets come from the environment, and no error tells them.

What speaks HTTP is imported by a call: commands that only look wait for none of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from expiac.util.errors import ExpiacError
from expiac.util.timeout import TimedOut, run_within
from expiac.util.version import VERSION

_VARIABLE = re.compile(r"\$\{(\w+)\}", re.ASCII)


def post(url: str, headers: Mapping[str, str], body: Mapping[str, Any], *, timeout: float) -> None:
    """Returns once the server has answered well. Raises `ExpiacError` otherwise, and when the time is over."""
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    class NoRedirects(urllib.request.HTTPRedirectHandler):
        """A redirect is an error: it would turn the POST into a GET."""

        def redirect_request(self, *args: Any, **keywords: Any) -> None:
            return None

    sent = {"Content-Type": "application/json", "User-Agent": f"expiac/{VERSION}",
            **{name: _with_variables(value) for name, value in headers.items()}}
    request = urllib.request.Request(_with_variables(url), json.dumps(body).encode(), sent, method="POST")
    opener = urllib.request.build_opener(NoRedirects())

    def call() -> None:
        with opener.open(request, timeout=timeout):
            pass

    try:
        run_within(timeout, call, "a webhook")
    except urllib.error.HTTPError as error:
        raise _failure(f"HTTP {error.code}") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _failure(f"no answer within {timeout:g} s") from None
        raise _failure(getattr(error.reason, "strerror", None) or type(error.reason).__name__) from None
    except (TimedOut, TimeoutError):
        raise _failure(f"no answer within {timeout:g} s") from None
    except (OSError, HTTPException, ValueError) as error:
        raise _failure(type(error).__name__) from None


def _with_variables(text: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise _failure(f"the environment variable {match[1]} is not set")
        return os.environ[match[1]]

    return _VARIABLE.sub(value, text)


def _failure(why: str) -> ExpiacError:
    return ExpiacError("Webhook failed", why, "[tool.expiac.notify] webhook")
