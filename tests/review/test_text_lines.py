"""How two texts differ as lines."""

from __future__ import annotations

import difflib
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.review.text_lines import NO_END, text_difference

LINES = ("a", "b", "c", "", "- x", "--- y", *(f"key_{n}: {n}" for n in range(30)))
TEXTS = st.lists(st.sampled_from(LINES), max_size=40)
LONG = 10_000


def sides(lines: list[str], *, whole: bool = True) -> tuple[list[str], list[str]]:
    """The two texts that a diff with all of their lines is of."""
    body = [line for line in lines[2:] if not line.startswith("@@")] if whole else lines
    return [line[1:] for line in body if line[0] in " -"], [line[1:] for line in body if line[0] in " +"]


def test_lines_that_differ():
    assert text_difference("a\nb\n", "a\nc\n", "config.yaml") == [
        "--- config.yaml (reviewed)", "+++ config.yaml (rendered)", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]


def test_a_file_that_is_new_or_removed():
    assert text_difference("", "a\nb\n", "x")[2:] == ["@@ -0,0 +1,2 @@", "+a", "+b"]
    assert text_difference("a\n", "", "x")[2:] == ["@@ -1 +0,0 @@", "-a"]


def test_line_ends_are_shown_where_nothing_else_differs():
    assert text_difference("a\r\nb\nc", "a\nb\nc\n", "x")[2:] == [
        "@@ -1,3 +1,3 @@", "-a\r", "+a", " b", f"-c{NO_END}", "+c"]
    assert text_difference("a\r\nb", "a\nc", "x")[2:] == ["@@ -1,2 +1,2 @@", " a", "-b", "+c"]


@given(TEXTS, TEXTS)
@settings(max_examples=300)
def test_both_texts_stand_in_the_difference(before, after):
    old, new = "\n".join(before), "\n".join(after)
    found = text_difference(old, new, "x", context=1000)
    if old == new:
        assert found == []
    elif old.splitlines() == new.splitlines():
        assert found, "the ends of lines"
    else:
        assert sides(found) == (old.splitlines(), new.splitlines())


@given(TEXTS, TEXTS)
@settings(max_examples=200)
def test_hunks_say_where_they_stand(before, after):
    """As those of the standard library do: the ranges lead to the lines."""
    old, new = "\n".join(before).splitlines(), "\n".join(after).splitlines()
    lines = text_difference("\n".join(old), "\n".join(new), "x")
    starts = [at for at, line in enumerate(lines) if at > 1 and line.startswith("@@ -")]
    for start, end in pairwise([*starts, len(lines)]):
        left, right = (part[1:].split(",") for part in lines[start].split()[1:3])
        shown = sides(lines[start + 1:end], whole=False)
        for text, part, (first, *count) in zip((old, new), shown, (left, right), strict=True):
            length = int(count[0]) if count else 1
            assert text[int(first) - 1 if length else int(first):][:length] == part


def test_every_second_line_of_many():
    """What difflib takes half a minute for."""
    before = [f"key_{number}: {number}" for number in range(LONG)]
    after = [f"key_{number}: {number + number % 2}" for number in range(LONG)]
    found = text_difference("\n".join(before), "\n".join(after), "x")
    assert [sum(line[0] == sign for line in found[2:]) for sign in "-+ "] == [LONG // 2] * 3


def test_many_lines_without_one_that_occurs_once_are_all_changed():
    before = [f"key_{number // 2}" for number in range(LONG)]
    after = [line if number % 2 else f"{line}x" for number, line in enumerate(before)]
    assert sides(text_difference("\n".join(before), "\n".join(after), "x", context=LONG)) == (before, after)


def test_a_small_difference_is_the_one_of_the_standard_library():
    before, after = [str(number) for number in range(50)], [str(number) for number in range(50) if number != 25]
    assert text_difference("\n".join(before), "\n".join(after), "x") == list(
        difflib.unified_diff(before, after, "x (reviewed)", "x (rendered)", lineterm=""))
