"""What Hydra, OmegaConf and pydantic say of a config, as an error that names the job and the key."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from expiac.compile.schema import Schema, invalid_line
from expiac.declare.project import Project
from expiac.util.errors import ExpiacError, did_you_mean

ROOT_SCHEMA = "root_schema"
"""The name by which a primary config names the project's schema."""


def missing_config(project: Project, schema: Schema, label: str, error: Any) -> ExpiacError:
    """The error for a config that Hydra does not find: it names the first part of the path that is wrong."""
    wanted = str(error.missing_cfg_file or "")
    if wanted == ROOT_SCHEMA and project.schema and not schema.is_structured:
        return schema.not_structured()
    folder = project.root / project.configs
    # Told at the first part of the path that is wrong: a misspelt folder explains what is missing in it.
    for part in wanted.split("/"):
        if not (folder / part).is_dir():
            break
        folder /= part
    known = [path.stem for path in folder.glob("[!._]*") if path.is_dir() or path.suffix == ".yaml"]
    return ExpiacError("No such config", f"{label}: there is no {project.configs}/{wanted}.yaml",
                       did_you_mean(part, known) or f"ls {folder.relative_to(project.root)}")


def invalid_config(label: str, error: BaseException, config: Any, names: Collection[str]) -> ExpiacError:
    """The error for a config that can't be composed or is not of its schema; `names` are keys that the command sets."""
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
