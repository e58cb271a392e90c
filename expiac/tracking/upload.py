"""Uploads one file of a W&B run, by W&B's own command in a process of its own, which is stopped at a time limit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from expiac.util.errors import ExpiacError

_PAGE = re.compile(r"https?://[^\s'\"<>\x1b]+/runs/[^\s'\"<>\x1b]+")
_SENT = "done."
_ERROR = re.compile(r"wandb: ERROR (.+)")
"""W&B says so, and yet `done.` with exit code 0, where a server refuses the key, the project or a part of the rows."""
_NOT_THEIRS = ("WANDB_MODE", "WANDB_RUN_ID", "WANDB_PROJECT", "WANDB_RESUME", "WANDB_DIR", "WANDB_SILENT", "WANDB_TAGS",
               "WANDB_NOTES", "WANDB_RUN_GROUP", "WANDB_JOB_TYPE", "WANDB_NAME", "WANDB_SERVICE")
"""Variables that speak of a run of this process, and not of those that are uploaded."""
_PATIENCE = 10.0
"""Seconds for the processes to end once they are told."""


def upload(file: Path, *, entity: str, timeout: float, environ: Mapping[str, str] = os.environ) -> str:
    """Uploads the run of a file; gives the address of its page, empty where W&B did not say one.

    Raises `ExpiacError` where that fails, or is not done in so many seconds.
    """
    owner = ["--entity", entity] if entity else []
    # Not `wandb beta sync`: it appends to what the server has of the run, so that a second upload has each row twice.
    command = [sys.executable, "-m", "wandb", "sync", "--no-mark-synced", "--no-sync-tensorboard", *owner, str(file)]
    variables = {name: value for name, value in environ.items() if name not in _NOT_THEIRS}
    quiet = {"WANDB_ERROR_REPORTING": "false", "NO_COLOR": "1", "PYTHONUTF8": "1",
             "WANDB_DATA_DIR": str(file.parent)}  # what it staged elsewhere it keeps: it deletes before W&B has all
    process = subprocess.Popen(command, cwd=file.parent, env={**variables, **quiet}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
                               errors="replace")
    try:
        said, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ExpiacError("Not uploaded in time", f"W&B was not done after {timeout:.0f} seconds",
                          "--timeout 2h, or run the command again: no row is there twice") from None
    finally:
        _stop(process)
    refusal = _ERROR.search(said)
    if process.returncode or _SENT not in said or refusal is not None:
        why = refusal[1].strip()[:300] if refusal is not None else _last_line(said)
        raise ExpiacError("Not uploaded", why or f"W&B ended with exit code {process.returncode}",
                          "run the command again: no row is there twice")
    page = _PAGE.search(said)
    return page[0] if page else ""


def _stop(process: subprocess.Popen[str]) -> None:
    """Ends the process and those that it started."""
    if process.poll() is not None:
        return
    try:
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            member.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(family, timeout=_PATIENCE)
    for member in alive:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(_PATIENCE)


def _last_line(said: str) -> str:
    lines = [line.removeprefix("wandb:").strip() for line in said.splitlines()]
    return next((line for line in reversed(lines) if line), "")[:300]
