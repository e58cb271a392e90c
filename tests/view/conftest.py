"""The plan with everything in it, for the tests of how it reads."""

from __future__ import annotations

import plans
import pytest

from expiac.plan.model import Plan


@pytest.fixture
def everything() -> Plan:
    return plans.everything()
