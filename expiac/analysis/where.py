"""The conditions of `--where`: `lr<1e-3 and (status=failed or not job~probe)`. Parses them; knows no runs.

    condition   = both {"or" both}
    both        = single {"and" single}
    single      = "not" single | "(" condition ")" | comparison
    comparison  = word ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~") word

A word is anything without spaces, parentheses, quotes and signs of comparison, or stands in quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from expiac.util.errors import UsageError

_TOKENS = re.compile(r"""(?P<space>\s+)|(?P<bracket>[()])|(?P<operator>!=|<=|>=|==|[=<>~])"""
                     r"""|(?P<quoted>"[^"]*"|'[^']*')|(?P<word>[^\s()=!<>~'"]+)""")
_DEEPEST = 50
"""As many parentheses and `not`s within each other are read."""
_MOST = 200
"""As many comparisons make a condition."""
_EXAMPLE = "such as status=failed, lr<1e-3, or job~eval"


@dataclass(frozen=True, slots=True)
class Word:
    """A key or a value, and where it begins in the text."""

    text: str
    place: int


@dataclass(frozen=True, slots=True)
class Compare:
    """A key compared with a value."""

    key: Word
    operator: str
    value: Word


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions that must both hold."""

    first: Condition
    second: Condition


@dataclass(frozen=True, slots=True)
class Either:
    """Two conditions of which one must hold."""

    first: Condition
    second: Condition


Condition = Compare | Not | Both | Either


def parse_condition(text: str) -> Condition:
    """What the text says; raises `UsageError`, which points at the place, where it says nothing."""
    parser = _Parser(text)
    condition = parser.either()
    parser.expect_end()
    return condition


def comparisons(condition: Condition) -> list[Compare]:
    """Every comparison of a condition, in its order."""
    match condition:
        case Compare():
            return [condition]
        case Not(inner):
            return comparisons(inner)
        case Both(first, second) | Either(first, second):
            return comparisons(first) + comparisons(second)


def condition_error(summary: str, text: str, place: int, why: str, hint: str = "") -> UsageError:
    """An error that points at a place of a condition."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return UsageError(summary, f"{shown}\n{' ' * place}^ {why}", hint)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int

    @property
    def keyword(self) -> str:
        """`and`, `or`, `not`, an operator or a parenthesis; empty for other words."""
        if self.kind in ("bracket", "operator"):
            return self.text
        return self.text.lower() if self.kind == "word" and self.text.lower() in ("and", "or", "not") else ""


class _Parser:
    """One pass over the tokens; each method reads what it is called after."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._depth = self._compared = 0

    def either(self) -> Condition:
        found = self._both()
        while self._take("or"):
            found = Either(found, self._both())
        return found

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._error("and, or, or the end is expected")

    def _both(self) -> Condition:
        found = self._single()
        while self._take("and"):
            found = Both(found, self._single())
        return found

    def _single(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error("too deep: fewer parentheses, please")
        found = self._inner()
        self._depth -= 1
        return found

    def _inner(self) -> Condition:
        if self._take("not"):
            return Not(self._single())
        if self._take("("):
            found = self.either()
            if not self._take(")"):
                raise self._error("a closing parenthesis is expected")
            return found
        return self._comparison()

    def _comparison(self) -> Condition:
        self._compared += 1
        if self._compared > _MOST:
            raise self._error(f"too long: at most {_MOST} comparisons, please")
        key = self._word(f"a comparison is expected, {_EXAMPLE}")
        operator = self._next
        if operator.kind != "operator":
            raise self._error("=, !=, <, <=, >, >= or ~ is expected")
        self._tokens.pop(0)
        value = self._word("a value is expected; put quotes around one with spaces or signs, or an empty one")
        return Compare(key, operator.text.replace("==", "="), value)

    def _word(self, expected: str) -> Word:
        token = self._next
        if token.kind not in ("word", "quoted") or token.keyword:
            raise self._error(expected)
        self._tokens.pop(0)
        return Word(token.text[1:-1] if token.kind == "quoted" else token.text, token.place)

    def _take(self, keyword: str) -> bool:
        is_next = self._next.keyword == keyword
        if is_next:
            self._tokens.pop(0)
        return is_next

    @property
    def _next(self) -> _Token:
        return self._tokens[0]

    def _error(self, why: str) -> UsageError:
        return condition_error("Invalid condition", self._text, self._next.place, why)


def _tokens(text: str) -> list[_Token]:
    tokens, place = [], 0
    while place < len(text):
        match = _TOKENS.match(text, place)
        if match is None:
            quote = text[place] in "'\""
            why = "this quote is never closed" if quote else "this is no sign of a condition"
            raise condition_error("Invalid condition", text, place, why)
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match[0], place))
        place = match.end()
    return [*tokens, _Token("end", "", len(text))]
