"""A stack file: found, executed, and asked for its Stack. Knows nothing of state or backends.

A file exposes one of: a function `stack(config) -> Stack`, an `Experiment` subclass with its config class, or a
`Stack` at module level. Whatever goes wrong in it is reported with file and line, as its author's mistake.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, get_type_hints

from pydantic import ValidationError

from expiac.declare import overrides as words
from expiac.declare.experiment import Experiment, ExperimentConfig, with_experiment_settings
from expiac.declare.override_words import SWEEP
from expiac.declare.project import Project
from expiac.declare.reads import reads_of
from expiac.declare.renamed import module_hint
from expiac.declare.stack import Stack
from expiac.declare.swept_words import swept_stack
from expiac.declare.validation import config_error
from expiac.util.errors import ExpiacError, UsageError, did_you_mean

POLICIES = "policies.py"
"""In the folder of the stacks, and no stack: its list `POLICIES` holds the project's own policies."""
_HERE = Path(__file__).parents[1]
_SHAPES = "a stack file has a function stack(config), an Experiment subclass, or a Stack"


@dataclass(frozen=True)
class Program:
    """What a stack file declares under some overrides."""

    path: Path
    config: Any
    """The typed config; None where the file takes none."""
    stack: Stack
    overrides: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    """The overrides that have no effect, since nothing reads the field of the config that they set."""

    def path_in(self, project: Project) -> str:
        """Its file as the state records it: from the project's root, where it lies in there."""
        return path_in(project, self.path)


def path_in(project: Project, path: Path) -> str:
    """A file from the project's root, where it lies in there."""
    return str(path.relative_to(project.root) if path.is_relative_to(project.root) else path)


def load(project: Project, name: str | None, overrides: Sequence[str] = ()) -> Program:
    """Executes the stack file that `name` means, with its config set by `key=value` overrides."""
    given = words.parse(overrides)
    path = find_stack_file(project, name)
    config_class, make = _declaration(execute_file(path, project), path)
    if config_class is None and given:
        raise UsageError("No config", f"{_display_path(path)} takes no overrides, and so not {next(iter(given))}")
    config: Any = None

    def make_stack(overrides: Mapping[str, str]) -> Stack:
        nonlocal config
        with attribute_errors(path, project), redirect_stdout(sys.stderr):
            config = words.build(config_class, overrides) if config_class else None
            stack = make(config)
        if not isinstance(stack, Stack):
            raise ExpiacError("Not a stack", f"{_display_path(path)}: stack(config) returned {type(stack).__name__}",
                              "return Stack(config.name, [...])")
        return with_experiment_settings(stack, config) if isinstance(config, ExperimentConfig) else stack

    settings = {key: text for key, text in given.items() if key != SWEEP}
    with reads_of(config_class) as read:
        stack = swept_stack(settings, make_stack) if SWEEP in given else make_stack(settings)
    return Program(path, config, stack, given, words.unread_keys(config, settings, read))


def stack_files(project: Project) -> dict[str, Path]:
    """The stack files of the project by their stems, sorted."""
    folder = project.root / project.stacks
    return {file.stem: file for file in sorted(folder.glob("[!_.]*.py")) if file.name != POLICIES}


def find_stack_file(project: Project, name: str | None) -> Path:
    """The stack file that `name` means: a file, the stem of one, or, where it is None, the only one."""
    folder, known = project.root / project.stacks, stack_files(project)
    if name is None:
        if len(known) == 1:
            return next(iter(known.values()))
        raise UsageError("Which stack?", f"{_display_path(folder)} has {len(known) or 'none'}",
                         f"known: {', '.join(known)}" if known else _SHAPES)
    if name in known:
        return known[name]
    for file in (Path(name), project.root / name):
        if file.is_file():
            return file.resolve()
    raise UsageError("No such stack", f"{name} is neither a file nor one of {_display_path(folder)}",
                     did_you_mean(name, known))


def _display_path(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def execute_file(path: Path, project: Project) -> ModuleType:
    """The file's module, fresh, and not under the name `__main__`; what it prints goes to stderr."""
    module = ModuleType(_module_name(path))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where classes look for their own annotations
    if str(project.root) not in sys.path:
        sys.path.insert(0, str(project.root))
    with attribute_errors(path, project), redirect_stdout(sys.stderr):
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    return module


def _module_name(path: Path) -> str:
    return f"expiac_stack_{path.stem}"


@contextmanager
def attribute_errors(path: Path, project: Project) -> Iterator[None]:
    """Turns whatever the author's code raises into an error that names file and line."""
    try:
        yield
    except SyntaxError as error:
        where = f"{_display_path(Path(error.filename or path))}:{error.lineno}"
        line = f"\n{error.text.strip()}" if error.text else ""
        raise ExpiacError("Syntax error", f"{where}: {error.msg}{line}") from error
    except UsageError:
        raise
    except ExpiacError as error:
        where = _place(error, path, project)
        detail = f"{error.detail}\nat {where}" if where else error.detail
        raise type(error)(error.summary, detail, error.hint, code=error.code) from error
    except ValidationError as error:
        # The class is looked up by its name, so that a mistyped key can be told from the right one.
        about = getattr(sys.modules.get(_module_name(path)), error.title, None)
        raise config_error(error, about, f"{error.title}, {_place(error, path, project)}") from error
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        where = _place(error, path, project)
        raise ExpiacError("Stack program failed", f"{where}: {what}", module_hint(error)) from error


def _place(error: BaseException, path: Path, project: Project) -> str:
    """`file:line`, the innermost that is the author's; empty where none of theirs was running."""
    # With a limit of our own: SkyPilot leaves sys.tracebacklimit at 0 behind.
    theirs = [frame for frame in extract_tb(error.__traceback__, limit=sys.getrecursionlimit())
              if frame.filename == str(path) or _is_theirs(Path(frame.filename), project)]
    return f"{_display_path(Path(theirs[-1].filename))}:{theirs[-1].lineno}" if theirs else ""


def _is_theirs(file: Path, project: Project) -> bool:
    return file.is_relative_to(project.root) and not file.is_relative_to(_HERE) and "site-packages" not in file.parts


def _declaration(module: ModuleType, path: Path) -> tuple[type | None, Callable[[Any], Any]]:
    """The config class, if any, and what makes the Stack of a config."""
    function = vars(module).get("stack")
    found: list[tuple[type | None, Callable[[Any], Any]]] = []
    if inspect.isfunction(function):
        found.append(_of_function(function, path))
    found += [(_config_class(kind, module), lambda config, kind=kind: kind(config).stack())  # type: ignore[misc]
              for kind in _experiments(module)]
    values = {id(value): value for value in vars(module).values() if isinstance(value, Stack)}
    found += [(None, lambda _, value=value: value) for value in values.values()]  # type: ignore[misc]
    if len(found) != 1:
        much = f"{len(found)} declarations" if found else "nothing"
        raise ExpiacError("No single declaration", f"{_display_path(path)} declares {much}", _SHAPES)
    return found[0]


def _of_function(function: Callable[..., Any], path: Path) -> tuple[type | None, Callable[[Any], Any]]:
    parameters = list(inspect.signature(function).parameters)
    if not parameters:
        return None, lambda _: function()
    config_class = get_type_hints(function).get(parameters[0])
    if not inspect.isclass(config_class):
        line = function.__code__.co_firstlineno
        raise ExpiacError("No config class", f"{_display_path(path)}:{line}: stack({parameters[0]}) does not say which",
                          f"def stack({parameters[0]}: MyConfig) -> Stack")
    return config_class, function


def _experiments(module: ModuleType) -> list[type[Experiment]]:
    """The experiments that the file defines, bases of others left out."""
    own = [value for value in vars(module).values() if _is_own(value, Experiment, module)]
    return [kind for kind in own if not any(other is not kind and issubclass(other, kind) for other in own)]


def _config_class(kind: type[Experiment], module: ModuleType) -> type:
    """The config class of an experiment: what its `config` says, or the only one that its file defines."""
    named = get_type_hints(kind).get("config")
    own: list[type] = [value for value in vars(module).values() if _is_own(value, ExperimentConfig, module)]
    declared = named if inspect.isclass(named) and issubclass(named, ExperimentConfig) else ExperimentConfig
    return own[0] if len(own) == 1 and issubclass(own[0], declared) else declared


def _is_own(value: Any, base: type, module: ModuleType) -> bool:
    return inspect.isclass(value) and issubclass(value, base) and value.__module__ == module.__name__
