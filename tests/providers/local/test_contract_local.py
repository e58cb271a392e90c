"""The local provider keeps the promises of every provider."""

import pytest

from expiac.testing.contract import Bench, ProviderContract


class TestLocal(ProviderContract):
    @pytest.fixture
    def bench(self, local: Bench) -> Bench:
        return local
