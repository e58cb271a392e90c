"""Turns a stack into what planning compares: each resource is compiled, all training configs are composed together.

Decides nothing, and knows no kind of resource.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from expiac.compile import jobs as jobs  # registers the compilers of jobs
from expiac.compile.compiled import Compiled, CompiledJobs, compiled
from expiac.compile.compiler import ResourceCompiler, compiler_of
from expiac.compile.compose import Composer, is_composed
from expiac.compile.composed import Composed
from expiac.compile.context import StackContext
from expiac.compile.run_addresses import Elsewhere
from expiac.declare.project import Project
from expiac.declare.resource import Ref
from expiac.declare.stack import Stack
from expiac.plan.model import Desired
from expiac.providers.registry import Providers
from expiac.state.model import Record
from expiac.util.errors import ExpiacError, did_you_mean

Compilers = Mapping[str, ResourceCompiler[Any]]
"""By resource name, in the stack's order."""


def desired(
    stack: Stack, project: Project, records: Mapping[str, Record] | None = None,
    providers: Providers | None = None, elsewhere: Elsewhere | None = None,
) -> tuple[Desired, ...]:
    """Every resource of the stack as planning sees it, in the stack's order.

    `records` is what resources that ignore changes go by; `providers` are those of the project if none are given.
    `elsewhere` finds runs and outputs of other stacks.
    """
    context = StackContext(stack, project, records or {}, providers or Providers(project), elsewhere)
    compilers = {resource.name: compiler_of(resource, context) for resource in stack.resources}
    wanted = _compile_all(compilers, project, context)
    needed: dict[str, dict[str, None]] = defaultdict(dict)
    _refuse_unknown_outputs(f"an output of {stack.name}", stack.outputs.values(), compilers)
    for ref in (*(ref for want in wanted for ref in want.refs), *stack.outputs.values()):
        needed[ref.resource][ref.output] = None
    trials = stack.trials
    return tuple(replace(want, needed=tuple(needed.get(want.address, ())), trial=trials.get(want.address, {}))
                 if want.address in needed or want.address in trials else want for want in wanted)


def config_texts(compilers: Compilers) -> dict[str, str]:
    """The rendered config of each job whose Hydra composes it, by its name."""
    texts = {name: compiler.config_text for name, compiler in compilers.items() if compiler.is_composed}
    return {name: text for name, text in texts.items() if text is not None}


def _compile_all(compilers: Compilers, project: Project, context: StackContext) -> list[Desired]:
    composer = Composer(project)
    memory = CompiledJobs(project.state_folder, context.stack_name, context.salt, composer.digest_of,
                          jobs=len(compilers))
    declarations = {name: compiler.declaration() for name, compiler in compilers.items()} if memory.is_on else {}
    known = {name: found for name, text in declarations.items() if (found := memory.find(text))}
    composed = _compose({name: compiler for name, compiler in compilers.items() if name not in known},
                        context, composer)
    wanted = []
    for name in compilers:
        want = _compile(name, compilers, composed.get(name), known.get(name))
        is_whole = name in composed or not compilers[name].is_composed
        if name not in known and is_whole and not want.references:
            memory.add(declarations.get(name, b""), compiled(want, composed.get(name)))
        wanted.append(want)
    memory.save()
    return wanted


def _compose(compilers: Compilers, context: StackContext, composer: Composer) -> Mapping[str, Composed]:
    """Every config, those of one context together: an evaluation has another schema than a training."""
    found: dict[str, Composed] = {}
    for own in {id(compiler.context): compiler.context for compiler in compilers.values()}.values():
        texts = config_texts({name: compiler for name, compiler in compilers.items() if compiler.context is own})
        if texts and is_composed(own.project):
            found |= (composer if own is context else Composer(own.project)).compose(texts)
    return found


def _compile(name: str, compilers: Compilers, composed: Composed | None, known: Compiled | None) -> Desired:
    if known is not None and known.config is not None:
        composed = Composed(known.config, {}, known.files)
    want = compilers[name].compile(composed, known)
    _refuse_unknown_outputs(name, want.refs, compilers)
    return want


def _refuse_unknown_outputs(who: str, refs: Iterable[Ref], compilers: Compilers) -> None:
    for ref in refs:
        known = compilers[ref.resource].output_names()
        if known is not None and ref.output not in known:
            raise ExpiacError("Unknown output", f"{who} refers to {ref.resource}.{ref.output}",
                              did_you_mean(ref.output, known))
