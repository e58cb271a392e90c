"""How two texts differ in what they say."""

from __future__ import annotations

import pytest

from expiac.plan.model import MISSING
from expiac.review.differences import Difference, differences, read_text


def of(before: str, after: str, name: str = "config.yaml") -> list[Difference]:
    old, new = read_text(before, name), read_text(after, name)
    assert old is not None
    assert new is not None
    return list(differences(old, new))


def test_a_changed_value_an_added_one_and_one_that_is_gone():
    assert of("a: 1\nb: {c: x}\n", "a: 2\nb: {d: y}\n") == [
        Difference("a", 1, 2), Difference("b.c", "x", MISSING), Difference("b.d", MISSING, "y")]


def test_the_order_of_keys_comments_and_layout_are_no_difference():
    assert of("# one\na: 1\nb: {c: 2}\n", "b:\n  c: 2\na: 1\n") == []


@pytest.mark.parametrize(("before", "after"), [("1", "1.0"), ("1", "true"), ("'1'", "1"), ("null", "''")])
def test_values_of_another_type_differ(before, after):
    assert len(of(f"a: {before}", f"a: {after}")) == 1


def test_a_key_under_another_parent_has_moved():
    assert of("a: {lr: 0.1, x: 1}\nb: {y: 1}", "a: {x: 1}\nb: {lr: 0.1, y: 1}") == [
        Difference("a.lr", 0.1, MISSING, "b.lr")]


def test_a_section_has_moved_under_another_name():
    (only,) = of("optimizer: {lr: 0.1, betas: [1, 2]}\nx: {y: 1}", "opt: {lr: 0.1, betas: [1, 2]}\nx: {y: 1}")
    assert (only.path, only.moved_to) == ("optimizer", "opt")


def test_equal_values_under_other_names_are_not_taken_for_moved():
    assert {one.moved_to for one in of("a: 1\nx: 0", "b: 1\nx: 0")} == {""}


def test_a_value_that_may_have_moved_to_two_places_has_not_moved():
    found = of("a: {lr: 1}\nb: {}\nc: {}", "a: {}\nb: {lr: 1}\nc: {lr: 1}")
    assert {one.moved_to for one in found} == {""}


@pytest.mark.parametrize(("text", "name"), [
    ("a: [", "config.yaml"), ("- 1\n", "config.yaml"), ("", "config.yaml"), ("{", "config.json"),
    ("a = ", "config.toml"), ("a: " + "[" * 100_000, "config.yaml")])
def test_a_text_that_says_no_mapping_is_compared_as_text(text, name):
    assert read_text(text, name) is None


def test_a_text_whose_aliases_would_fill_the_memory_is_not_read():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert read_text("\n".join(lines), "config.yaml") is None


@pytest.mark.parametrize(("text", "name"), [
    ("day: 2026-01-01\n1: x\n", "config.yaml"), ('{"a": 1}', "config.json"), ("day = 2026-01-01\n", "config.toml")])
def test_dates_and_numbers_as_keys_can_be_compared(text, name):
    assert read_text(text, name)
    assert of(text, text, name) == []
