"""Names a run: what it is decides its fingerprint, and with its lineage and attempt its instance name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from expiac.declare.fields import Kind
from expiac.declare.resource import Ref
from expiac.plan.kinds import identity_part
from expiac.plan.references import ref_of, results
from expiac.state.facts import Reference
from expiac.util.hashing import canonical, digest


def identity_digest(type_: str, inputs: Mapping[str, Any], kinds: Mapping[str, Kind], refs: Sequence[Ref] = (),
                    references: Sequence[Reference] = ()) -> str:
    """The digest of what decides a result: the type and the inputs of kind identity.

    A Ref counts by its place among `refs`, so that a resource may be renamed without a new run of what refers to it,
    and so does an output of another stack among `references`.
    """
    text = canonical([type_, identity_part(inputs, kinds)])
    places = {name: place for place, name in enumerate(dict.fromkeys(ref.resource for ref in refs))}
    for ref in refs:
        for said in (ref, ref.interpolation):
            text = text.replace(said, f"${{ref:{places[ref.resource]}.{ref.output}}}")
    elsewhere = {name: place for place, name in enumerate(results(references))}
    for one in references:
        for said in (one.text, ref_of(one).interpolation):
            text = text.replace(said, f"${{stack:{elsewhere[f'{one.stack}.{one.resource}']}:{one.output}}}")
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(own: str, upstream: Sequence[str]) -> str:
    """A digest together with the instances of the runs it refers to: a new upstream run means a new dependent."""
    return digest([own, list(upstream)])[:32] if upstream else own[:32]


def instance_name(stack: str, address: str, lineage: str, fingerprint: str, attempt: int) -> str:
    """`<stack>.<address>.<8 hex>`: the same as folder, backend job name and W&B run id, so with `.` in place of `/`."""
    name = address.replace("/", ".")
    return f"{stack}.{name}.{digest([lineage, address, fingerprint, attempt])[:8]}"


def address_in(instance: str, stack: str) -> str:
    """The address at which the run of this name was first launched."""
    return instance.removeprefix(f"{stack}.").rpartition(".")[0].replace(".", "/")
