"""Brings a launch about: its home with code and mounts first, and then, in one rename, the launch itself."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import expiac
from expiac.providers.base import Id, Inputs
from expiac.providers.local.environment import submitters
from expiac.providers.local.folder import RunFolder
from expiac.providers.local.job import Job
from expiac.providers.local.slots import Machine
from expiac.providers.local.status import LaunchReader, is_live
from expiac.providers.local.task import Task, parse
from expiac.providers.local.workdir import SKY_WORKDIR, inside, mount, sync_code
from expiac.util.errors import ExpiacError, Uncertain

PREPARE_TIMEOUT = 60.0
"""Seconds to wait for another process that brings about the same run."""


def read_task(inputs: Inputs, machine: Machine) -> Task:
    """The task, if this machine can ever carry it out."""
    if "task.yaml" not in inputs.texts:
        raise ExpiacError("Not a job", "the local backend runs jobs only")
    task = parse(inputs.texts["task.yaml"])
    for destination in task.mounts:
        inside(destination, workdir(task))
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
    return _filled({name: inputs.env.get(name, value) for name, value in task.secrets.items()}, "secrets")


def is_born(run: RunFolder, id: Id) -> bool:
    """Whether the launch exists; raises where the run is another lineage's."""
    for launch in run.launches():
        if (job := launch.job()) and job.lineage != id.lineage:
            raise ExpiacError("The run belongs to another checkout", f"{id.instance} in {run.path.parent}")
    return run.launch(id.launch).path.exists()


def describe(id: Id, inputs: Inputs, task: Task, machine: Machine, grace: float) -> Job:
    """The job as it will stand in the launch's folder."""
    env = {**submitters(os.environ), **_filled(task.envs, "envs"), **inputs.env,
           "EXPIAC_LINEAGE": id.lineage, "EXPIAC_INSTANCE": id.instance, "EXPIAC_LAUNCH": str(id.launch)}
    return Job(
        lineage=id.lineage, instance=id.instance, launch=id.launch, host=socket.gethostname(),
        nodes=task.nodes, cpus=task.nodes * task.cpus, gpus=task.gpus if machine.gpus else 0,
        workdir=workdir(task), setup=task.setup, run=task.run,
        env={name: value for name, value in env.items() if name not in task.secrets}, secrets=tuple(task.secrets),
        outputs=dict(inputs.outputs), grace=grace,
        python=sys.executable, package=str(Path(expiac.__path__[0]).parent),
        machine=str(machine.folder), machine_cpus=machine.cpus, machine_gpus=machine.gpus)


def bring_about(run: RunFolder, id: Id, job: Job, task: Task, texts: Mapping[str, str], root: Path) -> None:
    """Makes the launch exist, unless another process did meanwhile.

    A run has one home, so it has one launch at a time.
    """
    try:
        with run.prepared(PREPARE_TIMEOUT):
            if not is_born(run, id):
                _refuse_while_another_lives(run, id)
                _furnish(run, task, texts, root)
                run.publish(job)
    except TimeoutError as error:
        raise Uncertain("Another process is launching this run", str(error)) from error
    except OSError as error:
        if is_born(run, id):
            raise Uncertain("The launch may not outlast a loss of power", str(error)) from error
        raise


def _refuse_while_another_lives(run: RunFolder, id: Id) -> None:
    look = LaunchReader(run.path.parent)
    for launch in run.launches():
        if is_live(look.at(Id(id.lineage, id.instance, int(launch.path.name)))):
            raise ExpiacError("An earlier launch is still alive", f"{id.instance}, launch {launch.path.name}")


def _furnish(run: RunFolder, task: Task, texts: Mapping[str, str], root: Path) -> None:
    if task.workdir:
        source = (root / Path(task.workdir).expanduser()).resolve()
        sync_code(source, run.home / SKY_WORKDIR, run.path / "synced.json", run.path.parent.resolve())
    mount(task.mounts, texts, root, run.home, workdir(task))


def _filled(variables: Mapping[str, str | None], section: str) -> dict[str, str]:
    """Each variable with its value, from this process's environment where the task has none."""
    filled = {name: os.environ.get(name) if value is None else value for name, value in variables.items()}
    missing = [name for name, value in filled.items() if value is None]
    if missing:
        raise ExpiacError("A variable is not set", f"{section}: {', '.join(missing)}", f"export {missing[0]}=…")
    return {name: value for name, value in filled.items() if value is not None}
