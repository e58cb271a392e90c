"""Composes rendered experiment configs with Hydra, against the trainer's schema, and remembers what came out.

Hydra takes some 50 ms for a config, so what is composed is kept on disk: by the digest of the text, together with the
digest of every file that it was composed from and of every variable that it reads. While none of them changes it is not
redone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from expiac.compile.composed import Composed
from expiac.compile.config_files import CONFIG_STEM
from expiac.compile.environment import VARIABLE, digest_of_variable, variables_in
from expiac.compile.optional_defaults import has_optional
from expiac.compile.schema import Schema
from expiac.declare.project import Project
from expiac.declare.training_settings import PACKAGE_HEADER
from expiac.util.durable import write_private
from expiac.util.errors import ExpiacError
from expiac.util.hashing import digest
from expiac.util.placeholders import INSTANCE

_FORMAT = 2
_NO_FILE = "/dev/null/optional"
"""Among the files of a config, one that is never as it was: the config is composed each time."""
_NEVER = "not to be remembered"


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
        self._besides_outputs = _besides("\n".join(project.outputs.values()), is_config=False)
        self._schema = Schema(project)
        self._digests: dict[str, str] = {}
        self._besides: dict[str, frozenset[str]] = {}

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
            if any(self.digest_of(path) != was for path, was in entry["files"].items()):
                return None
            return Composed(entry["config"], entry["outputs"], entry["files"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # damaged: it is composed anew
            return None

    def _store(self, text: str, composed: Composed, files: Mapping[str, str]) -> None:
        entry = {"files": files, "config": composed.config, "outputs": composed.outputs}
        data = json.dumps(entry).encode()
        try:
            write_private(self._file(text), data)  # one that is cut off is no JSON, and so not read
        except OSError:
            return  # a memory that can't be written costs time only

    def _file(self, text: str) -> Path:
        return self._cache / f"{digest([self._salt, text])[:40]}.json"

    def digest_of(self, path: str) -> str:
        """The digest of a file, or of a variable `env:NAME`, as it is now; empty where there is none."""
        if path not in self._digests:
            if path.startswith(VARIABLE):
                self._digests[path] = digest_of_variable(path.removeprefix(VARIABLE))
                return self._digests[path]
            try:
                self._digests[path] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def _files(self, text: str, paths: Iterable[str]) -> dict[str, str]:
        """What a composed text stands on: the digest of each file and variable."""
        paths = tuple(paths)
        besides = _besides(text).union(self._besides_outputs, *map(self._besides_of, paths))
        digests = {path: self.digest_of(path) for path in (*paths, *sorted(besides - {_NO_FILE}))}
        return digests | {_NO_FILE: _NEVER} if _NO_FILE in besides else digests

    def _besides_of(self, path: str) -> frozenset[str]:
        if path not in self._besides:
            self._besides[path] = _besides(Path(path).read_text(encoding="utf-8", errors="replace"),
                                            is_config=path.endswith(".yaml"))
        return self._besides[path]

    def _compose_missing(self, texts: Mapping[str, str]) -> dict[str, Composed]:
        from expiac.compile.hydra_session import hydra_session  # imports Hydra

        if not self._configs.is_dir():
            raise ExpiacError("No configs", f"{self._configs} is not a folder",
                              "[tool.expiac] configs names the folder of Hydra configs")
        found = {}
        with hydra_session(self._project, self._schema, self._name_overrides) as session:
            for label, composed, paths in session.compose(texts):
                files = self._files(texts[label], (*paths, *session.schema_files))
                self._store(texts[label], composed, files)
                found[label] = replace(composed, files=files)
        return found


def _besides(text: str, *, is_config: bool = True) -> frozenset[str]:
    """What a config of this text stands on besides files: variables, and what nothing can tell the change of.

    An optional file that is missing is of the latter: nothing tells when it comes to be.
    """
    variables = variables_in(text)
    if variables is None or (is_config and has_optional(text)):
        return frozenset({_NO_FILE})
    return frozenset(f"{VARIABLE}{name}" for name in variables)


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
