"""Which W&B server is meant, whether there is a key for it, and whether it answers. Imports nothing of W&B's."""

from __future__ import annotations

import configparser
import json
import netrc
import os
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from expiac.tracking.errors import no_answer, no_key, refused_key
from expiac.util.netrc_path import netrc_file

_PUBLIC = "https://api.wandb.ai"
_OFFLINE = ("offline", "disabled", "dryrun")


@dataclass(frozen=True, slots=True)
class Access:
    """A server and a key for it."""

    url: str
    key: str = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def server_address(environment: Mapping[str, str]) -> str:
    """As W&B's client has it: the variable, the settings of the user, or the public server."""
    given = environment.get("WANDB_BASE_URL") or _setting(environment, "base_url") or _PUBLIC
    return given.rstrip("/")


def find_access(environment: Mapping[str, str]) -> Access | None:
    """The server that W&B's client would use, with its key; None where there is no key, or `WANDB_MODE` is offline."""
    if environment.get("WANDB_MODE", "").lower() in _OFFLINE:
        return None
    return _access(environment)


def require_access(environment: Mapping[str, str]) -> Access:
    """The same, whatever `WANDB_MODE` says; raises `NoAccess` where there is no key."""
    found = _access(environment)
    if found is None:
        raise no_key(urlsplit(server_address(environment)).netloc)
    return found


def check_access(access: Access, *, timeout: float) -> str:
    """The user or team whose projects are meant where nothing else is said.

    Raises `NoAccess` where the key is refused, and `Unavailable` where there is no answer, or none of W&B's, in
    `timeout` seconds. W&B's own client would try for days.
    """
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


def _access(environment: Mapping[str, str]) -> Access | None:
    url = server_address(environment)
    key = environment.get("WANDB_API_KEY", "").strip() or _netrc_key(environment, urlsplit(url).netloc)
    return Access(url, key) if key else None


def _setting(environment: Mapping[str, str], name: str) -> str | None:
    folder = environment.get("WANDB_CONFIG_DIR") or Path(_home(environment), ".config", "wandb")
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(Path(folder, "settings"), encoding="utf-8")
        return settings.get("default", name, fallback=None)
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None


def _netrc_key(environment: Mapping[str, str], host: str) -> str | None:
    try:
        file = netrc_file(environment)
        known = netrc.netrc(file).authenticators(host) if file is not None else None
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return None
    return known[2] or None if known is not None else None


def _home(environment: Mapping[str, str]) -> str:
    return environment.get("HOME") or os.path.expanduser("~")
