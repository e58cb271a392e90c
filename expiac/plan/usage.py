"""What a run uses, by its record. Pure."""

from __future__ import annotations

from expiac.declare.evaluation import Evaluation
from expiac.declare.job import Job
from expiac.declare.training import TrainingJob
from expiac.state.model import Record
from expiac.util.gpus import parse_gpus

_DEFAULT_GPUS = {kind.type: kind.default_gpus for kind in (Evaluation, Job, TrainingJob)}


def gpus_of(record: Record) -> int:
    """How many GPUs it asked for, all nodes together."""
    asked = record.inputs.get("gpus")
    try:
        each = parse_gpus(str(_DEFAULT_GPUS.get(record.type, 0) if asked is None else asked)).number
        return each * int(record.inputs.get("nodes") or 1)
    except (TypeError, ValueError):
        return 0
