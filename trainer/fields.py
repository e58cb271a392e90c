"""The types of settings: their bounds, and what a change of one means to expiac."""

from typing import Annotated

from pydantic import Field, WrapValidator

IN_YAML = "???"  # OmegaConf's mark for "configs/ decides"; composing fails when nothing does.

# What a change of a field means to expiac: another run, by default. A result is the same wherever its run was, and
# however the run is described.
PLACEMENT, ANNOTATION = {"expiac": "placement"}, {"expiac": "annotation"}

Count = Annotated[int, Field(ge=1)]
Amount = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
# A subclass of `str` stays what it is, so that a declaration can put a marked string where a value is not yet known.
Text = Annotated[str, WrapValidator(lambda value, check: value if isinstance(value, str) else check(value))]
