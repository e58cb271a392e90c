"""The forms of what says where and on what a job runs: counts, sizes, ports, names of variables.

Each check answers for every backend, so that a text which none of them can carry out is refused where it is declared.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from expiac.util.gpus import parse_gpus

_GPU_TYPE = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_NUMBER = r"\d+(?:\.\d+)?"
_CPUS = re.compile(rf"{_NUMBER}\+?", re.ASCII)
_MEMORY = re.compile(rf"{_NUMBER}(?:[KMGTP]B?)?\+?", re.ASCII | re.IGNORECASE)
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def _check_gpus(value: int | str | None) -> int | str | None:
    if value is None:
        return None
    form = "gpus is a count such as 4, or a type and a count such as H100:8"
    try:
        gpus = parse_gpus(str(value))
    except ValueError as error:
        raise ValueError(f"gpus is {error}") from None
    is_known = not gpus.type or (_GPU_TYPE.fullmatch(gpus.type) and gpus.count[0] != "0")
    if not is_known or "." in gpus.count:
        raise ValueError(form)
    # Types have digits in their names; a word without any and without a count is more likely a mistaken count.
    if gpus.type and ":" not in str(value) and not any(letter.isdigit() for letter in gpus.type):
        raise ValueError(f"{form}; if {gpus.type} is a type, write {gpus.type}:1")
    return value


def _check_cpus(value: int | str | None) -> int | str | None:
    if value is not None and (not _CPUS.fullmatch(str(value)) or _is_zero(str(value))):
        raise ValueError("cpus is a number such as 4, or 4+ for at least as many")
    return value


def _check_memory(value: int | str | None) -> int | str | None:
    if value is not None and (not _MEMORY.fullmatch(str(value)) or _is_zero(str(value))):
        raise ValueError("memory is in GiB, such as 16, 16+ for at least as much, or with its unit: 512MB")
    return value


def _is_zero(text: str) -> bool:
    return not text.strip("0.+KMGTPBkmgtpb")


def _check_ports(value: int | str) -> int | str:
    match = _PORTS.fullmatch(str(value))
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise ValueError("a port is from 1 to 65535, such as 8080, or a range such as 10020-10040")
    return value


def _check_place(value: str | None) -> str | None:
    if value is not None and (not value or any(letter.isspace() for letter in value)):
        raise ValueError("a name without blanks, or None")
    return value


def _check_folder(value: str | None) -> str | None:
    if value is not None and (not value or value.startswith("~") or "://" in value):
        raise ValueError("data_dir is a path on the machine: absolute, or from the job's working directory")
    return value


def _check_variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("a variable's name is a letter or '_', then letters, digits and '_'")
    return name


def _check_text(value: str) -> str:
    if "\0" in value:
        raise ValueError("the value of a variable can't contain a NUL character")
    return value


Gpus = Annotated[int | str | None, AfterValidator(_check_gpus)]
Cpus = Annotated[int | str | None, AfterValidator(_check_cpus)]
Memory = Annotated[int | str | None, AfterValidator(_check_memory)]
Disk = Annotated[int | None, Field(ge=1)]
Port = Annotated[int | str, AfterValidator(_check_ports)]
Place = Annotated[str | None, AfterValidator(_check_place)]
"""Of a cloud, a region or an image."""
Folder = Annotated[str | None, AfterValidator(_check_folder)]
VariableName = Annotated[str, AfterValidator(_check_variable)]
VariableText = Annotated[str, AfterValidator(_check_text)]
