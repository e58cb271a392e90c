"""Reads the YAML of a rendered experiment config as OmegaConf does: the same numbers, and no key twice.

OmegaConf reads with the part of PyYAML that is written in Python. libyaml, in C, is ten times as fast and differs in
rare cases, such as tabs and long keys; so it reads the plain texts alone that `is_plain` describes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml
from omegaconf._utils import get_yaml_loader

_WORD = r"(?:[A-Za-z0-9_/]|-?[0-9.])[A-Za-z0-9_./@+-]*"
_TEXT = r'"(?:[ !#-\[\]-~]|\\["\\nt/])*"'
_SCALAR = rf"(?:{_WORD}|{_TEXT})"
_LIST = rf"\[(?:{_SCALAR}(?:, {_SCALAR})*)?\]"
_VALUE = rf"(?:{_SCALAR}|{_LIST}|\{{\}})"
_KEY = r"(?:override |optional ){0,2}[A-Za-z_/][A-Za-z0-9_./@-]{0,200}"
_COMMENT = r"#[ -~]*"
_LINE = rf" *(?:{_COMMENT}|(?:- )*(?:- {_VALUE}|{_KEY}:(?: {_VALUE})?)(?: {_COMMENT})?)?"
PLAIN = re.compile(rf"(?:{_LINE}\n)*")
"""Lines of `key: value` and `- value`: words, texts in double quotes, lists on one line, comments."""


def read_config(text: str) -> Any:
    """The data of a config. Raises `yaml.YAMLError` where it is no YAML, or has a key twice."""
    return yaml.load(text, _fast_loader() if is_plain(text) else _own_loader())


def is_plain(text: str) -> bool:
    """Whether both readers of PyYAML surely find the same in a text."""
    return PLAIN.fullmatch(text) is not None


@cache
def _own_loader() -> Any:
    return get_yaml_loader()


@cache
def _fast_loader() -> Any:
    """OmegaConf's loader on libyaml, or OmegaConf's own where there is no libyaml."""
    own = _own_loader()
    if not hasattr(yaml, "CSafeLoader"):
        return own

    class Loader(yaml.CSafeLoader):
        yaml_implicit_resolvers = own.yaml_implicit_resolvers
        yaml_constructors = own.yaml_constructors

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value if key.tag == yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG]
            if len(keys) != len(set(keys)):
                raise yaml.constructor.ConstructorError("while constructing a mapping", node.start_mark,
                                                        "found duplicate key")
            found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
            return found

    return Loader
