"""Makes of one resource what planning compares. A kind of resource that needs more registers a compiler of its own.

The compiler here is that of all resources which only have inputs; `jobs` has those of jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, singledispatch
from typing import Any, Generic, TypeVar

from expiac.compile.compiled import Compiled
from expiac.compile.composed import Composed
from expiac.compile.context import StackContext
from expiac.compile.ignored import merge_recorded
from expiac.declare.fields import Kind
from expiac.declare.options import Options
from expiac.declare.resource import REF, Ref, Resource, distinct_refs
from expiac.declare.stack import dependencies
from expiac.declare.stack_reference import STACK_REF, distinct_stack_refs
from expiac.plan.identity import identity_digest
from expiac.plan.model import Desired
from expiac.state.events import Json
from expiac.state.facts import Reference
from expiac.util.errors import ExpiacError
from expiac.util.hashing import exact

R = TypeVar("R", bound=Resource)
_REF, _STACK_REF = REF.encode(), STACK_REF.encode()


class ResourceCompiler(Generic[R]):
    """Compiles one resource. The methods are the answers that differ from one kind of resource to another."""

    def __init__(self, resource: R, context: StackContext) -> None:
        self.resource, self.context = resource, context
        self.recorded = context.recorded_inputs(resource)
        """The recorded inputs, of which the resource ignores some changes; mostly none."""

    @cached_property
    def declared_inputs(self) -> dict[str, Any]:
        """The inputs before anything is composed, with each Ref as it was written."""
        return self.resource.inputs()

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The outputs of other stacks among its inputs, as they are found. An error names this resource."""
        return self._find_outputs(self.declared_inputs) if _STACK_REF in self.exact_inputs else ()

    @cached_property
    def exact_inputs(self) -> bytes:
        """All inputs in one, to be compared. Most resources refer to nothing, and it shows that at once."""
        return exact(self.declared_inputs)

    def _find_outputs(self, inputs: Json, known: tuple[Reference, ...] = ()) -> tuple[Reference, ...]:
        """The references that are known, and those that the inputs have besides."""
        texts = {one.text for one in known}
        try:
            found = [self.context.output_at(ref) for ref in distinct_stack_refs(inputs) if ref not in texts]
        except ExpiacError as error:
            raise ExpiacError(error.summary, f"{self.resource.name}: {error.detail}", error.hint) from error
        return (*known, *found)

    @cached_property
    def config_text(self) -> str | None:
        """The rendered training config; None if it has none."""
        return None

    @property
    def is_composed(self) -> bool:
        """Whether Hydra composes its training config."""
        return False

    def output_names(self) -> frozenset[str] | None:
        """The outputs that others may refer to; None if only its provider knows them."""
        return self.resource.output_names()

    @cached_property
    def refs(self) -> tuple[Ref, ...]:
        """Every Ref among its inputs."""
        return distinct_refs(self.declared_inputs) if _REF in self.exact_inputs else ()

    def declaration(self) -> bytes:
        """All that rendering, composing and the digest depend on, besides what all jobs of a stack share.

        Empty where that can't be told; the resource is then compiled each time.
        """
        return b""

    def compile(self, composed: Composed | None, known: Compiled | None = None) -> Desired:
        """The resource as planning sees it; `composed` is its composed training config.

        Where it is `known` what it is compiled to, that is not done again.
        """
        resource, refs = self.resource, self.refs
        provider, kinds = self.provider(), self.kinds()
        inputs = self.inputs(composed)
        texts = self.texts() if known is None else known.texts
        if self.recorded:
            inputs = merge_recorded(inputs, self.recorded, resource.options.ignore_changes)
        # What is known refers to no other stack: what that would mean changes.
        references = self._find_outputs(inputs, self.references) if known is None else ()
        digest = identity_digest(resource.type, inputs, kinds, refs, references) if known is None else known.digest
        outputs = self.outputs(composed) if known is None else known.outputs
        return Desired(
            address=resource.name, type=resource.type, provider=provider, inputs=inputs, kinds=kinds,
            digest=digest, texts=texts, outputs=outputs, depends_on=dependencies(resource, refs), refs=refs,
            references=references, completes=resource.completes, mounts=self.mounts(), git_check=self.git_check(),
            options=self.options(), settings=self.own_settings(), env=self.env())

    def provider(self) -> str:
        """The name of the provider that makes it."""
        return self.resource.provider or self.resource.type

    def kinds(self) -> Mapping[str, Kind]:
        """What kind of thing each input is."""
        return self.resource.kinds()

    def inputs(self, composed: Composed | None) -> Json:
        """What is compared and recorded."""
        return self.declared_inputs

    def own_settings(self) -> Json | None:
        """What the program itself sets of its inputs, as a plan shows it; None if that is all of them."""
        return None

    def texts(self) -> Mapping[str, str]:
        """The rendered files by name."""
        return {}

    def outputs(self, composed: Composed | None) -> Mapping[str, str]:
        """Where each declared output will be."""
        return self.resource.output_paths()

    def mounts(self) -> Mapping[str, str]:
        """The files and folders here that go along, by target."""
        return {}

    def options(self) -> Options:
        """How it is to be treated."""
        return self.resource.options

    def env(self) -> Mapping[str, str]:
        """What its launch adds to the environment."""
        return {}

    def git_check(self) -> bool:
        """Whether it must not be launched from a tree that is not committed and pushed."""
        return False


@singledispatch
def compiler_of(resource: Resource, context: StackContext) -> ResourceCompiler[Any]:
    """The compiler that is registered for the class of the resource, or for the nearest of its bases."""
    return ResourceCompiler(resource, context)
