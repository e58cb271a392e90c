"""Numbers as people read them."""

from __future__ import annotations

import pytest

from expiac.plan import formatting as inline
from expiac.view import figures


@pytest.mark.parametrize(("number", "shown"), [
    (0, "0"), (950, "950"), (9_999, "9999"), (420_000, "420k"), (999_400, "999k"), (999_600, "1.00M"),
    (1_200_000, "1.20M"), (3_000_000_000, "3.00G")])
def test_counts(number, shown):
    """At most five characters, whatever the size."""
    assert figures.count(number) == shown


@pytest.mark.parametrize(("seconds", "shown"), [
    (0.4, "0s"), (45, "45s"), (80, "1m 20s"), (7500, "2h 05m"), (273_600, "3d 04h")])
def test_durations(seconds, shown):
    """The two largest units."""
    assert inline.duration(seconds) == shown
