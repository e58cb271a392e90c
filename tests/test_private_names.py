"""A private name is its module's own: nobody reaches into an object, a parent class or a module of another file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "expiac"
NOT_OURS = {
    ("cli/exits.py", "os._exit"),
    ("providers/local/forks.py", "os._exit"),
    ("compile/compose_errors.py", "config._get_node"),  # OmegaConf has no other way to see a node as it is written
    ("compile/hydra_session.py", "scope._get_node"),
    ("compile/hydra_session.py", "scope._set_parent"),
    ("pytest_plugin/unused.py", "config._syrupy"),  # syrupy gives its report to nobody
    # Hydra offers no composing in parts. What is made of these is compared with Hydra's own answer, in every session.
    ("compile/shared_defaults.py", "ConfigSource._get_header_dict"),
    ("compile/shared_defaults.py", "self.loader._parse_overrides_and_create_caching_repo"),
    ("compile/shared_defaults.py", "defaults.loader._load_single_config"),
    ("compile/shared_defaults.py", "self._loader._apply_overrides_to_config"),
    ("compile/shared_defaults.py", "merged._metadata"),
    ("compile/shared_defaults.py", "node._metadata"),
    ("compile/shared_defaults.py", "config._set_flag"),
    ("compile/shared_defaults.py", "config._get_node"),
    ("compile/shared_defaults.py", "config._is_none"),
    ("compile/shared_defaults.py", "config._is_missing"),
    ("compile/shared_defaults.py", "config._is_interpolation"),
    # Its nodes, without OmegaConf's checks of each; compared with its own conversion, in every session too.
    *(("compile/containers.py", f"node.{name}")
      for name in ("_dereference_node", "_is_missing", "_is_interpolation", "_metadata", "_value")),
}
"""Private by their look: names of libraries."""
NAMED_TUPLE = {"_replace", "_asdict", "_fields"}
"""Public, in spite of their underscore."""
SAME_FILE = {("testing/sky.py", "self.server._launch_job")}
"""Two classes of one file that share a name."""


def modules() -> dict[str, ast.Module]:
    return {str(file.relative_to(PACKAGE)): ast.parse(file.read_text()) for file in sorted(PACKAGE.rglob("*.py"))}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_attributes(tree: ast.AST) -> Iterator[ast.Attribute]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in NAMED_TUPLE:
            yield node


def own(attribute: ast.Attribute) -> bool:
    return isinstance(attribute.value, ast.Name) and attribute.value.id in ("self", "cls")


def private_members(of: ast.ClassDef) -> set[str]:
    """Those that the class defines or uses as its own."""
    defined = {node.name for node in of.body if isinstance(node, ast.FunctionDef) and is_private(node.name)}
    return defined | {attribute.attr for attribute in private_attributes(of) if own(attribute)}


def test_nobody_uses_a_private_member_of_another_object():
    """`other._name`, where `other` is not `self`."""
    reached = {(file, ast.unparse(attribute)) for file, tree in modules().items()
               for attribute in private_attributes(tree) if not own(attribute)}
    assert reached - NOT_OURS - SAME_FILE == set()


def test_nobody_imports_a_private_name():
    """`from module import _name`."""
    imported = [(file, ast.unparse(node)) for file, tree in modules().items() for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and any(is_private(alias.name) for alias in node.names)]
    assert imported == []


def test_no_class_uses_the_private_members_of_a_parent_in_another_file():
    """`self._name`, where a class that it inherits from defines the name."""
    classes = [(file, node) for file, tree in modules().items() for node in ast.walk(tree)
               if isinstance(node, ast.ClassDef)]
    shared = set()
    for file, child in classes:
        parents = {base.id for base in child.bases if isinstance(base, ast.Name)}
        for other, parent in classes:
            if other != file and parent.name in parents:
                shared |= {(file, child.name, name) for name in private_members(child) & private_members(parent)}
    assert shared == set()
