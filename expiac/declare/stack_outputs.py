"""The outputs that a stack exports: names for outputs of its resources, which other stacks and `expiac output` use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from expiac.declare.resource import Ref, Resource
from expiac.declare.stack_reference import OUTPUT_NAME
from expiac.util.errors import ExpiacError, did_you_mean


def checked_outputs(stack: str, outputs: Mapping[str, Ref], resources: Sequence[Resource]) -> dict[str, Ref]:
    """The same; raises `ExpiacError` where a name or a value can't be one."""
    by_name = {resource.name: resource for resource in resources}
    return {name: _checked(stack, name, value, by_name) for name, value in outputs.items()}


def _checked(stack: str, name: str, value: object, resources: Mapping[str, Resource]) -> Ref:
    if not OUTPUT_NAME.fullmatch(name):
        raise ExpiacError("Invalid name", f"stack {stack}, output {name!r}: a name is letters, digits and '_', and no "
                          "digit first", 'such as outputs={"best": train.output("checkpoint")}')
    if name in resources:
        raise ExpiacError("Duplicate name", f"stack {stack}: {name!r} is an exported output and a resource",
                          "give one of the two another name")
    if not isinstance(value, Ref):
        raise ExpiacError("Invalid output", f"stack {stack}, output {name}: {value!r} is no output of a resource in it",
                          'such as outputs={"best": train.output("checkpoint")}')
    if value.resource not in resources:
        raise ExpiacError("Unknown dependency", f"stack {stack}, output {name}: {value.resource!r} is not in the stack",
                          did_you_mean(value.resource, resources))
    known = resources[value.resource].output_names()
    if known is not None and value.output not in known:
        raise ExpiacError("Unknown output", f"stack {stack}, output {name}: {value.resource} has no {value.output}",
                          did_you_mean(value.output, known))
    return value
