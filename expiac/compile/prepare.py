"""Turns a stack into what planning compares: renders it, composes it, and hashes what decides each result.

Reads templates, configs and mounted files. Decides nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from expiac.compile import ignored as ignoring
from expiac.compile.compose import Composed, Composer
from expiac.compile.task import CONFIG_FILE, in_hydra, task
from expiac.compile.templates import templates
from expiac.declare.job import AnyJob, Job, TrainingJob
from expiac.declare.project import Project
from expiac.declare.resource import Ref, Resource, distinct_refs
from expiac.declare.stack import Stack, dependencies
from expiac.plan.identity import DATA_DIR, identity_digest
from expiac.plan.model import Desired
from expiac.state.events import Json
from expiac.state.model import Record
from expiac.util.errors import ExpiacError, did_you_mean
from expiac.util.git import GitFailed, run_git
from expiac.util.render import Templates

TASK_FILE = "task.yaml"
_EXPERIMENT, _TASK = "experiment.yaml.j2", "task.yaml.j2"


def desired(stack: Stack, project: Project, recorded: Mapping[str, Record] | None = None) -> tuple[Desired, ...]:
    """Every resource of the stack as planning sees it, in the stack's order.

    `recorded` is what resources that ignore changes go by.
    """
    preparation = _Preparation(stack, project, recorded or {})
    composed = preparation.compose()
    return tuple(preparation.desired(resource, composed.get(resource.name)) for resource in stack.resources)


class _Preparation:
    """What the resources of one stack have in common."""

    def __init__(self, stack: Stack, project: Project, recorded: Mapping[str, Record]) -> None:
        self.stack, self.project, self.recorded = stack, project, recorded
        self._mounted: dict[str, str] = {}
        self.by_name = {resource.name: resource for resource in stack.resources}
        self.inputs = {resource.name: self._declared(resource) for resource in stack.resources}
        jobs = [resource for resource in stack.resources if isinstance(resource, Job | TrainingJob)]
        # A stack without jobs needs no templates, and so no project around it.
        self.templates = templates(project) if jobs else Templates({})
        self.configs = {job.name: self._render(_EXPERIMENT, in_hydra(self.inputs[job.name]["config"]), job)
                        for job in jobs if isinstance(job, TrainingJob)}

    def _recorded(self, resource: Resource) -> Json:
        """The inputs of its record, under this name or an earlier one; none where nothing is ignored."""
        if not resource.options.ignore_changes:
            return {}
        names = (resource.name, *(name for name in resource.options.aliases if name not in self.by_name))
        return next((self.recorded[name].inputs for name in names if name in self.recorded), {})

    def _declared(self, resource: Resource) -> dict[str, Any]:
        recorded = self._recorded(resource)
        if not recorded or not isinstance(resource, TrainingJob):
            return resource.inputs()
        return ignoring.document(resource.inputs(), recorded, resource.options.ignore_changes)

    def compose(self) -> Mapping[str, Composed]:
        if not self.project.schema or not self.configs:
            return {}
        return Composer(self.project).compose(self.configs)

    def desired(self, resource: Resource, composed: Composed | None) -> Desired:
        inputs, kinds, outputs = self.inputs[resource.name], resource.kinds(), resource.output_paths()
        refs = distinct_refs(inputs)
        texts: dict[str, str] = {}
        provider = resource.provider or resource.type
        recorded, ignored = self._recorded(resource), resource.options.ignore_changes
        if recorded and isinstance(resource, Job | TrainingJob):
            resource = ignoring.placed(resource, recorded, ignored)
        if isinstance(resource, Job | TrainingJob):
            infra = resource.skypilot.infra or self.project.backend
            provider = infra if infra in ("local", "memory") else "skypilot"
            run = resource.run if isinstance(resource, Job) else resource.skypilot.run or self.project.run
            if isinstance(resource, TrainingJob):
                given = composed.outputs if composed is not None else self.project.outputs
                folder = resource.skypilot.data_dir or self.project.data_dir
                outputs = {name: os.path.normpath(path.replace(DATA_DIR, folder)) if "://" not in path else path
                           for name, path in given.items()}
            inputs = {**inputs, "infra": infra, "run": run, **self._content(resource)}
            texts = self._texts(resource, run, infra)
            if composed is not None:
                inputs["config"] = composed.config
        self._refuse_unknown_outputs(resource.name, refs)
        if recorded:
            inputs = ignoring.kept(inputs, recorded, ignored)
        return Desired(
            resource.name, resource.type, provider, inputs, kinds,
            identity_digest(resource.type, inputs, kinds, refs), texts, outputs,
            dependencies(resource, refs), refs, resource.completes, options=resource.options, **_asks(resource))

    def _texts(self, job: AnyJob, run: str, infra: str) -> dict[str, str]:
        has_config = isinstance(job, TrainingJob)
        document = task(job.skypilot, run, infra, self.project, has_config=has_config)
        if left := distinct_refs(document):
            raise ExpiacError("Ref out of place", f"{job.name}: {left[0]}",
                              "an output can stand in run, setup, envs and the training config")
        texts = {TASK_FILE: self._render(_TASK, document, job)}
        return texts | {CONFIG_FILE: self.configs[job.name]} if has_config else texts

    def _render(self, template: str, document: Mapping[str, Any], job: AnyJob) -> str:
        return self.templates.render(template, document, job=job.name, stack=self.stack.name)

    def _refuse_unknown_outputs(self, name: str, refs: Sequence[Ref]) -> None:
        for ref in refs:
            if isinstance(self.by_name[ref.resource], TrainingJob) and ref.output not in self.project.outputs:
                raise ExpiacError("Unknown output", f"{name} refers to {ref.resource}.{ref.output}",
                                  did_you_mean(ref.output, self.project.outputs))

    def _refuse_missing_workdir(self, job: AnyJob) -> None:
        workdir, root = job.skypilot.workdir, self.project.root
        if workdir is not None and "://" not in workdir and not (root / Path(workdir).expanduser()).is_dir():
            raise ExpiacError("No such workdir", f"{job.name}: {workdir} (looked in {root})",
                              "a folder, from the project's root, or workdir=None for none")

    def _content(self, job: AnyJob) -> dict[str, Any]:
        """Mounts by target and content, and the working tree where the job pins it: a path says nothing."""
        self._refuse_missing_workdir(job)
        sources = job.skypilot.file_mounts
        here = {source for source in sources.values() if isinstance(source, str)}
        for source in here - self._mounted.keys():  # jobs often share a data set: it is read once
            self._mounted[source] = content_of(self.project.root, job.name, source)
        mounts = {target: self._mounted[source] if isinstance(source, str) else source
                  for target, source in sources.items()}
        content: dict[str, Any] = {"file_mounts": mounts} if mounts else {}
        if job.pin_code:
            content["code"] = self._code
        return content

    @cached_property
    def _code(self) -> str:
        return tree_digest(self.project.root)


def _asks(resource: Resource) -> dict[str, Any]:
    """What a launch needs to be seen to just before it."""
    if not isinstance(resource, Job | TrainingJob):
        return {}
    where = resource.skypilot
    here = {target: source for target, source in where.file_mounts.items() if isinstance(source, str)}
    return {"mounts": here, "git_check": where.git_check}


def content_of(root: Path, job: str, source: str) -> str:
    """What a mount of this source is compared by: the digest of a file or folder here, the address of what is not."""
    if "://" in source:
        return source
    path = root / Path(source).expanduser()
    if path.is_file():
        return _hash([path], path.parent)
    if path.is_dir():
        return _hash((file for file in sorted(path.rglob("*")) if file.is_file()), path)
    raise ExpiacError("No such file to mount", f"{job}: {source} (looked in {root})")


def tree_digest(root: Path) -> str:
    """The content of every tracked and untracked, not ignored file of a git working tree."""
    try:
        listed = run_git(root, "ls-files", "-coz", "--exclude-standard", timeout=60)
    except GitFailed as error:
        raise ExpiacError("Code can't be pinned", f"{root} is no git working tree: {error}") from error
    names = sorted(name for name in listed.decode(errors="surrogateescape").split("\0") if name)
    return _hash((root / name for name in names if (root / name).is_file()), root)


def _hash(files: Iterable[Path], base: Path) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(str(file.relative_to(base)).encode(errors="surrogateescape") + b"\0")
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:32]
