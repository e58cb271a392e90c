"""Names the lineage of a stack's state before there is a state: what a plan previews is what an apply will launch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from expiac.util.durable import create_file
from expiac.util.hashing import digest


def lineage(folder: Path, stack: str) -> str:
    """The lineage that a first state of the stack in this state folder will have: 32 hex digits.

    It stands on a random seed that belongs to the checkout, kept beside the states. Where it can't be kept it is drawn
    anew each time, and then a preview's names hold for that command only.
    """
    file = folder / "seed"
    with suppress(OSError):
        if not file.exists():
            _keep(file, uuid4().hex)
        return digest([file.read_text(encoding="utf-8").strip(), stack])[:32]
    return uuid4().hex


def _keep(file: Path, seed: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # of two commands that draw at once, the first one counts
        create_file(file, seed.encode())
