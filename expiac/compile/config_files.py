"""The training config of a job as what the job reads: a text in its format, or arguments of its command. Pure."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from expiac.declare.resource import distinct_refs
from expiac.declare.stack_reference import any_refs, replace_any_refs
from expiac.declare.training_settings import ConfigFormat
from expiac.util.errors import ExpiacError

CONFIG_STEM = "config"
CONFIG_TEMPLATES: Mapping[ConfigFormat, str] = {"hydra": "experiment.yaml.j2", "yaml": "config.yaml.j2"}
"""The formats that a template renders; a library writes the others."""


def config_file(format: ConfigFormat) -> str | None:
    """The name under which a rendered config travels; None where it is written into the command."""
    if format == "args":
        return None
    return f"{CONFIG_STEM}.{'yaml' if format == 'hydra' else format}"


def write_config(format: ConfigFormat, config: Mapping[str, Any], job: str) -> str:
    """The config as JSON or TOML."""
    if format == "json":
        return json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    import tomli_w

    for path, value in _leaves(config):
        if value is None:
            raise ExpiacError("No null in TOML", f"{job}: {path} is None, which a TOML file can't say",
                              'leave it out, or [tool.expiac.training] format = "yaml"')
    text = tomli_w.dumps(config)
    tomllib.loads(text)
    return text


def refuse_refs(format: ConfigFormat, config: Mapping[str, Any], job: str) -> None:
    """Raises `ExpiacError` if a file is to hold an output of another job: only Hydra reads it from the environment."""
    if left := distinct_refs(dict(config)):
        raise ExpiacError("Ref out of place", f"{job}: {left[0]} in a config of format {format}",
                          "SkypilotJobConfig(envs={'CHECKPOINT': …}), and let the script read it there; "
                          "or the format hydra or args")


def arguments(config: Mapping[str, Any]) -> str:
    """The config as arguments of a shell command: `--lr=0.1 --model.depth=3 --amp --no-shuffle --betas 0.9 0.99`.

    A nested key is written with dots. None is left out. An output of another job is read from the environment.
    """
    return " ".join(part for path, value in _leaves(config) for part in _argument(path, value))


def _argument(path: str, value: Any) -> Iterator[str]:
    flag = _word(f"--{path}")
    match value:
        case None:
            return
        case True:
            yield flag
        case False:
            yield _word(f"--no-{path}")
        case list() | tuple():
            yield flag
            yield from (_word(item if isinstance(item, str) else json.dumps(item)) for item in value)
        case str():
            yield f"{flag}={_word(value)}"
        case _:
            yield f"{flag}={_word(json.dumps(value))}"


def _word(text: str) -> str:
    """The text as one word of a shell, with the variable of each Ref in it left to be expanded."""
    refs = any_refs({"": text})
    if not refs:
        return shlex.quote(text)
    marked: str = replace_any_refs(text, lambda ref: f"\0{ref.variable}\0")
    quoted = _double_quoted(marked)
    for ref in refs:
        quoted = quoted.replace(f"\0{ref.variable}\0", f"${{{ref.variable}}}")
    return quoted


def _double_quoted(text: str) -> str:
    for character in '\\"$`':
        text = text.replace(character, f"\\{character}")
    return f'"{text}"'


def _leaves(config: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        inner = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            yield from _leaves(value, inner)
        else:
            yield inner, value
