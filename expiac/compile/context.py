"""What the resources of one stack share while they are compiled: the project, its templates and its files.

Reads each template, each mounted file and the working tree at most once, and only when a resource needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expiac.compile.compiled import code_salt
from expiac.compile.content import content_of, tree_digest
from expiac.compile.run_addresses import Address, Elsewhere
from expiac.compile.schema import Schema
from expiac.compile.schema_kinds import schema_kinds
from expiac.compile.templates import template_texts
from expiac.compile.wandb_names import wandb_names
from expiac.declare.config import ConfigReader
from expiac.declare.fields import Kind
from expiac.declare.project import Project
from expiac.declare.resource import Resource
from expiac.declare.stack import Stack
from expiac.declare.stack_reference import StackRef
from expiac.declare.training import TRAINING_KINDS
from expiac.plan.kinds import CONFIG
from expiac.providers.backends import backend_of
from expiac.providers.registry import Providers
from expiac.state.events import Json
from expiac.state.facts import Reference
from expiac.state.model import Record
from expiac.util.errors import ExpiacError
from expiac.util.hashing import digest

if TYPE_CHECKING:
    from expiac.util.render import Templates


class StackContext:
    """One stack of one project, and what is recorded of it."""

    def __init__(
        self, stack: Stack, project: Project, records: Mapping[str, Record], providers: Providers,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.project, self.providers, self._elsewhere = project, providers, elsewhere
        self._stack, self._records = stack, records
        self._names = {resource.name for resource in stack.resources}
        self._content: dict[str, str] = {}
        self._folders: dict[str, bool] = {}
        self._backends: dict[str, str] = {}
        self._of_type: dict[str, StackContext] = {}
        self.configs = ConfigReader()
        """The configs of the jobs as data, each read once."""

    def of_resource(self, type: str) -> StackContext:
        """The context in which a resource of this type is compiled, the same for all of the type."""
        if type not in self._of_type:
            own = self.project.of_resource(type)
            self._of_type[type] = self if own is self.project else StackContext(
                self._stack, own, self._records, self.providers, self._elsewhere)
        return self._of_type[type]

    def recorded_inputs(self, resource: Resource) -> Json:
        """The inputs of its record, under this name or an earlier one; none if it ignores no changes."""
        if not resource.options.ignore_changes:
            return {}
        earlier = (name for name in resource.options.aliases if name not in self._names)
        names = (resource.name, *earlier)
        return next((self._records[name].inputs for name in names if name in self._records), {})

    def render(self, template: str, document: Mapping[str, Any], job: str) -> str:
        """The document of a job as the text that a template of the project makes of it."""
        return self._templates.render(template, document, job=job, stack=self._stack.name)

    def run_at(self, address: str) -> Address:
        """The run that an address in a training config names."""
        if self._elsewhere is None:
            raise ExpiacError("No such run", f"{address}: no state is known here")
        return self._elsewhere.find_run(address)

    def output_at(self, ref: StackRef) -> Reference:
        """The value of an output of another stack."""
        if ref.stack == self._stack.name:
            of_itself = f'{ref.resource or "job"}.output("{ref.output}")'
            raise ExpiacError("Reference to itself", f"{ref.said} is an output of this very stack",
                              f"{of_itself} of the resource itself, which is a Ref")
        if self._elsewhere is None:
            raise ExpiacError("No such stack", f"{ref.said}: no state is known here")
        return self._elsewhere.find_output(ref)

    def content_of(self, job: str, source: str) -> str:
        """What a mount of this source is compared by; jobs often share a data set, and it is read once."""
        if source not in self._content:
            self._content[source] = content_of(self.project.root, job, source)
        return self._content[source]

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at the path, from the project's root."""
        if path not in self._folders:
            self._folders[path] = (self.project.root / Path(path).expanduser()).is_dir()
        return self._folders[path]

    def backend_of(self, job: str, infra: str) -> str:
        """The name of the backend that runs the job."""
        if infra not in self._backends:
            self._backends[infra] = backend_of(job, infra, self.providers)
        return self._backends[infra]

    @cached_property
    def code(self) -> str:
        """The digest of the working tree."""
        return tree_digest(self.project.root)

    @cached_property
    def wandb_names(self) -> Mapping[str, str]:
        """The variables of Weights & Biases that all jobs of the project get."""
        return wandb_names(self.project.root)

    @cached_property
    def schema(self) -> Schema:
        """The schema of the project's training configs."""
        return Schema(self.project)

    @cached_property
    def config_kinds(self) -> Mapping[str, Kind]:
        """The kinds of fields of training configs, as inputs name them: what the schema says, and then the project."""
        of_schema = schema_kinds(self.schema.node) if self.project.schema else {}
        of_project = {path: Kind(word) for path, word in self.project.training.kinds.items()}
        return {f"{CONFIG}.{path}": kind for path, kind in (of_schema | of_project).items()}

    @property
    def stack_name(self) -> str:
        """The name of the stack."""
        return self._stack.name

    @cached_property
    def salt(self) -> str:
        """What all jobs are compiled with: the stack's name, the project, its templates, and the code."""
        return digest([self._stack.name, repr(self.project), self._template_texts, code_salt()])

    @cached_property
    def kinds_salt(self) -> bytes:
        """The kinds of fields of training configs, for comparison."""
        return digest({path: kind.value for path, kind in self.config_kinds.items()}).encode()

    @cached_property
    def training_kinds(self) -> Mapping[str, Kind]:
        """The kinds of inputs of training jobs of no class of someone's own."""
        return {**TRAINING_KINDS, **self.config_kinds}

    @cached_property
    def _templates(self) -> Templates:
        from expiac.util.render import Templates  # imports jinja2

        return Templates(self._template_texts)

    @cached_property
    def _template_texts(self) -> dict[str, str]:
        return template_texts(self.project)
