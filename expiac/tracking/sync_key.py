"""Whether this user may upload to W&B, before anything is tried."""

from __future__ import annotations

import os
from collections.abc import Mapping

from expiac.apply.wandb_key import user_has_key
from expiac.tracking.access import server_address
from expiac.util.errors import ExpiacError


def refuse_without_key(environ: Mapping[str, str] = os.environ) -> None:
    """Raises `ExpiacError` where there is no key for the server."""
    address = server_address(environ)
    if not user_has_key(address, environ):
        raise ExpiacError("No W&B key", f"there is no key for {address}", "wandb login, or export WANDB_API_KEY=…")
