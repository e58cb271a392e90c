"""Brings a file or folder of a cluster here over ssh, as SkyPilot lets its users log in. Has a time limit."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from expiac.util.durable import sync_tree
from expiac.util.errors import ExpiacError, Unavailable

_NOT_THERE = 66
_FILE, _FOLDER = b"f", b"d"
_SEND = f"""\
[ -e "$p" ] || exit {_NOT_THERE}
if [ -d "$p" ]; then printf {_FOLDER.decode()}; exec tar -C "$p" -cf - .; fi
printf {_FILE.decode()}; exec cat "$p"
"""
"""What the cluster's shell runs: one letter that says what follows, then a file's bytes or a folder as a tar."""


def pull(cluster: str, path: str, target: Path, *, timeout: float) -> None:
    """Copies a path of the cluster's first machine to `target`; gives up after `timeout` seconds."""
    until = time.monotonic() + timeout
    _write_ssh_config(cluster, timeout)
    command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", cluster, f"p={_shell_path(path)}; {_SEND}"]
    ssh = _start(command)
    limit = threading.Timer(max(0.0, until - time.monotonic()), _kill, [ssh])
    limit.start()
    broken = ""
    try:
        assert ssh.stdout is not None
        _receive(ssh.stdout, target)
    except (OSError, tarfile.TarError, EOFError) as error:
        broken = str(error)
        _kill(ssh)
    except BaseException:
        _kill(ssh)
        raise
    finally:
        _, said = ssh.communicate()
        is_late = time.monotonic() >= until
        limit.cancel()
    if ssh.returncode == _NOT_THERE:
        raise ExpiacError("Output is gone", f"{cluster} has no {path}", "expiac output shows what there is")
    if is_late and (ssh.returncode or broken):
        raise ExpiacError("Not fetched in time", f"{cluster}: {path}: not within {timeout:.0f} s", "--timeout SECONDS")
    if ssh.returncode or broken:
        words = said.decode(errors="replace").strip() or broken or f"ssh ended with {ssh.returncode}"
        raise Unavailable("Not fetched", f"{cluster}: {path}: {words}", f"sky status {cluster}; ssh {cluster}")
    sync_tree(target)


def _write_ssh_config(cluster: str, timeout: float) -> None:
    """`sky status` writes how to reach a cluster into the user's ssh config: there is no call of the SDK that does."""
    beside = Path(sys.executable).with_name("sky")
    program = str(beside) if beside.exists() else shutil.which("sky") or "sky"
    try:
        done = subprocess.run([program, "status", cluster], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable("SkyPilot's API server does not answer in time", f"sky status {cluster}") from error
    except OSError as error:
        hint = "pip install 'expiac[skypilot]'"
        raise Unavailable("SkyPilot is not installed", f"sky: {error.strerror}", hint) from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
        raise Unavailable("Not fetched", f"sky status {cluster}: {words[-1]}", "sky api info")


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)
    except OSError as error:
        raise ExpiacError("Not fetched", f"ssh: {error.strerror}", "install an ssh client") from error


def _kill(ssh: subprocess.Popen[bytes]) -> None:
    """Ends ssh and what it started, such as its proxy, which would keep the pipes open."""
    if ssh.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(ssh.pid, signal.SIGKILL)


def _receive(stream: IO[bytes], target: Path) -> None:
    kind = stream.read(1)
    if kind == _FILE:
        with open(target, "wb") as file:
            shutil.copyfileobj(stream, file)
    elif kind == _FOLDER:
        target.mkdir()
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            # No member may come to lie outside; early releases of Python 3.11 know no filters.
            how = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
            archive.extractall(target, **how)  # type: ignore[arg-type]
    elif kind:
        raise OSError(f"the cluster's shell prints something before it runs a command: {kind!r}")


def _shell_path(path: str) -> str:
    """The path for a shell, in which `~` still means the home folder."""
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)
