"""A Python with the peers, in a virtual environment under `build/` that is made when it is first asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import ROOT

PEERS = ("stable-baselines3==2.9.2", "torchrl==0.14.1")
"""Beside the trainer and what `constraints.txt` pins."""
FOLDER = ROOT / "build" / "trainer-peers"
_VERSIONS = """\
import importlib.metadata as metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try: found[name] = metadata.version(name)
    except metadata.PackageNotFoundError: pass
print(json.dumps(found))
"""


def interpreter(folder: Path = FOLDER) -> str:
    """The Python of the virtual environment, which is made unless it has these peers already.

    Of a peer that can't be installed, pip says why, and it is left out.
    """
    python, stamp = folder / "bin" / "python", folder / "peers.json"
    wanted = json.dumps([*PEERS, (ROOT / "constraints.txt").read_text(encoding="utf-8")])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return str(python)
    print(f"installing the trainer and its peers into {folder.relative_to(ROOT)}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt"]
    subprocess.run([*pip, "-e", ".[trainer]"], cwd=ROOT, check=True)
    for peer in PEERS:
        if subprocess.run([*pip, peer], cwd=ROOT, check=False).returncode:
            print(f"{peer} can't be installed, and is left out", flush=True)
    stamp.write_text(wanted, encoding="utf-8")
    return str(python)


def versions(python: str, *packages: str) -> dict[str, str]:
    """The versions of those packages that a Python has."""
    said = subprocess.run([python, "-c", _VERSIONS, *packages], capture_output=True, encoding="utf-8", check=True)
    found: dict[str, str] = json.loads(said.stdout)
    return found
