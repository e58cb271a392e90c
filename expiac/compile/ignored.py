"""Keeps what a resource ignores changes of: the declaration is taken as if it said what is recorded. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from expiac.declare.fields import Kind, kinds_of
from expiac.declare.job import AnyJob, Job, SkypilotJobConfig
from expiac.declare.resource import distinct_refs, each_text
from expiac.plan.diff import CONFIG, matches
from expiac.plan.model import MISSING
from expiac.state.events import Json

_NOT_RECORDED = ("file_mounts", "code")
"""Inputs of which the record has a digest only."""


def kept(inputs: Mapping[str, Any], recorded: Json, patterns: Sequence[str]) -> dict[str, Any]:
    """The inputs with the recorded value, or none, at each key path that a pattern means."""
    merged = {key: _merged("" if key == CONFIG else key, inputs.get(key, MISSING), recorded.get(key, MISSING), patterns)
              for key in {**inputs, **recorded}}
    return {key: value for key, value in merged.items() if value is not MISSING}


def document(inputs: Mapping[str, Any], recorded: Json, patterns: Sequence[str]) -> dict[str, Any]:
    """A training job's declared inputs, its config not composed yet, with the recorded values in them.

    What a record says of a config is composed: each Ref stands there as Hydra reads it.
    """
    refs = distinct_refs(dict(inputs))

    def as_refs(text: str) -> str:
        for ref in refs:
            text = text.replace(ref.interpolation, ref)
        return text

    composed = each_text(recorded.get(CONFIG, {}), as_refs)
    config = {**kept({CONFIG: inputs[CONFIG]}, {CONFIG: composed}, patterns)[CONFIG],
              "defaults": inputs[CONFIG]["defaults"]}
    return {**kept(inputs, {**recorded, CONFIG: inputs[CONFIG]}, patterns), CONFIG: config}


def placed(job: AnyJob, recorded: Json, patterns: Sequence[str]) -> AnyJob:
    """The job as it was placed and started, where a pattern means that."""
    said = {name: value for name, value in recorded.items() if name not in _NOT_RECORDED}
    names = [name for name, kind in kinds_of(SkypilotJobConfig).items() if kind is not Kind.OPTION]
    now = job.inputs()
    taken = kept(now, said, patterns)
    changed = {name: taken[name] if name in taken else getattr(SkypilotJobConfig(), name)
               for name in names if name not in _NOT_RECORDED and taken.get(name, MISSING) != now.get(name, MISSING)}
    if isinstance(job, Job) and "run" in changed:
        job = replace(job, run=changed.pop("run"))
    return replace(job, skypilot=replace(job.skypilot, **changed)) if changed else job


def _merged(path: str, declared: Any, recorded: Any, patterns: Sequence[str]) -> Any:
    if path and matches(path, patterns):
        return recorded
    if not isinstance(recorded, Mapping) or not (declared is MISSING or isinstance(declared, Mapping)):
        return declared
    said = declared if isinstance(declared, Mapping) else {}
    inner = {key: _merged(f"{path}.{key}" if path else str(key), said.get(key, MISSING), recorded.get(key, MISSING),
                          patterns) for key in {**said, **recorded}}
    merged = {key: value for key, value in inner.items() if value is not MISSING}
    return merged if merged else declared
