"""A mistake in a stack file is named by its file and line, or by the job and the key."""

from __future__ import annotations

import pytest
from refusals import refused
from throwaway import FIRST, Folder

TRAIN = "small = Stack('small', [TrainingJob('train', skypilot=HERE, training=TrainingRunConfig({}))])\n"
ONE = "small = Stack('small', [Job('one', run='true', skypilot=SkypilotJobConfig(gpus=0, {}))])\n"
HERE_ = f"stacks/small.py:{FIRST}"
PROGRAMS = {
    "a syntax error": (
        "small = Stack('small', [\n", "Syntax error", f"{HERE_}: '[' was never closed"),
    "an exception in a function that it calls": (
        "def rate():\n    return {}['lr']\n\ndef stack() -> Stack:\n    return Stack('small', [rate()])\n",
        "Stack program failed", f"stacks/small.py:{FIRST + 1}: KeyError: 'lr'"),
    "a module that is not there": (
        "import nosuchmodule\n", f"{HERE_}: ModuleNotFoundError: No module named 'nosuchmodule'"),
    "no stack in it": (
        "x = 1\n", "stacks/small.py declares nothing", "a stack file has a function stack(config)"),
    "two resources of one name": (
        "small = Stack('small', [Job('one', run='a'), Job('one', run='b')])\n",
        "Duplicate name", "two resources are called 'one'", HERE_),
    "a cycle": (
        "small = Stack('small', [Job(a, run='x', depends_on=(b,)) for a, b in ('ab', 'bc', 'ca')])\n",
        "Dependency cycle", "a → b → c → a", HERE_),
    "an unknown dependency": (
        "small = Stack('small', [Job('alpha', run='x'), Job('b', run='x', depends_on=('alfa',))])\n",
        "Unknown dependency", "b needs 'alfa'", HERE_, "did you mean alpha?"),
    "an unknown output": (
        "a = Job('a', run='x', outputs={'lines': 'l.txt'})\n"
        "small = Stack('small', [a, Job('b', run='cat ' + a.output('line'))])\n",
        "Unknown output", "b refers to a.line", "did you mean lines?"),
    "an unknown output of a training job": (
        "a = TrainingJob('a')\nsmall = Stack('small', [a, Job('b', run='cat ' + a.output('checkpont'))])\n",
        "Unknown output", "b refers to a.checkpont", "did you mean checkpoint?"),
    "an output of a job that has none": (
        "a = Job('a', run='x')\nsmall = Stack('small', [a, Job('b', run='cat ' + a.output('lines'))])\n",
        "b refers to a.lines", 'outputs={"lines": "a/path"}'),
    "an unknown curriculum": (
        TRAIN.format("curriculum='env/mettagrid/curriculum/arena/basik'"),
        "No such config", "train: there is no configs/env/mettagrid/curriculum/arena/basik.yaml", "mean basic?"),
    "a curriculum in an unknown folder": (
        TRAIN.format("curriculum='env/metagrid/curriculum/arena/basic'"), "No such config", "did you mean mettagrid?"),
    "an unknown agent": (
        TRAIN.format("agent='fst'"), "train: there is no configs/agent/fst.yaml", "did you mean fast?"),
    "a learning rate out of bounds": (
        TRAIN.format("trainer=TrainerConfig(optimizer=OptimizerConfig(learning_rate=-1))"),
        f"OptimizerConfig, {HERE_}", "learning_rate: Input should be greater than 0 (given -1)"),
    "minibatches that do not fill a batch": (
        TRAIN.format("trainer=TrainerConfig(batch_size=1000, minibatch_size=300)"),
        f"TrainerConfig, {HERE_}", "minibatch_size (300) must divide batch_size (1000)"),
    "minibatches that do not fill the batch of configs/": (
        TRAIN.format("trainer=TrainerConfig(minibatch_size=300)"),
        "Invalid training config", "train: trainer: minibatch_size (300) must divide batch_size ("),
    "an unknown setting": (
        TRAIN.format("trainer=TrainerConfig(batchsize=1000)"),
        f"TrainerConfig, {HERE_}", "batchsize: no such key", "did you mean batch_size?"),
    "an unknown placement": (
        ONE.format("node=2"), "node: no such key", HERE_, "did you mean nodes?"),
    "gpus that are none": (
        ONE.replace("gpus=0", "gpus='H100:many'").format("workdir=None"), HERE_, "gpus", "H100:8"),
    "a missing file to mount": (
        ONE.format("workdir=None, file_mounts={'~/data': 'nosuch.txt'}"),
        "No such file to mount", "one: nosuch.txt"),
    "a mount out of the job's folder": (
        ONE.format("workdir=None, file_mounts={'/etc/data': 'pyproject.toml'}"), "one: /etc/data", "~/"),
    "a workdir that is not there": (
        ONE.format("workdir='nowhere'"), "No such workdir", "one: nowhere"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_mistake_in_the_program(project: Folder, name: str):
    """Named by file and line, or by job and key."""
    text, *words = PROGRAMS[name]
    project.stack(text)
    refused(project, *words)
