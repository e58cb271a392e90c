"""Every mistake ends with exit 1, or 64 where the command line is wrong: a message that names the user's own thing, no
traceback, and a state as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminal import CTRL_C, Terminal
from throwaway import FIRST, ROOT, Folder, made, until

from expiac.state import codec

GOOD = "small = Stack('small', [Job('one', run='echo one', skypilot=HERE), TrainingJob('train', skypilot=HERE)])\n"
OTHER = GOOD.replace("echo one", "echo another")
APPLY = ("apply", "small", "--yes")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    for folder in made(tmp_path_factory.mktemp("errors")):
        folder.stack(GOOD)
        folder.apply()
        yield folder


@pytest.fixture
def project(once: Folder, tmp_path: Path) -> Iterator[Folder]:
    """A project with an applied stack `small`; whatever the test does to its files is undone."""
    shutil.copytree(once.root, tmp_path / "kept", symlinks=True)
    yield once
    shutil.rmtree(once.root)
    shutil.move(tmp_path / "kept", once.root)


def refused(project: Folder, *words: str, by: tuple[str, ...] = APPLY, code: int = 1) -> str:
    """The command fails with these words on stderr and leaves the state as it was; what it said."""
    before = project.state
    done = project.expiac(*by)
    said = done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == code, done.stdout + said
    assert not [word for word in words if word not in said], said
    assert project.state == before
    return said


# ---------------------------------------------------------------------------------------------- the stack program

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


# ------------------------------------------------------------------------------------------------ the command line

LINES = {
    "an unknown key": (
        ("training.trainer.optimizer.learnin_rate=1",), 64,
        "training.trainer.optimizer.learnin_rate", "did you mean training.trainer.optimizer.learning_rate?"),
    "an unknown group": (
        ("training.traner.seed=1",), 64, "training.traner", "did you mean training.trainer?"),
    "a wrong type": (
        ("training.seed=abc",), 1, "training.seed=abc", "valid integer"),
    "out of bounds": (
        ("training.trainer.optimizer.learning_rate=-1",), 1,
        "training.trainer.optimizer.learning_rate=-1: Input should be greater than 0"),
    "no nodes": (
        ("skypilot.nodes=0",), 1, "skypilot.nodes=0"),
    "minibatches that do not fill a batch": (
        ("training.trainer.batch_size=1000", "training.trainer.minibatch_size=300"), 1,
        "training.trainer\n", "minibatch_size (300) must divide batch_size (1000)"),
    "an unknown curriculum": (
        ("training.curriculum=env/mettagrid/curriculum/arena/smal",), 1, "arena/smal.yaml", "did you mean small?"),
    "a stray word": (
        ("gpus",), 64, "'gpus' is not of the form key=value", "gpus=…"),
    "an unknown flag": (
        ("--bogus",), 64, "--bogus", "expiac apply --help"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_mistake_on_the_command_line(project: Folder, name: str):
    """Named as it was typed, with the nearest word that would do."""
    shutil.copy(ROOT / "stacks" / "arena.py", project.root / "stacks")
    arguments, code, *words = LINES[name]
    refused(project, *words, by=("apply", "arena", "--yes", *arguments), code=code)


def test_an_unknown_stack(project: Folder):
    """The nearest is named."""
    refused(project, "smal is neither a file nor one of stacks", "did you mean small?", by=("plan", "smal"), code=64)


def test_an_unknown_command(project: Folder):
    """The usage error names it."""
    refused(project, "aply", by=("aply",), code=64)


def test_no_terminal_and_no_consent(project: Folder):
    """What could not be asked is not done."""
    project.stack(OTHER)
    refused(project, "Consent needed", "--yes", by=("apply", "small"), code=64)
    refused(project, "Consent needed", "--yes", by=("destroy",), code=64)
    refused(project, "Consent needed", "--yes", by=("apply", "small", "--json"), code=64)


@pytest.mark.parametrize("keys", ["n\n", "\n", CTRL_C])
def test_declined(project: Folder, keys: str):
    """No, nothing, and ^C at the prompt all mean no: exit 8."""
    project.stack(OTHER)
    before = project.state
    with Terminal(project.root, project.env, "apply", "small") as terminal:
        terminal.sees("Apply this plan? [y/N]")
        terminal.listens()
        terminal.types(keys)
        assert terminal.ends(again=keys if keys == CTRL_C else "") == 8, terminal.text
    assert "Traceback" not in terminal.text
    assert project.state == before


# ------------------------------------------------------------------------------------- templates, configs, project

TEMPLATES = {
    "an undefined variable": (
        "extra: {{ colour }}\n", "Undefined variable in a template", "experiment.yaml.j2, line 20", "'colour'"),
    "an undefined key": (
        "extra: {{ config.colour }}\n", "experiment.yaml.j2, line 20", "'colour'", "in config: defaults, seed"),
    "a syntax error": (
        "{% if x %}\n", "Invalid template", "experiment.yaml.j2, line 20", "endif"),
    "an exception": (
        "extra: {{ 1 / 0 }}\n", "Template failed", "experiment.yaml.j2, line 20: ZeroDivisionError"),
    "a value altered": (
        "seed: {{ config.seed + 1 }}\n", "Rendered text differs from its data", "seed is 1, and should be 0"),
    "no YAML": (
        "extra: 'a\n", "Rendered text is not YAML", "experiment.yaml.j2"),
    "a key that the schema lacks": (
        "colour: red\n", "Invalid training config", "train", "'colour' not in 'Config'"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_mistake_in_a_template(project: Folder, name: str):
    """Named by template and line."""
    added, *words = TEMPLATES[name]
    template = project.root / "templates" / "experiment.yaml.j2"
    text = template.read_text().rstrip("\n") + "\n"
    assert text.count("\n") == 18, "the lines below are counted from here"
    template.write_text(f"{text}\n{added}")
    refused(project, *words)


def test_a_value_left_out_by_a_template(project: Folder):
    """What the declaration says must reach the trainer."""
    template = project.root / "templates" / "experiment.yaml.j2"
    template.write_text(template.read_text().replace("{{ key }}: {{ value }}", ""))
    refused(project, "experiment.yaml.j2 leaves out seed = 0", "seed: {{ config.seed }}")


def test_no_template(project: Folder):
    """The one that a template of the project includes, and that is missing, is named."""
    (project.root / "templates" / "experiment.yaml.j2").write_text('{% include "header.j2" %}')
    refused(project, "No such template", "header.j2")


CONFIGS = {
    "broken YAML": ("hidden_size: [1\n", "Invalid YAML", "configs/agent/fast.yaml", "line 1"),
    "a wrong type": ("hidden_size: big\nhidden_layers: 2\n", "train: agent.hidden_size: Value 'big'"),
    "an unknown key": ("hidden_sizes: 1\nhidden_layers: 2\n", "train: agent.hidden_sizes"),
    "a missing key": ("hidden_layers: 2\n", "train: agent.hidden_size"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_mistake_in_a_config(project: Folder, name: str):
    """Named by the path in the composed config, or by file and line."""
    text, *words = CONFIGS[name]
    (project.root / "configs" / "agent" / "fast.yaml").write_text(text)
    refused(project, *words)


PYPROJECTS = {
    "broken TOML": ("[tool.expiac]", "[tool.expiac", "Invalid pyproject.toml", "line 1"),
    "an unknown key": ("schema =", "shema =", "[tool.expiac] shema", "did you mean schema?"),
    "a wrong type": ("schema =", "stacks = 3\nschema =", "[tool.expiac] stacks"),
    "no table": ("[tool.expiac]", "[tool]\nexpiac = 3\n[other]", "tool.expiac is 3", "should be a table"),
    "a schema that is not there": (".config:Config", ".config:Konfig", "schema = 'trainer.config:Konfig'", "'Konfig'"),
    "an output that does not resolve": (
        "${run_dir}/metrics", "${run_dr}/metrics", "[tool.expiac.outputs] metrics", "'run_dr' not found"),
}


@pytest.mark.parametrize("name", PYPROJECTS)
def test_a_mistake_in_pyproject(project: Folder, name: str):
    """Named by file and key."""
    before, after, *words = PYPROJECTS[name]
    file = project.root / "pyproject.toml"
    text = file.read_text().split("\n\n[tool.expiac.outputs]")[0] if name == "no table" else file.read_text()
    file.write_text(text.replace(before, after, 1))
    refused(project, *words)


def test_no_project(project: Folder, tmp_path: Path):
    """Outside of any project, the folder is named."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    done = project.expiac("plan", cwd=folder)
    assert done.returncode == 1
    assert "No project here" in done.stderr
    assert str(folder) in done.stderr


# ----------------------------------------------------------------------------------------------------- the state

def test_a_flipped_byte_in_the_state(project: Folder):
    """Named by line, whatever the command; nothing is half-read."""
    journal = project.journal()
    lines = journal.read_bytes().splitlines(keepends=True)
    middle = len(lines) // 2
    flipped = bytearray(lines[middle])
    flipped[len(flipped) // 2] ^= 1
    journal.write_bytes(b"".join([*lines[:middle], bytes(flipped), *lines[middle + 1 :]]))
    for command in (APPLY, ("status",), ("destroy", "--yes")):
        refused(project, "Damaged state", f"small.jsonl: line {middle + 1}: its checksum does not match", by=command)


def test_a_state_of_a_newer_format(project: Folder):
    """What a newer release wrote is not guessed at."""
    journal = project.journal()
    header, rest = journal.read_bytes().split(b"\n", 1)
    content = codec.content_of(header)
    assert content is not None
    journal.write_bytes(codec.seal(content.replace(b'"format":%d' % codec.FORMAT, b'"format":99')) + rest)
    for command in (APPLY, ("destroy", "--yes")):
        refused(project, "State of a newer format", "format 99", "upgrade", by=command)


def test_a_torn_last_line(project: Folder):
    """It was never whole: it is left out, and said aloud; the next decision takes its place."""
    journal = project.journal()
    journal.write_bytes(journal.read_bytes() + b'{"n":99,"at":"2026-01-0')
    done = project.expiac("plan")
    assert (done.returncode, "no changes" in done.stdout) == (0, True)
    assert "was cut short after 23 bytes" in done.stderr
    project.stack(OTHER)
    assert "was cut short" in project.expiac(*APPLY, "--wait").stderr
    done = project.expiac("plan")
    assert (done.returncode, "no changes" in done.stdout, done.stderr) == (0, True, "")


def test_a_second_program_of_the_same_name(project: Folder):
    """It would replace the jobs of the first."""
    project.stack(GOOD, name="copy")
    refused(project, "small belongs to stacks/small.py", "stacks/copy.py gives the same name",
            by=("apply", "copy", "--yes"))


SLOW = '''
import os, sys, time
from pathlib import Path
from expiac import Resource
from expiac.providers.base import ABSENT, Observation, Presence
from expiac.state.status import Status

class Slow(Resource):
    type = "slow"

class SlowProvider:
    """Takes its time: until somebody makes the file `go`."""

    def __init__(self, root): self.root = root
    def read_many(self, ids): return {id: ABSENT for id in ids}
    def create(self, id, inputs, note):
        (self.root / "begun").touch()
        while not (self.root / "go").exists(): time.sleep(0.05)
        return Observation(Presence.PRESENT, Status.READY, {})

slow = Stack("slow", [Slow("it")])
'''


def test_a_second_apply_while_one_holds_the_lock(project: Folder):
    """It says who holds it, since when and for what."""
    slow(project, SLOW)
    first = project.begin("apply", "slow", "--yes")
    try:
        until(lambda: (project.root / "begun").exists() or first.poll() is not None, "the first apply holds the lock")
        before = project.state
        others = [project.begin("apply", "slow", "--yes"), project.begin("destroy", "slow", "--yes")]
        for other in others:
            said = other.communicate(timeout=60)[1]
            assert (other.returncode, "Traceback" in said) == (1, False)
            assert "Locked\n  apply of slow by " in said
            assert f", process {first.pid}, since 20" in said
            assert f"ps -fp {first.pid}" in said
        assert project.state == before
    finally:
        (project.root / "go").touch()
        out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err


COUNTING = SLOW + '''
class CountingProvider(SlowProvider):
    """Writes down each birth, and sees what was born."""

    def read_many(self, ids):
        is_born = (self.root / "births").exists()
        return {id: Observation(Presence.PRESENT, Status.READY, {}) if is_born else ABSENT for id in ids}

    def create(self, id, inputs, note):
        with open(self.root / "births", "a") as births: print(id.instance, file=births)
        return super().create(id, inputs, note)
'''


def test_two_first_applies_at_once(project: Folder):
    """One waits for the other, and then finds that its plan is stale or that all is done: never both."""
    slow(project, COUNTING, "CountingProvider")
    (project.root / "go").touch()
    both = [project.begin("apply", "slow", "--yes") for _ in range(2)]
    said = sorted((begun.communicate(timeout=60)[1], begun.returncode) for begun in both)
    assert len((project.root / "births").read_text().split()) == 1, said
    for err, code in said:
        assert code == 0 or "Stale plan" in err or "moved on" in err, err
    assert 0 in [code for _, code in said]


def test_the_lock_of_a_killed_apply_is_taken_over(project: Folder):
    """By itself: nobody has to remove anything, and what was begun is finished."""
    slow(project, SLOW)
    first = project.begin("apply", "slow", "--yes")
    until(lambda: (project.root / "begun").exists() or first.poll() is not None, "the first apply holds the lock")
    first.kill()
    first.communicate(timeout=60)
    (project.root / "go").touch()
    project.output("apply", "slow", "--yes")
    assert [record["status"] for record in project.said("status", "slow", "--no-refresh")["resources"]] == ["ready"]


def slow(project: Folder, text: str, provider: str = "SlowProvider") -> None:
    """A stack whose one resource is made by this provider of the text."""
    project.stack(text, name="slow")
    file = project.root / "pyproject.toml"
    file.write_text(f'{file.read_text()}\n[tool.expiac.providers]\nslow = "stacks.slow:{provider}"\n')


# ------------------------------------------------------------------------------------------------------- the disk

@contextmanager
def mounted(at: Path, *arguments: str) -> Iterator[None]:
    """Something mounted there; the test is skipped where that is not ours to do."""
    done = subprocess.run(["mount", *arguments, str(at)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that cannot be written; permissions do not stop root, so for root it is a mount."""
    if os.geteuid():
        folder.chmod(0o500)
        try:
            yield
        finally:
            folder.chmod(0o700)
        return
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield


def test_no_write_permission(project: Folder):
    """Reading goes on; whatever would write names the folder."""
    project.stack(OTHER)
    folder = project.root / ".expiac"
    with read_only(folder):
        assert "± one" in project.output("plan", "small")
        assert "succeeded" in project.output("status")
        for command in (APPLY, ("destroy", "--yes")):
            refused(project, "State folder not writable", str(folder), by=command)


def test_a_full_disk(project: Folder):
    """Refused while it is full, however little is left; once there is room the next apply converges, and nothing was
    born twice."""
    births = project.root / "births"
    birth = f'echo "$EXPIAC_INSTANCE.$EXPIAC_LAUNCH" >> {births}'
    folder = project.root / ".expiac"
    shutil.rmtree(folder)
    folder.mkdir()
    project.stack(GOOD)
    with mounted(folder, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        project.apply()
        project.stack(GOOD.replace("'echo one'", repr(birth)))
        _fill(folder / "filler", leave=0)
        refused(project, "No space left on device", "make room for")
        for leave in (4096, 8192, 16384):
            _fill(folder / "filler", leave)
            done = project.expiac(*APPLY)
            assert "Traceback" not in done.stderr, done.stderr
            assert done.returncode == 0 or "No space left on device" in done.stdout + done.stderr
        (folder / "filler").unlink()
        project.apply()
        until(births.exists, "the job was born")
        assert "no changes" in project.output("plan")
        born = births.read_text().split()
        assert len(born) == len(set(born))


def _fill(file: Path, leave: int) -> None:
    """Takes all the room that there is but some bytes."""
    file.unlink(missing_ok=True)
    fd = os.open(file, os.O_WRONLY | os.O_CREAT)
    size = 0
    try:
        while True:
            size += os.write(fd, b"x" * 4096)
    except OSError:
        os.ftruncate(fd, max(0, size - leave))
    finally:
        os.close(fd)
