"""A setting's text as a value of its field's type. Knows types; nothing of keys, stacks or command lines.

Pydantic makes of the text what the type says (`4`, `false`, `1e-3`). Where the type leaves it open (`int | str`) or
the text does not fit, the text is read as JSON, or as YAML where it is a list or a mapping (`[a, b]`, `{a: 1}`).
OmegaConf is not used, since it chooses a type before it knows the field's (`12:30` becomes 750, `off` false); nor is
Hydra's override parser, which refuses plain texts (`a=b`, `echo $(date)`) and takes 0.1 s to import.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError


def parse_value(field_type: Any, text: str) -> Any:
    """The text as the type accepts it. Raises pydantic's `ValidationError` if it does not.

    The error is about the plain text, or about a part of the list or the mapping that the text is.
    """
    field: TypeAdapter[Any] = TypeAdapter(field_type)
    try:
        value = field.validate_python(text)
    except ValidationError as plain:
        about_a_part: ValidationError | None = None
        for reading in _readings(text):
            try:
                return field.validate_python(reading)
            except ValidationError as error:
                if about_a_part is None and all(problem["loc"] for problem in error.errors()):
                    about_a_part = error
        raise about_a_part or plain from None
    if isinstance(value, str) and value == text:
        return _value_other_than_text(field, text)
    return value


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
    try:
        yield json.loads(text)  # not YAML, in which `off`, `1e3` and `12:30` are not what they seem
    except ValueError:
        return


def _yaml_readings(text: str) -> Iterator[Any]:
    import yaml

    for loader in (yaml.SafeLoader, yaml.BaseLoader):  # the second leaves every part a text
        try:
            yield yaml.load(text, loader)
        except yaml.YAMLError:
            return
