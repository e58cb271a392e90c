"""The search for garbage is put off, and goes on."""

from __future__ import annotations

import gc

import pytest

from expiac.util.garbage import without_collection


def test_it_goes_on_afterwards():
    """Also after an error."""
    with pytest.raises(KeyError), without_collection():
        {}["no"]
    assert gc.isenabled()


def test_whoever_has_put_it_off_already_decides():
    """A library turns nothing on that was off."""
    with without_collection():
        with without_collection():
            pass
        assert not gc.isenabled()
