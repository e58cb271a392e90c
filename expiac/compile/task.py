"""The task of a job as data, in SkyPilot's format: one document that every backend is given.

Pure. What a launch adds (names, annotations, the values of Refs) comes by the environment and stands in no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from expiac.declare.job import SkypilotJobConfig, accelerators
from expiac.declare.project import Project
from expiac.declare.stack_reference import replace_any_refs
from expiac.util.placeholders import INSTANCE, escape

_END = "END_OF_RUN"
CONFIG_VARIABLE = "EXPIAC_CONFIG"
"""Where a job without Hydra finds the path of its training config."""


def task(
    place: SkypilotJobConfig, run: str, infra: str | None, project: Project, config_file: str | None, *,
    gpus: int | str, is_composed: bool,
) -> dict[str, Any]:
    """The task document; `config_file` is the rendered config, which is mounted where the trainer looks for it.

    Where it is composed, the job's Hydra finds it by its name; else the job gets its path. `gpus` are per node.
    `infra` is a place in SkyPilot's words; None for a job whose backend alone decides where it runs.
    What the place declares is escaped here; `run` comes with what is a user's own text escaped.
    """
    mounts: dict[str, Any] = escape(dict(place.file_mounts))
    found: dict[str, str] = {"DATA_DIR": escape(place.data_dir) or project.data_dir}
    if config_file is not None:
        target = f"{project.configs}/experiments/{INSTANCE}{PurePosixPath(config_file).suffix}"
        mounts[f"~/sky_workdir/{target}" if place.workdir is not None else f"~/{target}"] = config_file
        if not is_composed:
            found[CONFIG_VARIABLE] = target
    document: dict[str, Any] = {"name": INSTANCE}
    if resources := _resources(place, infra, project, gpus):
        document["resources"] = resources
    document["num_nodes"] = place.nodes
    optional: Mapping[str, Any] = {
        "workdir": escape(place.workdir),
        "envs": found | {key: shell_text(escape(value)) for key, value in place.envs.items()},
        "file_mounts": mounts,
        "secrets": dict.fromkeys(place.secrets),
        "setup": shell_text(escape(place.setup)),
    }
    given = {key: value for key, value in optional.items() if value}
    return {**document, **given, "run": _limit_runtime(shell_text(run), place.max_runtime)}


def shell_text(text: str) -> str:
    """The text with each Ref as the environment variable that will hold its value."""
    replaced: str = replace_any_refs(text, lambda ref: f"${{{ref.variable}}}")
    return replaced


def hydra_config(value: Any) -> Any:
    """The nested value with each Ref as the interpolation that reads its environment variable."""
    return replace_any_refs(value, lambda ref: ref.interpolation)


def _limit_runtime(run: str, longest: int | str | None) -> str:
    """The command under a time limit: TERM when it is over, KILL a minute later, exit code 124."""
    if longest is None:
        return run
    return f"exec timeout --kill-after=60 {longest} bash -c \"$(cat <<'{_END}'\n{run.rstrip()}\n{_END}\n)\"\n"


def _resources(
    place: SkypilotJobConfig, infra: str | None, project: Project, gpus: int | str,
) -> dict[str, Any]:
    recovery = {"max_restarts_on_errors": place.max_restarts, "recover_on_exit_codes": place.recover_on_exit_codes}
    wanted = {
        "infra": infra,
        "accelerators": accelerators(gpus, project.accelerator),
        "cpus": place.cpus,
        "memory": place.memory,
        "region": place.region,
        "image_id": place.image,
        "disk_size": place.disk,
        "use_spot": place.spot or None,
        "any_of": place.any_of or None,
        "ports": place.ports or None,
        "labels": place.labels or None,
        "priority": place.priority,
        "autostop": None if place.managed else {"idle_minutes": place.autostop, "down": True},
        "job_recovery": {key: value for key, value in recovery.items() if value} or None,
    }
    return {key: escape(value) for key, value in wanted.items() if value is not None}
