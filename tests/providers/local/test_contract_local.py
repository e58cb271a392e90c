"""The local provider keeps the promises of every provider, also where its stack is shared."""

import pytest

from expiac.providers.base import Id, Presence
from expiac.providers.local import SharedLocalProvider
from expiac.testing.contract import Bench, Course, ProviderContract
from expiac.util.errors import ExpiacError


class TestLocal(ProviderContract):
    @pytest.fixture
    def bench(self, local: Bench) -> Bench:
        return local


class TestSharedLocal(ProviderContract):
    @pytest.fixture
    def bench(self, local) -> Bench:
        local.kind = SharedLocalProvider
        return local


def test_a_job_of_another_checkout_is_not_here(local):
    """It is unknown and neither absent nor ours to end, by what was noted before its launch."""
    local.kind = SharedLocalProvider
    noted: dict[str, object] = {}
    launched = Id("lineage", "job.one.00000001", 1)
    local.provider("one").create(launched, local.inputs(Course.LASTS, launched), noted.update)
    there = Id("lineage", "job.one.00000001", 1, noted)
    other = local.provider("two")
    seen = other.read_many([there])[there]
    assert (seen.presence, seen.detail) == (Presence.UNKNOWN, f"it was launched in {noted['place']}")
    with pytest.raises(ExpiacError, match="On another machine"):
        other.delete(there)
    with pytest.raises(ExpiacError, match="On another machine"):
        other.create(there, local.inputs(Course.LASTS, launched), noted.update)
    assert local.starts(launched) <= 1
    local.provider("one").delete(there)
