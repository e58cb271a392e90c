"""Where a path of a job's machine is in the buckets that the job mounts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def bucket_url(path: str, mounts: Mapping[str, Any]) -> str | None:
    """The address of what is at the path; None where it is in no mounted bucket. `mounts` are a task's file mounts."""
    for place, source in mounts.items():
        url, below = _url(source), _below(path, str(place))
        if url is not None and below is not None:
            return f"{url.rstrip('/')}/{below}".rstrip("/")
    return None


def _url(source: object) -> str | None:
    """The address of what is mounted; None of what SkyPilot only copies to the machine."""
    if not isinstance(source, Mapping) or str(source.get("mode", "MOUNT")).upper() == "COPY":
        return None
    mounted: Mapping[str, Any] = source
    if isinstance(mounted.get("source"), str) and "://" in mounted["source"]:
        return str(mounted["source"])
    has_name = mounted.get("name") and mounted.get("store")
    return f"{str(mounted['store']).lower()}://{mounted['name']}" if has_name else None


def _below(path: str, folder: str) -> str | None:
    folder = folder.rstrip("/")
    return path[len(folder) + 1:] if path == folder or path.startswith(f"{folder}/") else None
