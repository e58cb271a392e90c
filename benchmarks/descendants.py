"""Runs a command and waits for all that it leaves behind: `python -m benchmarks.descendants FILE PROGRAM …`.

Writes to FILE, as JSON, the seconds until the command's own end, those of processor time of all its descendants, also
of those that outlive it, and its exit code. Linux only: elsewhere what is left behind cannot be waited for.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of <linux/prctl.h>."""


def main(file: str, *command: str) -> None:
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    began = perf_counter()
    code = subprocess.run(command).returncode
    wall = perf_counter() - began
    with suppress(ChildProcessError):
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(file).write_text(json.dumps({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "code": code}), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
