"""The plan with everything in it, for the tests of how it reads."""

from __future__ import annotations

import plans
import pytest

from expiac.plan import Plan


@pytest.fixture
def everything() -> Plan:
    return plans.everything()
