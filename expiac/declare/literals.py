"""A setting's text as a value of its field's type. Knows types; nothing of keys, stacks or command lines.

Pydantic makes of the text what the type says (`4`, `false`, `1e-3`). Where the type leaves it open (`int | str`) or
the text does not fit, the text is read as JSON (and `None` as null), or as YAML where it is a list or a mapping
(`[a, b]`, `{a: 1}`; also without its brackets, for a list: `a,b`). What is still no value is read by Hydra's override
parser: `{a:1}`, `range(1,4)`, `'4'`. That parser is the last to be asked, since it refuses plain texts (`a=b`, `echo
$(date)`), takes 0.1 s to import, and would make other values of texts that mean something already (`1_000`, `a,b`).
OmegaConf is not used, since it chooses a type before it knows the field's (`12:30` becomes 750, `off` false).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from pydantic import TypeAdapter, ValidationError

_NULL = ("null", "None")


def parse_as_any(types: Sequence[Any], text: str) -> Any:
    """The text as the first of the types that accepts it; raises what is said of the first type if none does."""
    refusals: list[ValidationError] = []
    for field_type in types:
        try:
            return parse_value(field_type, text)
        except ValidationError as error:
            refusals.append(error)
    raise refusals[0]


def parse_value(field_type: Any, text: str) -> Any:
    """The text as the type accepts it. Raises pydantic's `ValidationError` if it does not.

    The error is about the plain text, or about a part of the list or the mapping that the text is.
    """
    field = _adapter_of(field_type)
    try:
        value = field.validate_python(text)
    except ValidationError as refusal:
        return _first_accepted(field, text, refusal)
    if isinstance(value, str) and value == text:
        return _value_other_than_text(field, text)
    return value


def _adapter_of(field_type: Any) -> TypeAdapter[Any]:
    try:
        return _known_adapter(field_type)
    except TypeError:  # a type that can't be hashed
        return TypeAdapter(field_type)


@lru_cache(maxsize=256)
def _known_adapter(field_type: Any) -> TypeAdapter[Any]:
    return TypeAdapter(field_type)


def _first_accepted(field: TypeAdapter[Any], text: str, refusal: ValidationError) -> Any:
    """The first reading of the text that the type accepts."""
    closest: ValidationError | None = None
    for reading in chain(_readings(text), _list_readings(text), _hydra_readings(text)):
        try:
            return field.validate_python(reading)
        except ValidationError as error:
            if closest is None and _is_about_parts(error, reading):
                closest = error
    raise closest or refusal


def _is_about_parts(error: ValidationError, reading: Any) -> bool:
    """Whether a list or a mapping is what the type wants, and only what it holds is wrong."""
    return isinstance(reading, list | dict) and all(
        problem["loc"] and (problem["type"] == "missing" or problem["input"] != reading) for problem in error.errors())


def _value_other_than_text(field: TypeAdapter[Any], text: str) -> Any:
    """For a type that takes text and more, such as `int | str`: `4` is a number if the type allows numbers."""
    for reading in _readings(text):
        try:
            value = field.validate_python(reading)
        except ValidationError:
            continue
        if type(value) is type(reading):
            return value
    return text


def _readings(text: str) -> Iterator[Any]:
    """What the text may stand for besides itself."""
    if text[:1] in ("[", "{"):
        yield from _yaml_readings(text)
        return
    if text in _NULL:
        yield None
        return
    try:
        yield json.loads(text)  # not YAML, in which `off`, `1e3` and `12:30` are not what they seem
    except ValueError:
        return


def _list_readings(text: str) -> Iterator[list[Any]]:
    """The text as a list without its brackets, or in parentheses: `0.1,0.2`, `(0.1, 0.2)`."""
    import yaml

    is_in_parentheses = text.startswith("(") and text.endswith(")")
    inner = text[1:-1] if is_in_parentheses else text
    if not inner or inner[0] in "[{" or "(" in inner or text in _NULL:
        return
    try:
        texts = yaml.load(f"[{inner}]", yaml.BaseLoader)
    except yaml.YAMLError:
        return
    yield [_number_or_text(item) for item in texts]
    yield texts


def _number_or_text(item: Any) -> Any:
    """A number, true, false or null of JSON; any other text as it is."""
    try:
        return json.loads(item) if isinstance(item, str) else item
    except ValueError:
        return item


def _yaml_readings(text: str) -> Iterator[Any]:
    import yaml

    try:
        typed, texts = yaml.load(text, yaml.SafeLoader), yaml.load(text, yaml.BaseLoader)
    except yaml.YAMLError:
        return
    if _has_joined_pairs(typed):
        yield from _hydra_readings(text)
    else:
        yield typed
    yield _split_pairs(texts)


def _has_joined_pairs(value: Any) -> bool:
    """Whether YAML took a pair for a key, since no space follows its colon: `{a:1}`."""
    if isinstance(value, list):
        return any(_has_joined_pairs(item) for item in value)
    return isinstance(value, dict) and any(
        _is_joined_pair(key, item) or _has_joined_pairs(item) for key, item in value.items())


def _split_pairs(value: Any) -> Any:
    """The value, in which every part is a text, with the pairs that YAML took for keys."""
    if isinstance(value, list):
        return [_split_pairs(item) for item in value]
    if not isinstance(value, dict):
        return value
    pairs = (key.partition(":")[::2] if _is_joined_pair(key, item) else (key, item) for key, item in value.items())
    return {key: _split_pairs(item) for key, item in pairs}


def _is_joined_pair(key: Any, item: Any) -> bool:
    return isinstance(key, str) and ":" in key and item in (None, "")


def _hydra_readings(text: str) -> Iterator[Any]:
    """The text as Hydra reads it on its command line: with casts, quotes and ranges; several values are a list."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Transformer
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(f"value={text}")
        is_several = override.is_sweep_override()
        value = list(override.sweep_iterator(Transformer.identity)) if is_several else override.value()
    except HydraException:
        return
    if not isinstance(value, bool):  # pydantic reads those itself, and would make a number of them
        yield value
