"""Creates a launch: first its home with code and mounts, and then, in one rename, the launch itself."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import expiac
from expiac.providers.base import TASK_FILE, Id, Inputs
from expiac.providers.local.environment import submitter_environment
from expiac.providers.local.folder import RunFolder
from expiac.providers.local.job import LocalJob
from expiac.providers.local.sharing import note_copies
from expiac.providers.local.slots import Machine
from expiac.providers.local.status import LaunchReader, is_live
from expiac.providers.local.task import Task, parse
from expiac.providers.local.workdir import SKY_WORKDIR, mount, path_in_home, sync_code
from expiac.util.encoding import environment
from expiac.util.errors import ExpiacError, Uncertain

PREPARE_TIMEOUT = 60.0
"""Seconds to wait for another process that creates a launch of the same run."""


def read_task(inputs: Inputs, machine: Machine) -> Task:
    """The task, if this machine can ever carry it out."""
    if TASK_FILE not in inputs.texts:
        raise ExpiacError("Not a job", "the local backend runs jobs only")
    task = parse(inputs.texts[TASK_FILE])
    for destination in task.mounts:
        path_in_home(destination, workdir(task))
    asked = task.nodes * task.gpus
    if asked > machine.gpus > 0:
        raise ExpiacError("Not enough GPUs", f"{asked} asked for, {machine.gpus} on this machine",
                          f"--gpus={machine.gpus // task.nodes}")
    return task


def workdir(task: Task) -> str:
    """The working directory, relative to the home."""
    return SKY_WORKDIR if task.workdir else ""


def secret_values(task: Task, inputs: Inputs) -> dict[str, str]:
    """What the task's secrets are; raises where the submitter lacks one. They never reach the disk."""
    named = {**dict.fromkeys(inputs.secrets), **task.secrets}
    secrets = {name: inputs.env.get(name, value) for name, value in named.items()}
    return _with_values(secrets, "secrets")


def is_launched(run: RunFolder, id: Id) -> bool:
    """Whether the launch exists; raises where the run is another lineage's."""
    for launch in run.launches():
        if (job := launch.job()) and job.lineage != id.lineage:
            detail = f"{id.instance} in {run.path.parent}"
            raise ExpiacError("The run belongs to another checkout", detail)
    return run.launch(id.launch).path.exists()


def describe(id: Id, inputs: Inputs, task: Task, machine: Machine, grace: float) -> LocalJob:
    """The job as it will stand in the launch's folder."""
    names = {"EXPIAC_LINEAGE": id.lineage, "EXPIAC_INSTANCE": id.instance, "EXPIAC_LAUNCH": str(id.launch)}
    declared = _with_values(task.envs, "envs")
    secrets = tuple(dict.fromkeys((*task.secrets, *inputs.secrets)))
    env = {**submitter_environment(environment()), **declared, **inputs.env, **names}
    return LocalJob(
        lineage=id.lineage, instance=id.instance, launch=id.launch, host=socket.gethostname(),
        nodes=task.nodes, cpus=task.nodes * task.cpus, gpus=task.gpus if machine.gpus else 0,
        workdir=workdir(task), setup=task.setup, run=task.run,
        env={name: value for name, value in env.items() if name not in secrets},
        secrets=secrets,
        outputs=dict(inputs.outputs), needed=inputs.needed, grace=grace,
        python=sys.executable, package=str(Path(expiac.__path__[0]).parent),
        machine=str(machine.folder), machine_cpus=machine.cpus, machine_gpus=machine.gpus)


def create_launch(
    run: RunFolder, id: Id, job: LocalJob, task: Task, texts: Mapping[str, str], root: Path
) -> None:
    """Makes the launch exist, unless another process did so meanwhile.

    A run has one home, so it has one launch at a time.
    """
    try:
        with run.prepare(PREPARE_TIMEOUT):
            if not is_launched(run, id):
                _refuse_if_another_is_alive(run, id)
                _prepare_home(run, task, texts, root)
                holds_secrets = any(value is not None for value in task.secrets.values())
                run.publish(job, {} if holds_secrets else texts)
    except TimeoutError as error:
        raise Uncertain("Another process is launching this run", str(error)) from error
    except OSError as error:
        if is_launched(run, id):
            raise Uncertain("The launch may not outlast a loss of power", str(error)) from error
        raise


def _refuse_if_another_is_alive(run: RunFolder, id: Id) -> None:
    reader = LaunchReader(run.path.parent)
    for launch in run.launches():
        number = int(launch.path.name)
        if is_live(reader.observe(Id(id.lineage, id.instance, number))):
            raise ExpiacError("An earlier launch is still alive", f"{id.instance}, launch {number}")


def _prepare_home(run: RunFolder, task: Task, texts: Mapping[str, str], root: Path) -> None:
    large: list[Path] = []
    if task.workdir:
        source = (root / Path(task.workdir).expanduser()).resolve()
        manifest, runs = run.path / "synced.json", run.path.parent.resolve()
        large += sync_code(source, run.home / SKY_WORKDIR, manifest, runs)
    large += mount(task.mounts, texts, root, run.home, workdir(task))
    note_copies(run, large)


def _with_values(variables: Mapping[str, str | None], section: str) -> dict[str, str]:
    """Each variable with its value, from this process's environment where the task has none."""
    known = environment() if None in variables.values() else {}
    filled = {
        name: known.get(name) if value is None else value for name, value in variables.items()
    }
    missing = [name for name, value in filled.items() if value is None]
    if missing:
        detail = f"{section}: {', '.join(missing)}"
        raise ExpiacError("A variable is not set", detail, f"export {missing[0]}=…")
    return {name: value for name, value in filled.items() if value is not None}
