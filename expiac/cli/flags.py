"""The flags of a stack file that is run by itself: each sets a field of its config class. Knows no commands.

argparse, click and typer do not do this job: argparse takes no value that begins with `-`, click and typer no list as
`--ids a b`, and none of them keys of nested configs (`--trainer.optimizer.learning_rate=1e-3`).
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from expiac.declare.experiment import ExperimentConfig
from expiac.declare.override_words import parse, words_of
from expiac.declare.parts import Part, arms, item_type, paths
from expiac.declare.renamed import old_name_hint, renamed_hint
from expiac.declare.unknown_keys import hint_of_a_job
from expiac.util.errors import UsageError, did_you_mean

LAUNCH = "launch"
"""The field of every config that is no setting of the stack, but consent to launch it."""
_SHOWING = ("verbose", "markdown")
"""Flags of every stack file that say how the plan is shown, but where its config has a field of the name."""
_BOOLEANS = ("true", "false")


@dataclass(frozen=True, slots=True)
class Flags:
    """The command line, parsed."""

    overrides: tuple[str, ...] = ()
    """As `expiac apply` takes them: `key=value`."""
    launch: bool | None = None
    """Whether to launch without asking; None if the command line does not say."""
    help: bool = False
    verbose: bool = False
    """Whether to show the plan in full."""
    markdown: bool = False
    """Whether to print the plan as markdown."""


def parse_flags(arguments: Sequence[str], config: type[ExperimentConfig]) -> Flags:
    """`--gpus=4`, `--gpus 4`, `--spot`, `--no-spot`, `--spot=false`, `--ids a b`, `--a.b=c`; nothing else.

    The overrides that no flag can say are taken as they are: `+a.b=c` and `~a.b`.
    """
    types = _types_of_flags(config)
    words = deque(arguments)
    values: dict[str, str] = {}
    shown: set[str] = set()
    while words:
        word = words.popleft()
        if word in ("--help", "-h"):
            return Flags(help=True)
        if word.startswith(("+", "~")):
            values |= parse([word])
            continue
        if (name := word.removeprefix("--")) in _SHOWING and word != name and name not in types:
            shown.add(name)
            continue
        key, text = _parse_flag(word, words, types, config)
        values[key] = text
    launch = values.pop(LAUNCH, None)
    return Flags(tuple(words_of(values)), None if launch is None else _parse_launch(launch),
                 verbose="verbose" in shown, markdown="markdown" in shown)


def _types_of_flags(config: type[ExperimentConfig]) -> dict[str, Any]:
    """The types of the config's fields, and of those of its parts where only one part has a field of the name."""
    found: dict[str, list[Any]] = {}
    with suppress(Exception):  # fields may be missing that the flags set; what else is wrong is said when it is built
        whole = config()  # type: ignore[call-arg]
        for path in paths(whole):
            found.setdefault(path.rpartition(".")[2], []).append(_type_at(whole, path))
    below = {name: types[0] for name, types in (found or _types_below(config)).items() if len(types) == 1}
    return {**below, **get_type_hints(config)}


def _type_at(whole: Any, path: str) -> Any:
    part: Part | None = Part(whole)
    *above, name = path.split(".")
    for one in above:
        part = part and part.part(one)
    return part.types(name)[0] if part else Any


def _types_below(config: type) -> dict[str, list[Any]]:
    """The types of the fields of the config's parts, by name."""
    found: dict[str, list[Any]] = {}
    parts = [part for type_ in get_type_hints(config).values() if dataclasses.is_dataclass(part := _bare_type(type_))]
    for part in parts:
        for name, type_ in get_type_hints(part).items():
            found.setdefault(name, []).append(type_)
        for name, types in _types_below(part).items():  # type: ignore[arg-type]
            found.setdefault(name, []).extend(types)
    return found


def _parse_flag(
    word: str, words: deque[str], types: Mapping[str, Any], config: type[ExperimentConfig],
) -> tuple[str, str]:
    """The key and the text that one flag sets; takes the flag's values from the words that follow."""
    if not word.startswith("--"):
        hint = f"--{word}" if "=" in word else "every setting is --name=value; --help lists them"
        raise UsageError("Stray word", f"{word!r} belongs to no flag", hint)
    name, equals, text = word[2:].partition("=")
    key = name.replace("-", "_")
    negated = key.removeprefix("no_")
    if key not in types and negated != key and _is_boolean(types.get(negated)) and not equals:
        return negated, "false"
    first, *inner = name.split(".")
    if first.replace("-", "_") not in types:
        raise UsageError("Unknown flag", f"--{name}", _hint(key.partition(".")[0], types, config))
    key, type_ = _resolve(first.replace("-", "_"), inner, types)
    if not equals:
        text = _take_values(key, type_, words)
    if _is_list(type_) and not text.startswith("["):
        text = json.dumps([part for part in text.split(",") if part])
    return key, text


def _resolve(key: str, inner: Sequence[str], types: Mapping[str, Any]) -> tuple[str, Any]:
    """The key of a dotted flag, and the type of what it sets; in a field's name a dash stands for an underscore."""
    type_ = types[key]
    for name in inner:
        is_mapping = any(get_origin(arm) is dict for arm in arms(type_))
        field = name if is_mapping else name.replace("-", "_")
        key, type_ = f"{key}.{field}", item_type(type_, field)
    return key, type_


def _hint(name: str, types: Mapping[str, Any], config: type[ExperimentConfig]) -> str:
    """What to do for a flag that there is not."""
    if renamed := renamed_hint(name, types):
        return renamed.replace("renamed to ", "renamed to --", 1)
    flag = f"--{name.replace('_', '-')}"
    return hint_of_a_job(name, config) or old_name_hint(name) or did_you_mean(flag, _flag_names(types))


def _take_values(key: str, type_: Any, words: deque[str]) -> str:
    """The value of a flag that is written without `=`, taken from the words that follow it."""
    if _is_boolean(type_):
        # `--spot false` says false: the word after a boolean belongs to it if it is one.
        is_value_next = bool(words) and words[0].lower() in _BOOLEANS
        return words.popleft() if is_value_next else "true"
    values: list[str] = []
    while words and not words[0].startswith("--") and (not values or _is_list(type_)):
        values.append(words.popleft())
    if not values:
        flag = f"--{key.replace('_', '-')}"
        raise UsageError("Value missing", f"{flag} needs one", f"{flag}=…")
    return ",".join(values)


def _flag_names(types: Mapping[str, Any]) -> list[str]:
    negated = [f"no_{name}" for name, type_ in types.items() if _is_boolean(type_)]
    return [f"--{name.replace('_', '-')}" for name in (*types, *negated)]


def _parse_launch(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise UsageError("Invalid value", f"--launch={text}", "--launch or --no-launch")
    return text.lower() == "true"


def _bare_type(type_: Any) -> Any:
    """The type without its annotations and without None."""
    if get_origin(type_) is Annotated:
        return _bare_type(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        parts = [part for part in get_args(type_) if part is not NoneType]
        return _bare_type(parts[0]) if len(parts) == 1 else type_
    return type_


def _is_boolean(type_: Any) -> bool:
    return _bare_type(type_) is bool


def _is_list(type_: Any) -> bool:
    return get_origin(_bare_type(type_)) in (list, tuple)


def usage(config: type[ExperimentConfig], file: str, about: str) -> str:
    """The text of `--help`: every field with its type and default."""
    types = get_type_hints(config)
    rows = [(_flag(field.name, types[field.name]), _default(field)) for field in dataclasses.fields(config)]
    width = max(len(flag) for flag, _ in rows)
    introduction = [about, ""] if about else []
    return "\n".join([
        f"Usage: python {file} [--NAME=VALUE]...", "",
        *introduction,
        "Bare, it plans and asks; --launch applies without asking; --no-launch only plans.",
        "--verbose shows the plan in full; --no-launch --markdown prints it as markdown.", "",
        *(f"  {flag:<{width}}  {default}".rstrip() for flag, default in rows),
    ])


def _flag(name: str, type_: Any) -> str:
    flag, bare = name.replace("_", "-"), _bare_type(type_)
    if _is_boolean(type_):
        return f"--{flag} / --no-{flag}"
    if dataclasses.is_dataclass(bare):
        return f"--{flag}.NAME=VALUE"
    if _is_list(type_):
        return f"--{flag} A B ..."
    return f"--{flag}={bare.__name__.upper() if inspect.isclass(bare) else bare}"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING or field.default is None:
        return ""
    return "required" if field.default is dataclasses.MISSING else json.dumps(field.default, default=str)
