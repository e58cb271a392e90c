"""Where this user's netrc is: the file in which `wandb login` puts a key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def netrc_file(environ: Mapping[str, str]) -> Path | None:
    """The file that `NETRC` names, else the one in the home; None where there is none."""
    given, home = environ.get("NETRC"), environ.get("HOME")
    places = [Path(given).expanduser()] if given else [Path(home or "~").expanduser() / n for n in (".netrc", "_netrc")]
    return next((place.absolute() for place in places if place.is_file()), None)
