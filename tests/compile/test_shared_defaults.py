"""Configs with one defaults list are composed from what they have in common, and each is what Hydra makes of it.

The tests compose random configs in random projects both ways, and compare node by node: values, types and flags.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, ListConfig
from omegaconf._utils import get_yaml_loader

from expiac.compile import hydra_session as module
from expiac.compile.composed import Composed
from expiac.compile.config_yaml import PLAIN, read_config
from expiac.compile.hydra_session import hydra_session
from expiac.compile.schema import Schema
from expiac.compile.shared_defaults import SharedDefaults
from expiac.declare.project import Project
from expiac.declare.training_settings import PACKAGE_HEADER
from expiac.util.errors import ExpiacError
from expiac.util.render import to_yaml

EXAMPLES = 12
FILES = {
    "base": "lr: 0.5\nhome: base-${seed}\n",
    "db/my": "defaults: [/engine@engine: fast, _self_]\nhost: my\nport: 3\n",
    "db/pg": "defaults:\n - _self_\n - /engine@engine: slow\nhost: ${oc.env:COMPOSED_HOME,pg}\nengine: {speed: 7}\n",
    "db/bare": "port: 4\nengine: {limits: [9]}\n",
    "engine/fast": "speed: 9\ncolor: green\nlabel: ${seed}\n",
    "engine/slow": "speed: 0.1\nlimits: [5, 6, 7]\n",
    "deep/nest": "defaults:\n - /engine@_here_.inner: fast\n - optional /engine@_here_.none: none\ndepth: 1\n",
    "deep/global": "# @package _global_\nseed: 5\nnested: {g: 1}\n",
    "deep/same": "copy: ${db}\n",
    "experiments/more": "# @package _global_\nlr: 0.25\n",
}
PRIMARIES = (
    "defaults: [root_schema, _self_]\n",
    "defaults: [root_schema, base, _self_, db: my]\nseed: 3\n",
    "defaults: [_self_, db: bare]\nnested: {a: {b: 1}}\nlr: 1\n",
    "defaults: [root_schema, _self_]\nhydra: {run: {dir: .}, output_subdir: null}\nother: {a: 1, b: [1, 2]}\n",
    "seed: 1\n",
)
FITTING_ENTRIES = ("/base", {"/db": "my"}, {"/db": "pg"}, {"/db@other": "my"}, {"/db@nested.db": "pg"},
                   {"/engine@db.engine": "slow"}, {"/deep": "nest"}, {"/deep@deep": "nest"}, {"/deep@_global_": "same"},
                   "/deep/global", {"optional /db": "none"}, "more", {"optional /engine@other": "slow"},
                   {"/deep@other": "nest"}, {"/db": None})
OTHER_ENTRIES = ({"/db": "bare"}, {"/engine@_global_": "fast"}, {"/engine@_here_": "fast"}, {"/deep@_here_": "nest"},
                 {"/db": "${db}"}, {"/nope": "no"})
ENTRIES = st.sampled_from((*FITTING_ENTRIES, *FITTING_ENTRIES, *OTHER_ENTRIES))
OVERRIDES = st.sampled_from((
    {"override /db": "pg"}, {"override /engine@db.engine": "slow"}, {"override /db@other": "bare"},
    {"override /engine@db.engine": "none"}, {"override /deep": "same"}))


@st.composite
def defaults_lists(draw: st.DrawFn) -> list[Any] | None:
    """Entries, with `_self_` at any place or nowhere, and then overrides."""
    entries: list[Any] = draw(st.lists(ENTRIES, max_size=3, unique_by=repr))
    if draw(st.integers(0, 4)):
        entries.insert(draw(st.integers(0, len(entries))), "_self_")
    if not draw(st.integers(0, 4)):
        entries.append(draw(OVERRIDES))
    return entries or draw(st.sampled_from((None, [])))


LEAVES = st.one_of(
    st.integers(-5, 5), st.floats(allow_nan=False), st.booleans(), st.none(),
    st.sampled_from(("red", "green", "blue", "1", "0.5", "1e-3", "yes", "", "off", "???", "a: b", "@instance@", "é",
                     "${seed}", "${.port}", "${..lr}", "${db}", "${db.engine}", "${oc.env:COMPOSED_HOME,no}", "${nope}",
                     "${oc.env:COMPOSED_NOPE}", "x-${lr}-${db.host}", "${oc.decode:'[1, 2]'}", "${", "\\${seed}",
                     "${oc.create:{a: 1}}", "${hydra:job.name}", "${hydra.job.name}", "line\nline", "0x1F", "1_000",
                     "2020-01-01", "1:30", "${names}", "${other}")))
KEYS = st.sampled_from(("seed", "lr", "on", "db", "engine", "host", "port", "speed", "color", "limits", "label",
                        "engines", "spare", "ratio", "table", "other", "names", "nested", "a", "b", "inner"))
TREES = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=8)
RARE = st.sampled_from(({"hydra": {"job": {"name": "x"}}}, {"defaults": ["a"]}, {1: 2}, {"run_name": "own"}, {}, {},
                        {"name": "${base}"}, {"db": None}, {"db": "???"}, {"db": "${other}"}, {"db": {"engine": None}},
                        {"db": {"engine": {"defaults": [1]}}}, {"run_name": None}))
FITTING = st.fixed_dictionaries({"seed": st.integers(0, 9)}, optional={
    "lr": st.floats(0, 1), "on": st.booleans(),
    "db": st.fixed_dictionaries({"host": st.sampled_from(("h", "${seed}"))}, optional={
        "port": st.integers(1, 9), "ratio": st.sampled_from((1, 0.25)),
        "engine": st.fixed_dictionaries({}, optional={
            "color": st.sampled_from(("red", "green")), "limits": st.lists(st.integers(0, 3), max_size=2),
            "speed": st.sampled_from((1, 2.5, "${lr}"))}),
        "engines": st.dictionaries(st.sampled_from("ab"), st.fixed_dictionaries({"speed": st.integers(1, 3)})),
        "spare": st.sampled_from((None, {"speed": 3}, "${db.engine}")),
        "table": st.lists(st.sampled_from(({"speed": 3}, {"color": "green"})), max_size=2)}),
    "names": st.dictionaries(st.sampled_from("xyz"), st.integers(0, 3)),
    "nested": st.dictionaries(st.sampled_from("xyz"), LEAVES.filter(lambda leaf: not str(leaf).startswith("${")))})
BODIES = st.one_of(FITTING.map(lambda body: {"db": {"host": "h"}, **body}),
                   st.tuples(FITTING, st.dictionaries(KEYS, TREES, max_size=2), RARE).map(
    lambda parts: parts[0] | parts[1] | {key: value for key, value in parts[2].items() if key != "defaults"}))


def rendered(defaults: list[Any] | None, body: dict[Any, Any], *, plain: bool = True) -> str:
    """As a template writes it, or as someone's own template may."""
    given = {"defaults": defaults, **body} if defaults is not None else body
    text = to_yaml(given) if plain else yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=30)
    return f"{PACKAGE_HEADER}\n# Of a job.\n{text}\n"


def project_in(folder: Path, primary: str, schema: str, files: dict[str, str] = FILES) -> Project:
    for name, text in ({"config": primary} | files).items():
        file = folder / "configs" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Project(root=folder, schema=schema, outputs={"log": "out/${seed}"})


@contextmanager
def session_of(primary: str, names: list[str]) -> Iterator[module.HydraSession]:
    with tempfile.TemporaryDirectory() as folder:
        schema = "composed_schema:Root" if "root_schema" in primary else ""
        project = project_in(Path(folder), primary, schema)
        with hydra_session(project, Schema(project), names) as session:
            yield session


def answers(session: module.HydraSession, texts: list[str]) -> list[Composed | str]:
    """What comes of each text; of what fails the error."""
    found: list[Composed | str] = []
    try:
        found.extend(composed for _, composed, _ in session.compose({str(at): text for at, text in enumerate(texts)}))
    except ExpiacError as error:
        found.append(f"{error.summary}: {error.detail} {error.hint}")
    except Exception as error:  # an assertion of Hydra's, for one
        found.append(f"{type(error).__name__}: {error}")
    return found


def nodes(node: Any) -> Any:
    """All that can be told of a node of OmegaConf."""
    metadata = node._metadata
    known = (type(node).__name__, str(metadata.ref_type), metadata.object_type, metadata.optional,
             {flag: value for flag, value in (metadata.flags or {}).items() if value is not None})
    if not isinstance(node, DictConfig | ListConfig) or not isinstance(node._content, dict | list):
        value = node._value()
        return *known, type(value).__name__, nodes(value) if hasattr(value, "_metadata") else repr(value)
    known = (*known, str(metadata.element_type), str(metadata.key_type if isinstance(node, DictConfig) else ""))
    items = node._content.items() if isinstance(node._content, dict) else enumerate(node._content)
    return *known, [(repr(key), nodes(value)) for key, value in items]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, Any]]]:
    """Both ways to the config of each text that is composed the new way: [(Hydra's nodes, ours)]."""
    pairs: list[tuple[Any, Any]] = []
    plain = SharedDefaults.compose
    at: list[module.HydraSession] = []
    begin = module.HydraSession.compose

    def begun(session: module.HydraSession, texts: Any) -> Any:
        at.append(session)
        return begin(session, texts)

    def both(shared: SharedDefaults, text: str, values: Any) -> DictConfig:
        ours = plain(shared, text, values)
        at[-1]._file.write_text(text, encoding="utf-8")
        pairs.append((nodes(hydra.compose(at[-1]._primary, at[-1]._overrides)), nodes(ours)))
        return ours

    with monkeypatch.context() as patch:
        patch.setattr(SharedDefaults, "compose", both)
        patch.setattr(module.HydraSession, "compose", begun)
        yield pairs


@pytest.fixture(autouse=True)
def home(monkeypatch):
    monkeypatch.setenv("COMPOSED_HOME", "at-home")
    monkeypatch.delenv("COMPOSED_NOPE", raising=False)


NAMES = st.sampled_from((["++run_name='@instance@'"], ["++run_name='@instance@'"], ["run_name='@instance@'"], []))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
          phases=[Phase.explicit, Phase.reuse, Phase.generate])  # one takes a second: nothing is made smaller
@given(primary=st.sampled_from(PRIMARIES), defaults=defaults_lists(),
       first=FITTING.map(lambda body: {"db": {"host": "h"}, **body}),
       bodies=st.lists(BODIES, min_size=2, max_size=4), plain=st.booleans(),
       names=NAMES)
@example(primary=PRIMARIES[1], defaults=["_self_", {"/db@other": "my"}], first={"seed": 1}, plain=True, names=[],
         bodies=[{"seed": 2}, {"other": {"host": "h", "engine": {"limits": [4]}}}])
@example(primary=PRIMARIES[0], defaults=[{"/db": "my"}, "_self_", {"override /db": "pg"}], first={"seed": 1},
         plain=True, names=[], bodies=[{"db": {"engine": {"color": "green"}}}, {"db": {"engine": {"color": "blue"}}}])
def test_each_config_is_what_hydra_makes_of_it(monkeypatch, primary, defaults, first, bodies, plain, names):
    """The same nodes, results and errors, in whatever order the configs come."""
    texts = [rendered(defaults, body, plain=plain) for body in (first, *bodies)]
    with monkeypatch.context() as patch, session_of(primary, names) as session:
        patch.setattr(module, "_WORTH_SHARING", len(texts) + 1)
        each = [answers(session, [text])[0] for text in texts]
    with watched(monkeypatch) as pairs, session_of(primary, names) as session:
        # A session stops at the first error: what fails is composed last, each time after those that do not.
        good = [text for text, answer in zip(texts, each, strict=True) if isinstance(answer, Composed)]
        bad = [(text, answer) for text, answer in zip(texts, each, strict=True) if not isinstance(answer, Composed)]
        monkeypatch.setattr(module, "_WORTH_SHARING", 1)
        theirs = [repr(answer) for answer in each if isinstance(answer, Composed)]
        assert list(map(repr, answers(session, good))) == theirs
        for text, error in bad:
            assert answers(session, [*good[:1], text])[-1] == error.replace("0: ", f"{len(good[:1])}: ", 1)
    for of_hydra, ours in pairs:
        assert ours == of_hydra


def test_hydra_composes_the_first_of_many_only(monkeypatch):
    """The others are made from what they have in common with it, errors told by Hydra."""
    calls = []
    plain = hydra.compose
    monkeypatch.setattr(module, "compose", lambda *given: calls.append(1) or plain(*given))
    texts = [rendered([{"/db": "my"}, "_self_"], {"seed": seed}) for seed in range(9)]
    with session_of(PRIMARIES[0], []) as session:
        found = answers(session, [*texts, rendered([{"/db": "my"}, "_self_"], {"seed": "no"})])
    assert [answer.config["seed"] for answer in found[:-1]] == list(range(9))
    assert found[-1].startswith("Invalid training config: 9: seed: ")
    assert len(calls) == 2


def test_another_defaults_list_is_another_common_part():
    """Configs of two groups in turns."""
    texts = [rendered([{"/db": name}, "_self_"], {"seed": seed}) for seed in range(4) for name in ("my", "pg")]
    with session_of(PRIMARIES[0], []) as session:
        found = answers(session, texts)
    assert [(answer.config["seed"], answer.config["db"]["port"]) for answer in found] == [
        (seed, port) for seed in range(4) for port in (3, 1)]


@settings(max_examples=300)
@given(text=st.from_regex(PLAIN, fullmatch=True))
@example(text="a: 1e3\nb: 1.\nc: 0o7\nd: 1_0\ne: .5e3\n")
@example(text="a: off\na: 1\n")
@example(text="a:\n- - 1\n  - []\n# c\n")
def test_a_plain_text_is_read_as_omegaconf_reads_it(text):
    """libyaml and PyYAML find the same data in it, or both refuse it."""
    assert repr(loaded(lambda: read_config(text))) == repr(loaded(lambda: yaml.load(text, get_yaml_loader())))


def loaded(read: Any) -> Any:
    try:
        return read()
    except (yaml.YAMLError, ValueError, TypeError) as error:
        return type(error).__name__
