"""What should be known of a task before it is launched. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def remarks(task: Mapping[str, Any]) -> Iterator[str]:
    """Each as words for the plan; none for most tasks."""
    folder = str((task.get("envs") or {}).get("DATA_DIR", "/"))
    stays = folder.startswith("/") or any(folder.startswith(target) for target in task.get("file_mounts") or ())
    if not stays and leaves_results(task):
        yield (f"results go with the machine, and a recovery starts anew: DATA_DIR is {folder}, in the job's own "
               "folder (data_dir=/a/shared/folder)")
    if (secrets := task.get("secrets")) and any(place.startswith("slurm") for place in _places(task)):
        # Seen in 0.14.1: its ssh, srun and executor are given the job's environment as a word of their command lines.
        yield (f"on Slurm, SkyPilot shows {', '.join(secrets)} in lists of processes: on the job's nodes, and beside "
               "its API server")


def leaves_results(task: Mapping[str, Any]) -> bool:
    """Whether it is a training job, which gets a config, or speaks of the folder of results."""
    mounts = (task.get("file_mounts") or {}).values()
    return "DATA_DIR" in f"{task.get('run')}" or any(str(source).startswith("config.") for source in mounts)


def _places(task: Mapping[str, Any]) -> Iterator[str]:
    resources = task.get("resources") or {}
    for choice in (resources, *(resources.get("any_of") or ())):
        yield str(choice.get("infra") or "").lower()
