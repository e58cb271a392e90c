"""The task that SkyPilot is given: the rendered one, with this launch's names, secrets and files put in."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from expiac.providers.base import TASK_FILE, Id, Inputs
from expiac.providers.printed import ASK
from expiac.providers.skypilot.snapshot import INSTANCE, LAUNCH, LINEAGE, OUTPUTS
from expiac.util.errors import ExpiacError


def task_to_launch(inputs: Inputs, id: Id, root: Path, folder: Path, environ: Mapping[str, str] = os.environ
               ) -> dict[str, Any]:
    """The task of a launch; writes the texts that it mounts into `folder`, which is private. Holds secrets."""
    task = _read(inputs)
    outputs = {name: _on_machine(path, bool(task.get("workdir"))) for name, path in inputs.outputs.items()}
    named = {LINEAGE: id.lineage, INSTANCE: id.instance, LAUNCH: str(id.launch), ASK: "1"}
    told = {OUTPUTS: json.dumps(outputs)} if outputs else {}
    secrets = {name: inputs.env.get(name, value) for name, value in _variables(task, "secrets").items()}
    envs = {**_filled(_variables(task, "envs"), "envs", environ), **inputs.env, **told, **named}
    task["envs"] = {name: value for name, value in envs.items() if name not in secrets}
    if secrets:
        task["secrets"] = _filled(secrets, "secrets", environ)
    _write(inputs, task, folder)
    return _placed(task, inputs, root, folder)


def task_to_check(inputs: Inputs, root: Path) -> dict[str, Any]:
    """The task as far as it can be checked before there is a launch; holds no secrets."""
    task = _read(inputs)
    for section in ("envs", "secrets"):
        if section in task:
            task[section] = {name: value or "-" for name, value in _variables(task, section).items()}
    mounts = task.get("file_mounts") or {}
    task["file_mounts"] = {target: source for target, source in mounts.items() if not _is_text(source, inputs)}
    return _placed(task, inputs, root, root)


def task_to_price(task: Mapping[str, Any]) -> dict[str, Any]:
    """As much of a task as its price depends on."""
    return {"resources": task.get("resources") or {}, "run": "true", "num_nodes": task.get("num_nodes") or 1}


def _read(inputs: Inputs) -> dict[str, Any]:
    if TASK_FILE not in inputs.texts:
        raise ExpiacError("Not a job", "SkyPilot runs jobs only")
    try:
        task = yaml.safe_load(inputs.texts[TASK_FILE])
    except yaml.YAMLError as error:
        raise ExpiacError("The task cannot be read", f"task.yaml: {error}") from error
    if not isinstance(task, dict):
        raise ExpiacError("The task cannot be read", "task.yaml: it is not a mapping")
    return task


def _variables(task: Mapping[str, Any], section: str) -> dict[str, str | None]:
    asked = task.get(section) or {}
    if isinstance(asked, list):
        return dict.fromkeys(map(str, asked))
    return {str(name): None if value is None else str(value) for name, value in asked.items()}


def _filled(variables: Mapping[str, str | None], section: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Each variable with its value, from the environment where the task has none."""
    filled = {name: environ.get(name) if value is None else value for name, value in variables.items()}
    if missing := [name for name, value in filled.items() if value is None]:
        raise ExpiacError("A variable is not set", f"{section}: {', '.join(missing)}", f"export {missing[0]}=…")
    return {name: value for name, value in filled.items() if value is not None}


def _write(inputs: Inputs, task: Mapping[str, Any], folder: Path) -> None:
    for source in filter(lambda source: _is_text(source, inputs), (task.get("file_mounts") or {}).values()):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / source).write_text(inputs.texts[source], encoding="utf-8")
        except OSError as error:
            raise ExpiacError("State folder not writable", f"{folder / source}: {error.strerror}") from error


def _is_text(source: object, inputs: Inputs) -> bool:
    """Whether what is mounted is one of the rendered texts."""
    return isinstance(source, str) and source in inputs.texts


def _placed(task: dict[str, Any], inputs: Inputs, root: Path, folder: Path) -> dict[str, Any]:
    """The task with every path here made absolute: SkyPilot reads them from somewhere else."""
    if workdir := task.get("workdir"):
        task["workdir"] = _absolute(str(workdir), root)
    task["file_mounts"] = {
        target: source if isinstance(source, dict)
        else str(folder / source) if _is_text(source, inputs) else _absolute(str(source), root)
        for target, source in (task.get("file_mounts") or {}).items()}
    return {key: value for key, value in task.items() if value}


def _absolute(path: str, root: Path) -> str:
    return path if "://" in path else os.path.normpath(root / Path(path).expanduser())


def _on_machine(path: str, has_workdir: bool) -> str:
    """Where an output is for whoever looks from elsewhere: the job's own working directory is not theirs."""
    if "://" in path or path.startswith(("/", "~")):
        return path
    return f"~/sky_workdir/{path}" if has_workdir else f"~/{path}"
