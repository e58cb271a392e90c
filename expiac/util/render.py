"""Turns data into reviewable text, and proves that the text still says what the data said.

Pure: the templates are given as text. Every `{{ … }}` passes one YAML quoting filter, whether or not the template asks
for it, and the finished text is parsed back and must contain exactly the data that went in, so no string can change
the meaning: not `: `, not `off`, not a newline. What the template says in its own words stands beside the data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jinja2
import yaml

from expiac.util.errors import ExpiacError

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@-]*")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"))


class _Yaml(str):
    """Text that is YAML already."""


_SafeDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Dumper(_SafeDumper):  # type: ignore[misc, valid-type]
    """Writes what every YAML reader understands alike: YAML 1.1's, YAML 1.2's and OmegaConf's."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    if _is_plain(value):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value)
    style = "|" if "\n" in value.strip("\n") else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _is_plain(value: str) -> bool:
    """No reader sees anything but a string in it; 1e3, off and 2026-01-01 are the traps."""
    return bool(_PLAIN.fullmatch(value)) and value.lower() not in _WORDS


def _represent_number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    text = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(value), repr(value))
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")  # YAML 1.1 takes 1e-05 for a string
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_multi_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_number)


def to_yaml(value: Any, indent: int = 0, flow: bool = False) -> str:
    """A JSON value as YAML, in block style (`flow` for one line); lines after the first are indented by `indent`."""
    if type(value) is int:
        return _Yaml(value)
    return _dump_once(_ExactValue(value), indent, flow)


def _dump(value: Any, indent: int, flow: bool) -> str:
    if isinstance(value, str) and _is_plain(value):
        return _Yaml(value)
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=flow, width=2**20, allow_unicode=True, sort_keys=False)
    text = text.removesuffix("...\n").rstrip("\n")
    return _Yaml(text.replace("\n", "\n" + " " * indent))


class _ExactValue:
    """A value with its exact type: 1, 1.0 and True are equal to Python and not to YAML."""

    __slots__ = ("key", "value")

    def __init__(self, value: Any) -> None:
        self.value, self.key = value, (type(value), repr(value))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ExactValue) and self.key == other.key


@lru_cache(maxsize=1024)
def _dump_once(exact: _ExactValue, indent: int, flow: bool) -> str:
    """The jobs of a stack have most of their values in common."""
    return _dump(exact.value, indent, flow)


def _finalize(value: Any) -> Any:
    """Jinja's last word on each expression: what the template did not make YAML is made so here."""
    if isinstance(value, _Yaml | jinja2.Undefined):
        return value
    return to_yaml(value, flow=isinstance(value, Mapping | list | tuple))


class Templates:
    """The project's templates, by file name."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = dict(sources)
        self._environment = jinja2.Environment(
            loader=jinja2.DictLoader(self._sources), undefined=jinja2.StrictUndefined, finalize=_finalize,
            trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False)
        self._environment.filters["yaml"] = to_yaml

    def render(self, name: str, data: Mapping[str, Any], **context: Any) -> str:
        """The template `name` over `data`, which its variable `config` holds and the text must contain."""
        text = self._render_text(name, config=data, **context)
        _verify(name, _parse_once(_without_opening(text), name), data)
        return text

    def _render_text(self, name: str, **context: Any) -> str:
        try:
            return self._environment.get_template(name).render(**context)
        except jinja2.TemplateNotFound as error:
            what = f"{error.name}, wanted by {name}" if error.name != name else name
            raise ExpiacError("No such template", what,
                              f"the project's templates are {', '.join(self._sources) or 'none'}") from error
        except jinja2.TemplateSyntaxError as error:
            where = f"{error.name}, line {error.lineno}"
            raise ExpiacError("Invalid template", f"{where}: {error.message}") from error
        except jinja2.UndefinedError as error:
            where = f"{name}, line {_line_of(error, name)}"
            raise ExpiacError("Undefined variable in a template", f"{where}: {error.message}",
                              f"known there: {', '.join(sorted(context))}; in config: "
                              f"{', '.join(map(str, context['config']))}") from error
        except ExpiacError:
            raise
        except Exception as error:  # whatever the template's own expressions raise is its author's to mend
            where = f"{name}, line {_line_of(error, name)}"
            raise ExpiacError("Template failed", f"{where}: {type(error).__name__}: {error}") from error


def _line_of(error: BaseException, name: str) -> int | str:
    trace, line = error.__traceback__, "?"
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in (name, "<template>"):
            line = str(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _without_opening(text: str) -> str:
    """The text with blank lines for its opening comments: they name the job, and often nothing else does."""
    lines = 0
    while text.startswith("#"):
        text, lines = text.partition("\n")[2], lines + 1
    return "\n" * lines + text


@lru_cache(maxsize=16)
def _parse_once(text: str, name: str) -> Any:
    """As `parse`, to be looked at only: a text that was just parsed is not parsed again."""
    return parse(text, name)


def parse(text: str, name: str) -> Any:
    """The data that a rendered text holds."""
    try:
        return yaml.load(text, _SafeLoader)  # a safe loader
    except yaml.YAMLError as error:
        raise ExpiacError("Rendered text is not YAML", f"{name}: {error}", "one expression stands for one value: "
                          "{{ a ~ b }}, and no quotes around {{ }}") from error


def _verify(name: str, found: Any, meant: Any, path: str = "") -> None:
    """Refuses a text that does not contain the data: a value dropped, altered, or given another type."""
    if isinstance(meant, Mapping) and isinstance(found, Mapping):
        for key, value in meant.items():
            inner = f"{path}.{key}" if path else str(key)
            if key not in found:
                raise ExpiacError("Rendered text differs from its data", f"{name} leaves out {inner} = {value!r}",
                                  f"write it in the template: {key}: {{{{ config.{inner} }}}}")
            _verify(name, found[key], value, inner)
    elif not _is_same(found, meant):
        raise ExpiacError("Rendered text differs from its data",
                          f"{name}: {path} is {found!r}, and should be {meant!r}")


def _is_same(found: Any, meant: Any) -> bool:
    if isinstance(meant, list | tuple):
        return isinstance(found, list) and len(found) == len(meant) and all(map(_is_same, found, meant))
    if isinstance(meant, Mapping):
        return isinstance(found, Mapping) and found.keys() == meant.keys() and all(
            _is_same(found[key], value) for key, value in meant.items())
    if isinstance(meant, float) and meant != meant:
        return isinstance(found, float) and found != found
    plain = str(meant) if isinstance(meant, str) else meant
    return type(found) is type(plain) and bool(found == plain)
