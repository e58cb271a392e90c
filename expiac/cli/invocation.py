"""How the reader of the screen can call expiac: by its name, or by its path where the shell does not find it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

COMMANDS = ("plan", "show", "apply", "destroy", "import", "refresh", "status", "logs", "render", "review", "verify",
            "history", "diff", "results", "compare", "report", "sync", "runs", "cost", "rerun", "fetch", "output",
            "prune", "stacks", "new", "version", "promote", "state")
_CALL = re.compile(rf"(?<![\w/.-])expiac(?= (?:--|(?:{'|'.join(COMMANDS)})\b))")


def with_command_name(text: str) -> str:
    """The text, with each call of expiac in it as it can be typed here: `.venv/bin/expiac plan lab`."""
    return _CALL.sub(lambda _: command_name(), text) if _CALL.search(text) else text


def command_name() -> str:
    """`expiac` where the shell finds this installation by that name, else its path from the working folder."""
    installed = Path(sys.executable).parent / "expiac"
    found = shutil.which("expiac")
    if not installed.exists() or (found is not None and os.path.samefile(found, installed)):
        return "expiac"
    here = Path.cwd()
    path = installed.relative_to(here) if installed.is_relative_to(here) else installed
    return shlex.quote(str(path))
