"""Keeps what a resource ignores changes of: the declaration is taken as if it said what is recorded. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expiac.declare.fields import Kind, kinds_of
from expiac.declare.job import SkypilotJobConfig
from expiac.declare.resource import map_texts
from expiac.declare.stack_reference import any_refs
from expiac.plan.diff import matches
from expiac.plan.kinds import CONFIG
from expiac.plan.model import MISSING
from expiac.state.events import Json

_NOT_RECORDED = ("file_mounts", "code")
"""Inputs of which the record has a digest only."""


def merge_recorded(inputs: Mapping[str, Any], recorded: Json, patterns: Sequence[str]) -> dict[str, Any]:
    """The inputs with the recorded value, or none, at each key path that a pattern matches."""
    merged = {}
    for key in {**inputs, **recorded}:
        path = "" if key == CONFIG else key
        declared, before = inputs.get(key, MISSING), recorded.get(key, MISSING)
        merged[key] = _merge_value(path, declared, before, patterns)
    return {key: value for key, value in merged.items() if value is not MISSING}


def merge_recorded_config(inputs: Mapping[str, Any], recorded: Json, patterns: Sequence[str]) -> dict[str, Any]:
    """A training job's declared inputs, its config not composed yet, with the recorded values in them.

    What a record says of a config is composed: each Ref stands there as Hydra reads it.
    """
    refs = any_refs(inputs)

    def as_refs(text: str) -> str:
        for ref in refs:
            text = text.replace(ref.interpolation, ref)
        return text

    declared = inputs[CONFIG]
    before = map_texts(recorded.get(CONFIG, {}), as_refs)
    config = merge_recorded({CONFIG: declared}, {CONFIG: before}, patterns)[CONFIG]
    others = merge_recorded(inputs, {**recorded, CONFIG: declared}, patterns)
    return {**others, CONFIG: {**config, "defaults": declared["defaults"]}}


def recorded_placement(inputs: Mapping[str, Any], recorded: Json, patterns: Sequence[str]) -> dict[str, Any]:
    """The fields of a job's placement, and its command, whose recorded values stand in place of the declared ones."""
    comparable = {name: value for name, value in recorded.items() if name not in _NOT_RECORDED}
    merged = merge_recorded(inputs, comparable, patterns)
    defaults = SkypilotJobConfig()
    return {name: merged.get(name, getattr(defaults, name)) for name in _placement_fields()
            if merged.get(name, MISSING) != inputs.get(name, MISSING)}


def _placement_fields() -> list[str]:
    """The fields of a placement that are inputs, and of which the record has the value itself."""
    kinds = kinds_of(SkypilotJobConfig)
    return [name for name, kind in kinds.items() if kind is not Kind.OPTION and name not in _NOT_RECORDED]


def _merge_value(path: str, declared: Any, recorded: Any, patterns: Sequence[str]) -> Any:
    if path and matches(path, patterns):
        return recorded
    if not isinstance(recorded, Mapping) or not (declared is MISSING or isinstance(declared, Mapping)):
        return declared
    fields = declared if isinstance(declared, Mapping) else {}
    merged = {}
    for key in {**fields, **recorded}:
        inner = f"{path}.{key}" if path else str(key)
        merged[key] = _merge_value(inner, fields.get(key, MISSING), recorded.get(key, MISSING), patterns)
    present = {key: value for key, value in merged.items() if value is not MISSING}
    return present if present else declared
