"""Composes rendered experiment configs with Hydra, against the trainer's schema, and remembers what came out.

The only importer of hydra and omegaconf. A composition takes some 50 ms, so it is kept on disk: by the digest of the
text, together with the digest of every file that it was composed from. While none of them changes it is not redone.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expiac.declare.project import Project
from expiac.plan.identity import DATA_DIR, INSTANCE
from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError, did_you_mean
from expiac.util.hashing import digest
from expiac.util.render import PACKAGE_HEADER, parse

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Composed:
    """What a trainer will read."""

    config: Mapping[str, Any]
    """The whole composed config, interpolations left as they are."""
    outputs: Mapping[str, str]
    """The project's declared outputs, resolved against it."""


class Composer:
    """Composes many configs of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._configs = project.root / project.configs
        self._cache = project.state_folder / "cache" / "compose"
        self._salt = digest([_FORMAT, project.schema, dict(project.outputs), str(self._configs)])
        self._digests: dict[str, str] = {}
        self._closures: dict[str, list[str]] = {}

    def compose(self, texts: Mapping[str, str]) -> dict[str, Composed]:
        """Each text composed, by its label (the job's name, for messages)."""
        found: dict[str, Composed] = {}
        todo: dict[str, str] = {}
        for label, text in texts.items():
            known = self._from_cache(text)
            if known is None:
                todo[label] = text
            else:
                found[label] = known
        if todo:
            found |= self._compose_missing(todo)
        return found

    def _from_cache(self, text: str) -> Composed | None:
        try:
            entry = json.loads(self._file(text).read_bytes())
        except (OSError, ValueError):
            return None
        if any(self._digest(path) != was for path, was in entry["files"].items()):
            return None
        return Composed(entry["config"], entry["outputs"])

    def _store(self, text: str, composed: Composed, files: Mapping[str, str]) -> None:
        entry = {"files": files, "config": composed.config, "outputs": composed.outputs}
        file = self._file(text)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, json.dumps(entry).encode(), durable=False, mode=0o600)
        except OSError:
            return  # a memory that can't be written costs time only

    def _file(self, text: str) -> Path:
        return self._cache / f"{digest([self._salt, text])[:40]}.json"

    def _digest(self, path: str) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def _compose_missing(self, texts: Mapping[str, str]) -> dict[str, Composed]:
        from hydra import initialize_config_dir

        if not self._configs.is_dir():
            raise ExpiacError("No configs", f"{self._configs} is not a folder",
                              "[tool.expiac] configs names the folder of Hydra configs")
        found = {}
        with tempfile.TemporaryDirectory(prefix="expiac-compose-") as folder, self._schema() as modules:
            overlay = Path(folder) / "experiments"
            overlay.mkdir()
            with initialize_config_dir(str(self._configs.resolve()), version_base="1.3"):
                for number, (label, text) in enumerate(texts.items()):
                    name = f"rendered_{number}"
                    (overlay / f"{name}.yaml").write_text(text)
                    composed, paths = self._compose_one(label, text, name, folder)
                    files = {path: self._digest(path) for path in (*paths, *modules)}
                    self._store(text, composed, files)
                    found[label] = composed
        return found

    @contextmanager
    def _schema(self) -> Iterator[tuple[str, ...]]:
        """Registers the trainer's schema as `root_schema`; gives the source files that it is made of."""
        from hydra.core.config_store import ConfigStore

        if not self._project.schema:
            yield ()
            return
        module_name, _, class_name = self._project.schema.partition(":")
        sys.path.insert(0, str(self._project.root))
        try:
            node = getattr(importlib.import_module(module_name), class_name)
        except (ImportError, AttributeError) as error:
            raise ExpiacError("No such schema", f"[tool.expiac] schema = {self._project.schema!r}: {error}",
                              "module:Class, importable from the project's root") from error
        finally:
            sys.path.remove(str(self._project.root))
        ConfigStore.instance().store("root_schema", node=node)
        package = module_name.partition(".")[0]
        yield tuple(sorted(
            str(module.__file__) for name, module in list(sys.modules.items())
            if (name == package or name.startswith(package + ".")) and getattr(module, "__file__", None)))

    def _compose_one(self, label: str, text: str, name: str, folder: str) -> tuple[Composed, list[str]]:
        from hydra import compose
        from hydra.errors import HydraException, MissingConfigException
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException
        from yaml import YAMLError

        if text.splitlines()[0].strip() != PACKAGE_HEADER:
            raise ExpiacError("Rendered config has no package header", f"{label}: line 1 is {text.splitlines()[0]!r}",
                              f"let the template begin with: {PACKAGE_HEADER}")
        overrides = [f"+experiments={name}", f"run_name='{INSTANCE}'", f"hydra.searchpath=[file://{folder}]"]
        config = None
        try:
            config = compose("config", overrides)
            paths = self._closure(text, overrides)
            with _job_environment(text):
                if self._project.schema:
                    OmegaConf.to_object(config)
                outputs = {key: self._output(config, key, path) for key, path in self._project.outputs.items()}
        except MissingConfigException as error:
            raise self._missing(label, error) from error
        except YAMLError as error:
            raise ExpiacError("Invalid YAML", f"{label}: {error}") from error
        except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
            raise _invalid(label, error, config) from error
        plain: Any = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
        return Composed(plain, outputs), paths

    def _closure(self, text: str, overrides: list[str]) -> list[str]:
        """The files under `configs/` that a text stands on. Its defaults list decides, and most jobs share one."""
        from hydra.core.global_hydra import GlobalHydra
        from hydra.types import RunMode

        key = repr(parse(text, "defaults").get("defaults"))
        if key not in self._closures:
            loader = GlobalHydra.instance().config_loader()
            chosen = loader.compute_defaults_list("config", overrides, RunMode.RUN).defaults
            paths = [self._configs / f"{default.config_path}.yaml" for default in chosen if default.config_path]
            self._closures[key] = [str(path) for path in paths if path.is_file()]
        return self._closures[key]

    @staticmethod
    def _output(config: Any, name: str, path: str) -> str:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        scope = OmegaConf.create({"path": path})
        scope._set_parent(config)  # interpolations of the project's output paths see the composed config
        try:
            value: str = scope.path
        except OmegaConfBaseException as error:
            why = str(error).splitlines()[0]
            raise ExpiacError("Invalid output", f"[tool.expiac.outputs] {name} = {path!r}: {why}",
                              "a path, with interpolations of the composed config such as ${run_dir}") from error
        return os.path.normpath(value) if "://" not in value else value

    def _missing(self, label: str, error: Any) -> ExpiacError:
        wanted = str(error.missing_cfg_file or "")
        folder = self._configs
        # Told at the first part of the path that is wrong: a misspelt folder explains what is missing in it.
        for part in wanted.split("/"):
            if not (folder / part).is_dir():
                break
            folder /= part
        known = [path.stem for path in folder.glob("[!._]*") if path.is_dir() or path.suffix == ".yaml"]
        return ExpiacError("No such config", f"{label}: there is no {self._project.configs}/{wanted}.yaml",
                           did_you_mean(part, known) or f"ls {folder.relative_to(self._project.root)}")


@contextmanager
def _job_environment(text: str) -> Iterator[None]:
    """What a job will only find in its environment counts as given while a config is checked."""
    names = {part.split("}")[0].split(",")[0] for part in text.split("${oc.env:")[1:]
             if part.startswith("EXPIAC_REF_")}
    given = {**dict.fromkeys(names, "ref"), "DATA_DIR": DATA_DIR}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _invalid(label: str, error: BaseException, config: Any) -> ExpiacError:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        prefix = _failing(config, error.title)
        lines = [_line(prefix, part["loc"], part["msg"], part["input"]) for part in error.errors()]
        return ExpiacError("Invalid training config", "\n".join(f"{label}: {line}" for line in lines))
    named: BaseException | None = error
    while named is not None and not getattr(named, "full_key", None):
        named = named.__cause__ or named.__context__
    key = getattr(named, "full_key", "")
    message = str(named or error.__cause__ or error).strip().splitlines()[0]
    return ExpiacError("Invalid training config", f"{label}: {f'{key}: ' if key else ''}{message}")


def _failing(config: Any, title: str, path: str = "") -> str:
    """The key path of the node of class `title` that its class refuses; pydantic names the class alone."""
    from omegaconf import DictConfig, OmegaConf

    for key in config if isinstance(config, DictConfig) else ():
        node = config._get_node(key)
        inner = f"{path}.{key}" if path else str(key)
        if isinstance(node, DictConfig) and (deeper := _failing(node, title, inner)):
            return deeper
        if isinstance(node, DictConfig) and getattr(OmegaConf.get_type(node), "__name__", "") == title:
            try:
                OmegaConf.to_object(node)
            except ValueError:
                return inner
    return ""


def _line(prefix: str, location: tuple[Any, ...], message: str, value: Any) -> str:
    path = ".".join([*([prefix] if prefix else []), *map(str, location)])
    given = f" (got {value!r})" if isinstance(value, str | int | float | bool | None) else ""
    return f"{path}: {message.removeprefix('Value error, ')}{given}"
