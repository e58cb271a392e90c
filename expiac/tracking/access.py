"""Which W&B server is meant, whether there is a key for it, and whether it answers. Imports nothing of W&B's."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from expiac.tracking.errors import no_answer, no_key, refused_key
from expiac.util.wandb_login import netrc_key, server_address

_OFFLINE = ("offline", "disabled", "dryrun")


@dataclass(frozen=True, slots=True)
class Access:
    """A server and a key for it."""

    url: str
    key: str = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def access_of(environment: Mapping[str, str]) -> Access | None:
    """The server with its key, whatever `WANDB_MODE` says; None where there is no key."""
    url = server_address(environment)
    key = environment.get("WANDB_API_KEY", "").strip() or netrc_key(url, environment)
    return Access(url, key) if key else None


def find_access(environment: Mapping[str, str]) -> Access | None:
    """The server that W&B's client would use, with its key; None where there is no key, or `WANDB_MODE` is offline."""
    if environment.get("WANDB_MODE", "").lower() in _OFFLINE:
        return None
    return access_of(environment)


def require_access(environment: Mapping[str, str]) -> Access:
    """The same, whatever `WANDB_MODE` says; raises `NoAccess` where there is no key."""
    found = access_of(environment)
    if found is None:
        raise no_key(urlsplit(server_address(environment)).netloc)
    return found


def check_access(access: Access, *, timeout: float) -> str:
    """The user or team whose projects are meant where nothing else is said.

    Raises `NoAccess` where the key is refused, and `Unavailable` where there is no answer, or none of W&B's, in
    `timeout` seconds. W&B's own client would try for days.
    """
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    query = json.dumps({"query": "query Viewer { viewer { entity } }", "variables": {}}).encode()
    token = b64encode(f"api:{access.key}".encode()).decode()
    request = urllib.request.Request(f"{access.url}/graphql", data=query, headers={
        "Authorization": f"Basic {token}", "Content-Type": "application/json", "User-Agent": "expiac"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            answer = json.loads(response.read(1_000_000))
        viewer = answer["data"]["viewer"]
        return str((viewer or {}).get("entity") or "") if viewer is not None else _refuse(access)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise refused_key(access.host) from error
        raise no_answer(access.host, f"HTTP {error.code}") from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise no_answer(access.host, str(reason) or type(error).__name__) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise no_answer(access.host, "its answer is none of W&B's") from error


def _refuse(access: Access) -> str:
    raise refused_key(access.host)
