"""Where pip has this expiac from, so that a new project can install the same one."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from expiac.util.version import VERSION


def installed_from() -> str:
    """What to give pip for this expiac, if it is from no package index: a file, a folder, or an address of git's."""
    try:
        package = distribution("expiac")
    except PackageNotFoundError:
        return ""
    origin = package.read_text("direct_url.json")  # PEP 610: absent if it is from an index
    return pip_argument(json.loads(origin)) if origin and package.version == VERSION else ""


def pip_argument(origin: dict[str, Any]) -> str:
    """What pip is given to install from this origin (PEP 610); empty for a file that is gone."""
    url = str(origin.get("url", ""))
    if vcs := origin.get("vcs_info"):
        return f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    if not url.startswith("file:"):
        return url
    path = Path(url2pathname(urlparse(url).path))
    return str(path) if path.exists() else ""
