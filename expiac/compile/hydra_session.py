"""Composes the rendered configs of one project, in one initialization of Hydra.

Configs that share their defaults list are composed from what they have in common (`shared_defaults`), if there are
enough of them and if the first comes out as Hydra itself composes it. Hydra composes all others, and whatever fails.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException, MissingConfigException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from expiac.compile.compose_errors import ROOT_SCHEMA, invalid_config, missing_config
from expiac.compile.composed import Composed
from expiac.compile.config_yaml import read_config
from expiac.compile.containers import as_object, plain
from expiac.compile.interpolations import parsed_once
from expiac.compile.schema import Schema
from expiac.compile.shared_defaults import Defaults, SharedDefaults
from expiac.declare.project import Project
from expiac.declare.training_settings import PACKAGE_HEADER
from expiac.util.beside import beside, can_fork
from expiac.util.errors import ExpiacError
from expiac.util.placeholders import DATA_DIR, INSTANCE, fill

_Convert = Callable[[Any], Any]
_NAME = "rendered"
_WORTH_SHARING = 3
"""What configs have in common is worth a composition of its own from so many configs on."""

_WORTH_A_FORK = 60
"""So many configs take long enough for a second process to help."""
_FORK_TIMEOUT = 60.0
"""Seconds that the second process may take longer than this one."""


@dataclass(frozen=True, slots=True)
class _Document:
    """A rendered config."""

    label: str
    text: str
    values: Mapping[str, Any] | None
    """Its data without the defaults list; None where it can't be read here."""
    defaults: str = ""
    """Its defaults list; equal for equal lists."""


@contextmanager
def hydra_session(project: Project, schema: Schema, name_overrides: list[str]) -> Iterator[HydraSession]:
    """Hydra, initialized for the project's configs."""
    configs = project.root / project.configs
    with tempfile.TemporaryDirectory(prefix="expiac-compose-") as folder:
        session = HydraSession(project, schema, name_overrides, Path(folder))
        with initialize_config_dir(str(configs.resolve()), version_base="1.3"), parsed_once():
            yield session


class HydraSession:
    """Composes the configs of one project."""

    def __init__(self, project: Project, schema: Schema, name_overrides: list[str], folder: Path) -> None:
        self._project, self._schema = project, schema
        self._configs, self._primary = project.root / project.configs, project.training.config_name
        self._name_overrides = name_overrides
        self._overrides = [f"+experiments={_NAME}", *name_overrides, f"hydra.searchpath=[file://{folder}]"]
        self._file = folder / "experiments" / f"{_NAME}.yaml"
        self._file.parent.mkdir()
        self._defaults: dict[str, Defaults] = {}
        self._closures: dict[str, list[str]] = {}
        self._shared: dict[str, SharedDefaults | None] = {}

    @cached_property
    def schema_files(self) -> tuple[str, ...]:
        """The source files of the trainer's schema, which is then registered as `root_schema`."""
        ConfigStore.instance().repo.pop(f"{ROOT_SCHEMA}.yaml", None)  # another project's
        if not self._project.schema:
            return ()
        if self._schema.is_structured:
            ConfigStore.instance().store(ROOT_SCHEMA, node=self._schema.node)
        return self._schema.files

    @cached_property
    def _outputs(self) -> dict[str, Any]:
        """The paths of the project's outputs, each to be resolved against a config."""
        return {name: OmegaConf.create({"path": path}) for name, path in self._project.outputs.items()}

    def compose(self, texts: Mapping[str, str]) -> Iterator[tuple[str, Composed, list[str]]]:
        """Each label, its text composed, and the files under `configs/` that it stands on."""
        self.schema_files  # noqa: B018  registers the schema
        documents = [_read(label, text) for label, text in texts.items()]
        counts = Counter(document.defaults for document in documents if document.values)
        is_worth_it = {document.label: counts[document.defaults] >= _WORTH_SHARING and document.values is not None
                       for document in documents}
        if len(documents) < _WORTH_A_FORK or not can_fork():
            yield from (self._compose_one(document, is_worth_it[document.label]) for document in documents)
            return
        # The first of each defaults list shows what its configs have in common, and the fork knows that too.
        heads = {document.defaults: document.label for document in reversed(documents)}.values()
        first = [document for document in documents if document.label in heads]
        rest = [document for document in documents if document.label not in heads]
        yield from [self._compose_one(document, is_worth_it[document.label]) for document in first]
        here, there = rest[::2], rest[1::2]
        with beside(lambda: [self._continue(document) for document in there], timeout=_FORK_TIMEOUT) as result:
            yield from [self._compose_one(document, is_worth_it[document.label]) for document in here]
            continued = result() or [None] * len(there)
        for document, composed in zip(there, continued, strict=True):
            yield self._compose_one(document, is_worth_it[document.label], composed)

    def _compose_one(self, document: _Document, is_worth_it: bool, composed: Composed | None = None
                     ) -> tuple[str, Composed, list[str]]:
        """One document composed, where it is not known already to what."""
        if composed is None and is_worth_it:
            composed = self._continue(document)
        if composed is None:
            composed = self._compose(document)
            if is_worth_it and document.defaults not in self._shared:
                self._shared[document.defaults] = self._share(document, composed)
        return document.label, composed, self._closure(document)

    def _continue(self, document: _Document) -> Composed | None:
        """The config from what it has in common with others; None where Hydra has to compose it."""
        shared = self._shared.get(document.defaults)
        if shared is None or document.values is None:
            return None
        try:
            return self._finish(document, shared.compose(document.text, document.values), as_object)
        except Exception:  # whatever it is, Hydra composes the config then, and tells what is wrong
            return None

    def _share(self, document: _Document, composed: Composed) -> SharedDefaults | None:
        """What others have in common with a config that Hydra composed; None where the two ways differ."""
        try:
            shared = SharedDefaults(self._defaults_of(document), f"experiments/{_NAME}")
            config = shared.compose(document.text, document.values or {})
            again = self._finish(document, config, as_object)
            with _job_environment(document.text):
                is_same = not self._project.schema or repr(as_object(config)) == repr(OmegaConf.to_object(config))
        except Exception:  # no common part, or a Hydra that is written in another way
            return None
        # Compared as texts, since 1, 1.0 and True are equal.
        return shared if is_same and repr(again) == repr(composed) else None

    def _compose(self, document: _Document) -> Composed:
        """The config as Hydra composes it. Raises `ExpiacError`."""
        label, text = document.label, document.text
        if text.splitlines()[0].strip() != PACKAGE_HEADER:
            raise ExpiacError("Rendered config has no package header", f"{label}: line 1 is {text.splitlines()[0]!r}",
                              f"let the template begin with: {PACKAGE_HEADER}")
        config, names = None, [override.partition("=")[0] for override in self._name_overrides]
        self._file.write_text(text, encoding="utf-8")
        try:
            config = compose(self._primary, self._overrides)
            self._closure(document)
            return self._finish(document, config)
        except MissingConfigException as error:
            raise missing_config(self._project, self._schema, label, error) from error
        except YAMLError as error:
            raise ExpiacError("Invalid YAML", f"{label}: {error}") from error
        except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
            raise invalid_config(label, error, config, names) from error

    def _finish(self, document: _Document, config: Any, to_object: _Convert = OmegaConf.to_object) -> Composed:
        """The config, checked, as data, with the outputs."""
        if OmegaConf.is_missing(config, "run_name"):
            config.run_name = INSTANCE  # the command tells it in another way than by an override
        with _job_environment(document.text):
            self._check(document.label, config, to_object)
            outputs = {name: _output(config, name, scope) for name, scope in self._outputs.items()}
        return Composed(fill(plain(config)), outputs)

    def _check(self, label: str, config: Any, to_object: _Convert) -> None:
        """Raises where the composed config is not of the project's schema."""
        if not self._project.schema:
            return
        if type(to_object(config)) is not self._schema.node:  # the primary config does not name `root_schema`
            self._schema.check(label, OmegaConf.to_container(config, resolve=True, enum_to_str=True))

    def _closure(self, document: _Document) -> list[str]:
        """The files under `configs/` that a text stands on. Its defaults list decides."""
        if document.defaults not in self._closures:
            found = [self._configs / f"{path}.yaml" for path in self._defaults_of(document).paths]
            self._closures[document.defaults] = [str(path) for path in found if path.is_file()]
        return self._closures[document.defaults]

    def _defaults_of(self, document: _Document) -> Defaults:
        """The files that Hydra chooses for the text which it composed last."""
        if document.defaults not in self._defaults:
            self._defaults[document.defaults] = Defaults(self._primary, self._overrides)
        return self._defaults[document.defaults]


def _read(label: str, text: str) -> _Document:
    try:
        data = read_config(text)
    except Exception:  # Hydra says what is wrong with it
        return _Document(label, text, None, text)
    if not isinstance(data, dict) or "\r" in text:  # Hydra reads a file, where \r ends a line
        return _Document(label, text, None, text)
    values = {key: value for key, value in data.items() if key != "defaults"}
    # Hydra treats a config without values in another way, so it has nothing in common with the others.
    return _Document(label, text, values, repr((data.get("defaults"), bool(values))))


def _output(config: Any, name: str, scope: Any) -> str:
    scope._set_parent(config)  # interpolations of the project's output paths see the composed config
    try:
        value: str = scope.path
    except OmegaConfBaseException as error:
        why = str(error).splitlines()[0]
        path = scope._get_node("path")
        raise ExpiacError("Invalid output", f"[tool.expiac.outputs] {name} = {str(path)!r}: {why}",
                          "a path, with interpolations of the composed config such as ${run_dir}") from error
    return os.path.normpath(value) if "://" not in value else value


@contextmanager
def _job_environment(text: str) -> Iterator[None]:
    """What a job will only find in its environment counts as given while a config is checked."""
    names = {part.split("}")[0].split(",")[0] for part in text.split("${oc.env:")[1:]
             if part.startswith("EXPIAC_REF_")}
    given = {**dict.fromkeys(names, "ref"), "DATA_DIR": DATA_DIR, "EXPIAC_INSTANCE": INSTANCE}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
