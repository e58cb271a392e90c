"""Runs the tests of this folder, several at a time, on one cluster that is brought up for them and taken down again.

    python -m tests.slurm [words for pytest]

Where no cluster can stand, says why and leaves with 0.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.slurm import packages
from tests.slurm.cluster import Cluster

AT_A_TIME = "3"


def main(words: list[str]) -> int:
    """Pytest's exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cluster is taken down
    if why := packages.obstacle() or packages.install():
        print(f"skipped: {why}")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="expiac-slurm-", dir="/tmp"))  # short, and open to the user of the jobs
    folder.chmod(0o755)
    cluster = Cluster.at(folder)
    try:
        cluster.up()
        command = [sys.executable, "-m", "pytest", "-n", AT_A_TIME, "--maxschedchunk", "1", "-rs",
                   *(words or ["-m", "slurm and not soak"]), "tests/slurm"]
        return subprocess.run(command, env={**os.environ, "EXPIAC_SLURM_CLUSTER": str(folder)}).returncode
    finally:
        cluster.down()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
