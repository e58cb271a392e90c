"""A rendered text says what the data said: to PyYAML, and to OmegaConf, which reads YAML in its own way."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from expiac.util.errors import ExpiacError
from expiac.util.render import Templates, parse, to_yaml

TRAPS = ["a: b", "# c", "off", "on", "yes", "y", "null", "~", "", " ", "1e3", "1.0", "0x1F", "0o17", "1_000",
         "2026-01-01", "1:30", "a\nb", "a\n", "\n", "trailing  \nspace", "\ttab", "'", '"', "it's \"so\"", "\\",
         "😀", "{{ x }}", "{% x %}", "- a", "-", "?", "!tag", "&a", "*a", "%", "@", "`", "[a]", "{a: b}", "|", ">",
         "\u2028", "\x85", "\x07", "=", "<<", ".inf"]
texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = st.one_of(texts, st.sampled_from(TRAPS), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)


def same(a: object, b: object) -> bool:
    return type(a) is type(b) and a == b


@given(texts)
@pytest.mark.parametrize("flow", [False, True])
def test_any_string_stays_the_string_it_is(flow, value):
    """No string can become a number, a boolean, a date, a mapping or a comment."""
    assert same(parse(f"key: {to_yaml(value, 2, flow)}\nnext: 1\n", "t")["key"], value)


@pytest.mark.parametrize("value", TRAPS)
def test_the_trainer_reads_the_same_string(value):
    """OmegaConf takes 1e3 for a number where PyYAML does not: both must see the string."""
    config = OmegaConf.create(f"key: {to_yaml(value, 2)}\n")
    assert same(OmegaConf.to_container(config)["key"], value)


@given(st.floats(allow_nan=False))
@example(1e-5)
@example(1e20)
@example(math.inf)
def test_any_float_stays_the_float_it_is(value):
    """1e-05 is a string to YAML 1.1."""
    text = f"key: {to_yaml(value)}\n"
    assert same(parse(text, "t")["key"], value)
    assert same(OmegaConf.to_container(OmegaConf.create(text))["key"], value)


@given(values)
def test_any_nested_value_comes_back(value):
    """In block style, under a key, whatever its depth."""
    templates = Templates({"t": "top:\n  key:\n    {{ config.top.key | yaml(4) }}\n"})
    rendered = templates.render("t", {"top": {"key": value}})
    assert parse(rendered, "t") == {"top": {"key": value}}


@given(st.sampled_from(TRAPS) | texts)
def test_a_template_that_forgets_the_filter_is_quoted_all_the_same(value):
    """Every expression passes the filter, also one that does not ask for it."""
    rendered = Templates({"t": "a: {{ config.a }}\nb: 1\n"}).render("t", {"a": value})
    assert parse(rendered, "t") == {"a": value, "b": 1}


def test_a_hydra_interpolation_stays_one():
    """It is the trainer's to resolve."""
    config = OmegaConf.create(f"run_dir: x\nd: {to_yaml('${run_dir}/replays')}\n")
    assert config.d == "x/replays"


def test_an_undefined_variable_names_template_and_line():
    """A typing mistake in a template is the user's, so it gets no traceback."""
    with pytest.raises(ExpiacError, match=r"t, line 2: 'nope' is undefined"):
        Templates({"t": "a: {{ config.a }}\nb: {{ nope }}\n"}).render("t", {"a": 1})


@pytest.mark.parametrize(("source", "message"), [
    ("b: 1\n", r"t leaves out a = 1"),
    ("a: 2\n", r"a is 2, and should be 1"),
    ("a: '{{ config.a }}'\n", r"a is '1', and should be 1"),
    ("a: {{ config.a }\n", r"t, line 1"),
    ("a: [{{ config.a }}\n", r"t: "),
])
def test_a_template_that_drops_or_alters_a_value_is_refused(source, message):
    """The text is parsed back and compared with the data that went in."""
    with pytest.raises(ExpiacError, match=message):
        Templates({"t": source}).render("t", {"a": 1})


def test_what_the_template_says_itself_may_stand_beside_the_data():
    """Constants of the template are reviewed where they stand."""
    rendered = Templates({"t": "a: {{ config.a }}\nmine: yes\n"}).render("t", {"a": 1})
    assert parse(rendered, "t") == {"a": 1, "mine": True}


def test_an_unknown_template_is_named_with_those_that_are_there():
    """A missing experiment.yaml.j2 is no misspelt task.yaml.j2."""
    with pytest.raises(ExpiacError, match=r"tsk\.yaml\.j2\n  Hint: the project's templates are task\.yaml\.j2"):
        Templates({"task.yaml.j2": ""}).render("tsk.yaml.j2", {})
