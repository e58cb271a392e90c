"""Compiles jobs that say their command, and registers the compilers of all jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expiac.compile.any_job import AnyJobCompiler
from expiac.compile.compiler import compiler_of
from expiac.compile.training_jobs import EvaluationCompiler, TrainingJobCompiler
from expiac.declare.evaluation import Evaluation
from expiac.declare.job import Job
from expiac.declare.training import TrainingJob
from expiac.util.placeholders import escape


class JobCompiler(AnyJobCompiler[Job]):
    """Compiles a job that says its command."""

    @property
    def run(self) -> str:
        command: str = self.recorded_fields.get("run", self.resource.run)
        return command

    def recorded_place(self) -> Mapping[str, Any]:
        """Without the command, which is a field of the job itself."""
        return {name: value for name, value in self.recorded_fields.items() if name != "run"}

    @property
    def command(self) -> str:
        command: str = escape(self.run)
        return command


compiler_of.register(Job, JobCompiler)
compiler_of.register(Evaluation, EvaluationCompiler)
compiler_of.register(TrainingJob, TrainingJobCompiler)
