"""GPUs are read in one way, whoever asks for them."""

from __future__ import annotations

import pytest

from expiac.util.gpus import Gpus, parse_gpus


@pytest.mark.parametrize(("text", "gpus", "number"), [
    ("4", Gpus("", "4"), 4),
    ("0", Gpus("", "0"), 0),
    ("H100", Gpus("H100", "1"), 1),
    ("H100:8", Gpus("H100", "8"), 8),
    ("A100-80GB:0.5", Gpus("A100-80GB", "0.5"), 1),
])
def test_a_count_a_type_or_both(text, gpus, number):
    """A type without a count is one; of a fraction a whole one is needed."""
    assert parse_gpus(text) == gpus
    assert gpus.number == number


@pytest.mark.parametrize("text", ["", ":4", "H100:", "H100:many", "H100:8:2"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="a count such as 4"):
        parse_gpus(text)
