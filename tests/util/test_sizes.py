"""Bytes are told in a few digits."""

from __future__ import annotations

import pytest

from expiac.util.sizes import size_text


@pytest.mark.parametrize(("size", "text"), [
    (0, "0 bytes"), (999, "999 bytes"), (1000, "1 KB"), (1540, "1.5 KB"), (412_300_000, "412 MB"), (999_600, "1 MB"),
    (1_500_000_000, "1.5 GB"), (9_990_000, "10 MB"), (2_000_000_000_000_000, "2000 TB"),
])
def test_a_size_is_told_in_a_few_digits(size: int, text: str) -> None:
    assert size_text(size) == text
