"""Rows of metrics among whatever else a job prints."""

from __future__ import annotations

import pytest

from expiac.providers.printed import merge, printed_rows


@pytest.mark.parametrize("line", [
    '{"step": 1, "loss": 0.5}',
    '  {"step": 1, "loss": 0.5}\t',
    'expiac-metrics {"step": 1, "loss": 0.5}',
    '[2026-01-01 10:00:00,000][trainer][INFO] - expiac-metrics {"step": 1, "loss": 0.5}',
    '\x1b[32mexpiac-metrics\x1b[0m {"step": 1, "loss": 0.5}\x1b[0m',
    '[default0]:{"step": 1, "loss": 0.5}',
    '[rank0]: {"step": 1, "loss": 0.5}',
])
def test_a_row_is_found(line):
    assert list(printed_rows(["hello", line, ""])) == ['{"step": 1, "loss": 0.5}']


@pytest.mark.parametrize("line", [
    "step 1: loss 0.5", '{"pid": 12, "port": 80}', '{"step": 1, "loss": ', "{'step': 1}", '[{"step": 1}]', "{}", "{",
    'said {"step": 1}', 'unexpiac-metrics {"step": 1}', "expiac-metrics 7", '{"step": 1} and more',
    '{"step": ' + "[" * 100_000, '{"step": 1, "text": "' + "x" * 2_000_000 + '"}',
])
def test_what_is_no_row_is_left_out(line):
    assert list(printed_rows([line])) == []


def test_a_row_without_a_step_needs_the_word():
    assert list(printed_rows(['{"loss": 1}', 'expiac-metrics {"loss": 2}'])) == ['{"loss": 2}']


@pytest.mark.parametrize(("known", "read", "is_beginning", "merged"), [
    ("", "abc", False, "abc"), ("abc", "", False, "abc"), ("abc", "bcd", False, "abcd"), ("abc", "abc", False, "abc"),
    ("cd", "abcde", False, "abcde"), ("ab", "de", False, "abde"), ("de", "ab", True, "abde"),
    ("abyz", "abc", True, "abcyz"), ("ayz", "abcdyz", False, "abcdyz"), ("bz", "abc", True, "abcz"),
])
def test_two_readings_come_to_one(known, read, is_beginning, merged):
    assert "".join(merge(list(known), list(read), is_beginning=is_beginning)) == merged
