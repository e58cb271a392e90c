"""A machine inside this machine: a name, mounts and processes of its own, on the same loopback.

Knows nothing of what runs on it. It sees the Python that the tests run with at its own path, even where this lies in a
home that is closed to the user of the jobs: of such a home it sees nothing else.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

NAMESPACES = ("--uts", "--mount-proc", "--pid", "--fork", "--kill-child")
"""They end when the first process in them does, and everything in them with it."""

SCRIPT = """\
hostname {name}
mount --bind {folder}/etc/hosts /etc/hosts
mount --bind {folder}/disks/{name} {folder}/scratch
{borrow}
{daemons}
wait -n # a machine of which one daemon has ended is down
"""


def obstacle() -> str | None:
    """Why there can be none here, in a line."""
    try:
        tried = subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        return "there is no unshare"
    return tried.stderr.strip().splitlines()[-1] if tried.returncode else None


def command(folder: Path, name: str, daemons: str) -> list[str]:
    """What starts a machine with these daemons: when it is killed, everything on the machine ends."""
    (folder / "disks" / name).mkdir(parents=True, exist_ok=True)
    (folder / "disks" / name).chmod(0o1777)
    script = SCRIPT.format(name=name, folder=folder, borrow=_borrow(folder / "borrowed"), daemons=daemons)
    return ["unshare", *NAMESPACES, "bash", "-euc", script]


def closed(path: Path) -> Path | None:
    """The topmost folder on the way to this one, itself included, that other users may not enter."""
    path = path.resolve()
    return next((place for place in (*reversed(path.parents), path) if not place.stat().st_mode & 0o001), None)


def _borrow(at: Path) -> str:
    """Mounts that open the way to Python: set aside, an empty folder over what is closed, and put back."""
    ways = {place: home for place in map(Path, (sys.prefix, sys.base_prefix)) if (home := closed(place))}
    aside = {place: at / str(number) for number, place in enumerate(ways)}
    for place in aside.values():
        place.mkdir(parents=True, exist_ok=True)
    away = [["mount", "--bind", str(place), str(kept)] for place, kept in aside.items()]
    empty = [["mount", "-t", "tmpfs", "-o", "mode=755", "empty", str(home)] for home in sorted(set(ways.values()))]
    back = [words for place, kept in aside.items()
            for words in (["mkdir", "-p", str(place)], ["mount", "--bind", str(kept), str(place)])]
    return "\n".join(map(shlex.join, away + empty + back))
