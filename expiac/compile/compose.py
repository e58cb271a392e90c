"""Composes rendered experiment configs with Hydra, against the trainer's schema, and remembers what came out.

The only importer of hydra and omegaconf. A composition takes some 50 ms, so it is kept on disk: by the digest of the
text, together with the digest of every file that it was composed from. While none of them changes it is not redone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expiac.compile.config_files import CONFIG_STEM
from expiac.compile.schema import Schema, invalid_line
from expiac.declare.project import Project
from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError, did_you_mean
from expiac.util.hashing import digest
from expiac.util.placeholders import DATA_DIR, INSTANCE, fill
from expiac.util.render import PACKAGE_HEADER, parse

_FORMAT = 1
ROOT_SCHEMA = "root_schema"
"""The name by which a primary config names the project's schema."""


@dataclass(frozen=True, slots=True)
class Composed:
    """What a trainer will read."""

    config: Mapping[str, Any]
    """The whole composed config, interpolations left as they are, and the user's own texts as they were declared."""
    outputs: Mapping[str, str]
    """The project's declared outputs, resolved against it."""


class Composer:
    """Composes many configs of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._configs = project.root / project.configs
        self._primary = project.training.config_name
        self._name_overrides = _name_overrides(project.run)
        self._cache = project.state_folder / "cache" / "compose"
        self._salt = digest([_FORMAT, project.schema, dict(project.outputs), str(self._configs), self._primary,
                             self._name_overrides])
        self._schema = Schema(project)
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
        with tempfile.TemporaryDirectory(prefix="expiac-compose-") as folder:
            modules = self._register_schema()
            overlay = Path(folder) / "experiments"
            overlay.mkdir()
            with initialize_config_dir(str(self._configs.resolve()), version_base="1.3"):
                for number, (label, text) in enumerate(texts.items()):
                    name = f"rendered_{number}"
                    (overlay / f"{name}.yaml").write_text(text, encoding="utf-8")
                    composed, paths = self._compose_one(label, text, name, folder)
                    files = {path: self._digest(path) for path in (*paths, *modules)}
                    self._store(text, composed, files)
                    found[label] = composed
        return found

    def _register_schema(self) -> tuple[str, ...]:
        """Registers the trainer's schema as `root_schema`; returns the source files that it is made of."""
        from hydra.core.config_store import ConfigStore

        ConfigStore.instance().repo.pop(f"{ROOT_SCHEMA}.yaml", None)  # another project's
        if not self._project.schema:
            return ()
        if self._schema.is_structured:
            ConfigStore.instance().store(ROOT_SCHEMA, node=self._schema.node)
        return self._schema.files

    def _compose_one(self, label: str, text: str, name: str, folder: str) -> tuple[Composed, list[str]]:
        from hydra import compose
        from hydra.errors import HydraException, MissingConfigException
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException
        from yaml import YAMLError

        if text.splitlines()[0].strip() != PACKAGE_HEADER:
            raise ExpiacError("Rendered config has no package header", f"{label}: line 1 is {text.splitlines()[0]!r}",
                              f"let the template begin with: {PACKAGE_HEADER}")
        overrides = [f"+experiments={name}", *self._name_overrides, f"hydra.searchpath=[file://{folder}]"]
        config, names = None, [override.partition("=")[0] for override in self._name_overrides]
        try:
            config = compose(self._primary, overrides)
            if OmegaConf.is_missing(config, "run_name"):
                config.run_name = INSTANCE  # the command tells it in another way than by an override
            paths = self._closure(text, overrides)
            with _job_environment(text):
                self._check(label, config)
                outputs = {key: self._output(config, key, path) for key, path in self._project.outputs.items()}
        except MissingConfigException as error:
            raise self._missing(label, error) from error
        except YAMLError as error:
            raise ExpiacError("Invalid YAML", f"{label}: {error}") from error
        except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
            raise _invalid(label, error, config, names) from error
        plain: Any = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
        return Composed(fill(plain), outputs), paths

    def _check(self, label: str, config: Any) -> None:
        """Raises where the composed config is not of the project's schema."""
        from omegaconf import OmegaConf

        if not self._project.schema:
            return
        value = OmegaConf.to_object(config)
        if type(value) is not self._schema.node:  # the primary config does not name `root_schema`
            self._schema.check(label, OmegaConf.to_container(config, resolve=True, enum_to_str=True))

    def _closure(self, text: str, overrides: list[str]) -> list[str]:
        """The files under `configs/` that a text stands on. Its defaults list decides, and most jobs share one."""
        from hydra.core.global_hydra import GlobalHydra
        from hydra.types import RunMode

        key = repr(parse(text, "defaults").get("defaults"))
        if key not in self._closures:
            loader = GlobalHydra.instance().config_loader()
            chosen = loader.compute_defaults_list(self._primary, overrides, RunMode.RUN).defaults
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
        if wanted == ROOT_SCHEMA and self._project.schema and not self._schema.is_structured:
            return self._schema.not_structured()
        folder = self._configs
        # Told at the first part of the path that is wrong: a misspelt folder explains what is missing in it.
        for part in wanted.split("/"):
            if not (folder / part).is_dir():
                break
            folder /= part
        known = [path.stem for path in folder.glob("[!._]*") if path.is_dir() or path.suffix == ".yaml"]
        return ExpiacError("No such config", f"{label}: there is no {self._project.configs}/{wanted}.yaml",
                           did_you_mean(part, known) or f"ls {folder.relative_to(self._project.root)}")


def is_composed(project: Project) -> bool:
    """Whether the experiment configs of a project can be composed here: it has a schema, or a primary config."""
    primary = project.root / project.configs / f"{project.training.config_name}.yaml"
    return bool(project.schema) or primary.is_file()


def experiment_text(texts: Mapping[str, str]) -> str | None:
    """Among the rendered files of a job the experiment config that is composed; None if there is none."""
    text = texts.get(f"{CONFIG_STEM}.yaml")
    return text if text is not None and text.startswith(PACKAGE_HEADER) else None


def _name_overrides(run: str) -> list[str]:
    """The overrides in the command by which a run is told its name, such as `run_name=@instance@`."""
    text = re.sub(r"\$\{?EXPIAC_INSTANCE\}?", INSTANCE, run)
    found = re.findall(rf"(?:^|\s)[\"']?([+]{{0,2}}[\w./]+)=[\"']?({INSTANCE})[\"']?(?=\s|$)", text)
    return [f"{key}='{value}'" for key, value in found if key.lstrip("+") != "experiments"]


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


def _invalid(label: str, error: BaseException, config: Any, names: Collection[str]) -> ExpiacError:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        prefix = _failing(config, error.title)
        lines = [invalid_line(prefix, part["loc"], part["msg"], part["input"]) for part in error.errors()]
        return ExpiacError("Invalid training config", "\n".join(f"{label}: {line}" for line in lines))
    named: BaseException | None = error
    while named is not None and not getattr(named, "full_key", None):
        named = named.__cause__ or named.__context__
    key = getattr(named, "full_key", "")
    hint = f"[tool.expiac] run sets {key}: give the config such a key, or change run" if key in names else ""
    message = str(named or error.__cause__ or error).strip().splitlines()[0]
    return ExpiacError("Invalid training config", f"{label}: {f'{key}: ' if key else ''}{message}", hint)


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
