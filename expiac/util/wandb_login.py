"""What `wandb login` leaves on a machine: the server's address, and keys. Reads files; imports nothing of W&B's."""

from __future__ import annotations

import configparser
import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from expiac.util.netrc_path import netrc_file

PUBLIC = "https://api.wandb.ai"


def server_address(environ: Mapping[str, str]) -> str:
    """As W&B's client has it: the variable, the settings of the user, or the public server."""
    given = environ.get("WANDB_BASE_URL") or _setting(environ, "base_url") or PUBLIC
    return given.rstrip("/")


def server_of_job(envs: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The server that a job with these variables logs to: it has another home, and so no settings of the user's."""
    return str(envs.get("WANDB_BASE_URL") or environ.get("WANDB_BASE_URL") or PUBLIC)


def netrc_key(address: str, environ: Mapping[str, str]) -> str | None:
    """The key for the server at this address in the user's netrc; None where there is none, or no netrc to read."""
    try:
        file = netrc_file(environ)
        known = netrc.netrc(file).authenticators(urlsplit(address).netloc) if file is not None else None
    except (OSError, ValueError, netrc.NetrcParseError):
        return None
    return known[2] or None if known is not None else None


def _setting(environ: Mapping[str, str], name: str) -> str | None:
    home = environ.get("HOME") or os.path.expanduser("~")
    folder = environ.get("WANDB_CONFIG_DIR") or Path(home, ".config", "wandb")
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(Path(folder, "settings"), encoding="utf-8")
        return settings.get("default", name, fallback=None)
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
