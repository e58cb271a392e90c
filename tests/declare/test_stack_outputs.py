"""What a stack exports."""

from __future__ import annotations

import pytest

from expiac import Experiment, Job, Stack, TrainingJobConfig
from expiac.declare.experiment import ExperimentConfig
from expiac.util.errors import ExpiacError

BASE = Job("base", run="true", outputs={"checkpoint": "weights"})


@pytest.mark.parametrize(("outputs", "said"), [
    ({"a b": BASE.output("checkpoint")}, "Invalid name"),
    ({"base": BASE.output("checkpoint")}, "Duplicate name"),
    ({"best": "weights"}, "Invalid output"),
    ({"best": Stack.reference("other").output("best")}, "Invalid output"),
    ({"best": Job("other", run="true").output("checkpoint")}, "Unknown dependency"),
    ({"best": BASE.output("chekpoint")}, "Unknown output"),
])
def test_what_it_has_not_is_refused(outputs, said):
    """Where it is declared."""
    with pytest.raises(ExpiacError, match=said):
        Stack("pretrain", [BASE], outputs=outputs)


class Lab(Experiment):
    def training_job_configs(self):
        return [TrainingJobConfig()]

    def outputs(self, jobs):
        return {"best": jobs[-1].output("checkpoint")}


def test_an_experiment_names_its_jobs_outputs():
    """Whatever its jobs are called; what the config says of all jobs loses none of it."""
    config = ExperimentConfig(name="lab", infra="local", seeds=3)
    assert Lab(config).stack().outputs == {"best": "${ref:train_seed_2.checkpoint}"}


def test_stacks_are_equal_where_they_export_the_same():
    """Tests of programs compare them."""
    same = [Stack("pretrain", [BASE], outputs={"best": BASE.output("checkpoint")}) for _ in range(2)]
    assert same[0] == same[1] != Stack("pretrain", [BASE])
