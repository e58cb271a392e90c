"""Stores and disks by their addresses, as fsspec knows them. The only importer of fsspec."""

from __future__ import annotations

from typing import Any


def filesystem_of(url: str, **settings: Any) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises `ImportError` where the package for this kind of store is missing, `ValueError` where there is no such kind.
    """
    from fsspec.core import url_to_fs

    files, root = url_to_fs(url, **settings)
    return files, str(root)
