"""What SkyPilot says of a task only while it launches it, as far as it can be known before: offline, and at once.

`sdk` imports SkyPilot and calls these functions.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

from expiac.util.errors import ExpiacError, did_you_mean

_OWN_ACCELERATORS = frozenset({"kubernetes", "slurm", "ssh"})
"""Places whose owner names the accelerators."""


def known_accelerators(catalog: Path) -> tuple[str, ...]:
    """The names in SkyPilot's catalog of all clouds; none where this machine has not downloaded it yet."""
    try:
        with catalog.open(encoding="utf-8", newline="") as file:
            return tuple(row["AcceleratorName"] for row in csv.DictReader(file) if row.get("AcceleratorName"))
    except (OSError, ValueError, csv.Error):
        return ()


def refuse_unfit(task: Any, accelerators: Collection[str]) -> None:
    """Raises where the cloud that the task names has no such accelerator, or takes no such label."""
    for resources in task.resources:
        if resources.cloud is not None:
            _refuse_unknown_accelerator(resources, accelerators)
            _refuse_labels(resources)


def _refuse_unknown_accelerator(resources: Any, known: Collection[str]) -> None:
    cloud = str(resources.cloud)
    if cloud.lower() in _OWN_ACCELERATORS or resources.instance_type or not known:
        return
    for name in resources.accelerators or ():
        # SkyPilot takes a part of a name too, in any case: A100-80 is A100-80GB.
        is_known = any(name.lower() in other.lower() for other in known)
        if not is_known and not name.lower().startswith("tpu"):
            raise ExpiacError("No such accelerator", f"{name}, on {cloud}",
                              _nearest(name, known) or "sky gpus list")


def _nearest(name: str, known: Collection[str]) -> str:
    hint = did_you_mean(name.upper(), known)
    return hint if hint.startswith("did you mean") else ""


def _refuse_labels(resources: Any) -> None:
    for key, value in (resources.labels or {}).items():
        is_valid, why = resources.cloud.is_label_valid(key, value)
        if not is_valid:
            raise ExpiacError("Invalid label", f"{key}: {value}: {why}", f"another label, on {resources.cloud}")
