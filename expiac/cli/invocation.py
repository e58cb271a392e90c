"""How the reader of the screen can call expiac: by its name, or by its path where the shell does not find it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path


def command_name() -> str:
    """`expiac` where the shell finds this installation by that name, else its path from the working folder."""
    installed = Path(sys.executable).parent / "expiac"
    found = shutil.which("expiac")
    if not installed.exists() or (found is not None and os.path.samefile(found, installed)):
        return "expiac"
    here = Path.cwd()
    path = installed.relative_to(here) if installed.is_relative_to(here) else installed
    return shlex.quote(str(path))
