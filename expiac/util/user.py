"""Who runs this process."""

from __future__ import annotations

import getpass
import os


def user() -> str:
    """The name of the user, or the number where the system knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
