"""References to another resource's output, in fields that take nothing else."""

from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import ValidationError

from expiac.declare.resource import Ref, Resource


class Reader(Resource):
    type: ClassVar[str] = "reader"
    source: Ref


def test_the_text_of_a_ref_is_a_ref():
    """Its text is what JSON has."""
    assert Reader("a", source="${ref:base.checkpoint}").source.resource == "base"


def test_any_other_text_is_refused_by_its_field():
    """A stack file says it, so no assertion checks it."""
    with pytest.raises(ValidationError, match=r"source\n  Value error, not a Ref: 'base\.checkpoint'"):
        Reader("a", source="base.checkpoint")
