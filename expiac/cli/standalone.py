"""A stack file run by itself: `python stacks/lr_ab_test.py --gpus=4 --spot=false --no-launch`.

Turns flags into the same `key=value` overrides that `expiac apply` takes, and then is that command: bare it plans and
asks, `--launch` asks nothing, `--no-launch` only plans.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin, get_type_hints

from expiac.cli.exits import DONE, ended
from expiac.declare.experiment import Experiment, ExperimentConfig
from expiac.util.errors import UsageError, did_you_mean

_LAUNCH = "launch"
_WORDS = ("true", "false")


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line said."""

    overrides: tuple[str, ...] = ()
    launch: bool | None = None
    help: bool = False


def runner(experiment: type[Experiment], config: type[ExperimentConfig]) -> NoReturn:
    """Makes the experiment's file a command of its own: `if __name__ == "__main__": runner(A, AConfig)`."""
    sys.exit(ended(lambda: _run(Path(inspect.getfile(experiment)), config, sys.argv[1:])))


def _run(file: Path, config: type[ExperimentConfig], arguments: Sequence[str]) -> int:
    said = flags(arguments, config)
    if said.help:
        print(usage(config, _shown(file), inspect.getdoc(sys.modules["__main__"]) or ""))
        return DONE
    return _plan_and_apply(file, said.overrides, _launches(config) if said.launch is None else said.launch)


def _plan_and_apply(file: Path, overrides: Sequence[str], launch: bool | None) -> int:
    from expiac.cli import applying, output
    from expiac.declare.project import find

    if launch is None:
        output.demand_consent(yes=False, json=False, hint="--launch to apply, --no-launch to plan only")
    called = _shown(file)
    with applying.opened(str(file), overrides, project=find(file.resolve().parent)) as (session, reporter):
        plan = session.plan()
        if launch is False:
            output.plan(plan, called)
            return DONE
        return applying.carry_out(session, plan, reporter, called=called, question="" if launch else applying.QUESTION)


def _launches(config: type[ExperimentConfig]) -> bool | None:
    """Consent given in the config class itself; None where it is to be asked for."""
    return next(field.default for field in dataclasses.fields(config) if field.name == _LAUNCH) is True or None


def _shown(file: Path) -> str:
    path = os.path.relpath(file)
    return str(file) if path.startswith("..") else path


def flags(arguments: Sequence[str], config: type[ExperimentConfig]) -> Flags:
    """`--gpus=4`, `--gpus 4`, `--spot`, `--no-spot`, `--spot=false`, `--ids a b`, `--a.b=c`; nothing else."""
    types = get_type_hints(config)
    rest, given = deque(arguments), dict[str, str]()
    while rest:
        word = rest.popleft()
        if word in ("--help", "-h"):
            return Flags(help=True)
        if not word.startswith("--"):
            raise UsageError("Stray word", f"{word!r} belongs to no flag",
                             f"--{word}" if "=" in word else "every setting is --name=value; --help lists them")
        name, equals, text = word[2:].partition("=")
        key = name.replace("-", "_")
        if key not in types and key.startswith("no_") and _is_flag(types.get(key[3:])) and not equals:
            key, text = key[3:], "false"
        elif key.partition(".")[0] not in types:
            raise UsageError("Unknown flag", f"--{name}", did_you_mean(f"--{name}", _known(types)))
        elif not equals:
            text = _following(types.get(key), key, rest)
        given[key] = _listed(text) if _is_list(types.get(key)) and text[:1] != "[" else text
    launch = given.pop(_LAUNCH, None)
    return Flags(tuple(f"{key}={text}" for key, text in given.items()), None if launch is None else _truth(launch))


def _known(types: Mapping[str, Any]) -> list[str]:
    negated = [f"no_{name}" for name in types if _is_flag(types[name])]
    return [f"--{name.replace('_', '-')}" for name in (*types, *negated)]


def _following(type_: Any, key: str, rest: deque[str]) -> str:
    """The value of a flag that was written without `=`."""
    if _is_flag(type_):
        # A boolean that stands apart is taken for what it says, and not for a stray word.
        return rest.popleft() if rest and rest[0].lower() in _WORDS else "true"
    taken: list[str] = []
    while rest and not rest[0].startswith("--") and (not taken or _is_list(type_)):
        taken.append(rest.popleft())
    if not taken:
        raise UsageError("Value missing", f"--{key.replace('_', '-')} needs one", f"--{key.replace('_', '-')}=…")
    return ",".join(taken)


def _listed(text: str) -> str:
    return json.dumps([part for part in text.split(",") if part])


def _truth(text: str) -> bool:
    if text.lower() not in _WORDS:
        raise UsageError("Invalid value", f"--launch={text}", "--launch or --no-launch")
    return text.lower() == "true"


def _plain(type_: Any) -> Any:
    """The type without its marks and without None."""
    if get_origin(type_) is Annotated:
        return _plain(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        parts = [part for part in get_args(type_) if part is not NoneType]
        return _plain(parts[0]) if len(parts) == 1 else type_
    return type_


def _is_flag(type_: Any) -> bool:
    return _plain(type_) is bool


def _is_list(type_: Any) -> bool:
    return get_origin(_plain(type_)) in (list, tuple)


def usage(config: type[ExperimentConfig], file: str, about: str) -> str:
    """The text of `--help`: every field with its type and default."""
    types = get_type_hints(config)
    rows = [(_flag(field.name, types[field.name]), _default(field)) for field in dataclasses.fields(config)]
    wide = max(len(flag) for flag, _ in rows)
    return "\n".join([
        f"Usage: python {file} [--NAME=VALUE]...", "",
        *([about, ""] if about else []),
        "Bare, it plans and asks; --launch applies without asking; --no-launch only plans.", "",
        *(f"  {flag:<{wide}}  {default}".rstrip() for flag, default in rows),
    ])


def _flag(name: str, type_: Any) -> str:
    flag, plain = name.replace("_", "-"), _plain(type_)
    if _is_flag(type_):
        return f"--{flag} / --no-{flag}"
    if dataclasses.is_dataclass(plain):
        return f"--{flag}.NAME=VALUE"
    if _is_list(type_):
        return f"--{flag} A B ..."
    return f"--{flag}={plain.__name__.upper() if inspect.isclass(plain) else plain}"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING or field.default is None:
        return ""
    return "required" if field.default is dataclasses.MISSING else json.dumps(field.default, default=str)
