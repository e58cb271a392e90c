"""What this machine must have before a cluster can stand on it. Starts nothing."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.slurm import machine

NEEDED = {
    "slurmctld": "slurmctld", "slurmd": "slurmd", "sinfo": "slurm-client", "munged": "munge", "sshd": "openssh-server",
    "ssh": "openssh-client", "rsync": "rsync", "socat": "socat", "nc": "netcat-openbsd", "curl": "curl",
}  # fmt: skip
"""A program, and the Debian package that brings it."""

try:
    _SKY = importlib.metadata.distribution("skypilot")
    SKY_VERSION, SKY_AT = _SKY.version, Path(str(_SKY.locate_file("")))
except importlib.metadata.PackageNotFoundError:
    SKY_VERSION, SKY_AT = "", Path()

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def obstacle() -> str | None:
    """Why no cluster can stand here, in one line; None when one can. Installs nothing."""
    if sys.platform != "linux":
        return "Slurm tests need Linux"
    if os.geteuid() != 0:
        return "Slurm tests need root"
    if not SKY_VERSION:
        return "Slurm tests need SkyPilot: it is not installed"
    if why := machine.obstacle():
        return f"Slurm tests need machines of their own: {why}"
    if missing() and not shutil.which("apt-get", path=PATH):
        return f"Slurm tests need {', '.join(missing())}, and there is no apt-get"
    return None


def missing() -> list[str]:
    """Debian packages that are not here."""
    return [package for program, package in NEEDED.items() if not shutil.which(program, path=PATH)]


def install() -> str | None:
    """Installs what is missing; the reason in one line where it could not. Daemons that Debian starts stay idle."""
    steps = (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing()]) if missing() else ()
    for step in steps:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        try:
            done = subprocess.run(["apt-get", *step], env=env, text=True, capture_output=True, timeout=600)
        except subprocess.TimeoutExpired:
            return f"Slurm tests need {', '.join(missing())}: apt-get {step[0]} took more than ten minutes"
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return f"Slurm tests need {', '.join(missing())}: apt-get {step[0]} failed: {last}"
    return None
