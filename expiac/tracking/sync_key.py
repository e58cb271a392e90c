"""Whether this user may upload to W&B, before anything is tried."""

from __future__ import annotations

import os
from collections.abc import Mapping

from expiac.apply.wandb_key import user_has_key
from expiac.tracking.access import access_of, check_access
from expiac.util.errors import ExpiacError, Unavailable
from expiac.util.wandb_login import server_address

_ANSWER = 20.0
"""Seconds for an answer of the server; its own client would try for as long as an upload may take."""


def refuse_without_access(environ: Mapping[str, str] = os.environ) -> None:
    """Raises `ExpiacError` where there is no key for the server, where it refuses the key, or does not answer."""
    address = server_address(environ)
    if not user_has_key(address, environ):
        raise ExpiacError("No W&B key", f"there is no key for {address}", "wandb login, or export WANDB_API_KEY=…")
    access = access_of(environ)
    if access is None:  # an identity token, of which the client makes a key
        return
    try:
        check_access(access, timeout=_ANSWER)
    except Unavailable as error:
        raise Unavailable(error.summary, error.detail, "try again: what has been uploaded is recorded") from error
