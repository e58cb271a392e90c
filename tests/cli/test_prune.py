"""`expiac prune` gives back the disk that archived runs take, says how much, and touches nothing that is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from expiac.declare.project import find_project
from expiac.state.stores import states
from expiac.testing.contract import wait_until

STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Big(ExperimentConfig):
    name: str = "big"
    word: str = "one"
    run: str = "true"
    judge: str = "one"

def stack(config: Big) -> Stack:
    where = SkypilotJobConfig(gpus=0)
    train = Job("train", run=f"{config.run}; echo {config.word} > model", skypilot=where, outputs={"model": "model"})
    return Stack(config.name, [train, Job("judge", run=f"echo {config.judge}", skypilot=where)])
'''
SIZE = 2 << 20


@pytest.fixture
def big(project: Path, expiac, monkeypatch):
    """A stack of two jobs that bring a large file along."""
    monkeypatch.setenv("EXPIAC_LOCAL_MACHINE", str(project.parent / f"{project.name}-machine"))
    (project / "stacks" / "lab.py").unlink()
    (project / "stacks" / "big.py").write_text(STACK)
    (project / "data.bin").write_bytes(os.urandom(SIZE))
    yield expiac
    expiac("destroy", "big", "--yes")


def apply(expiac, *words: str) -> dict[str, Path]:
    """Applies, waits for every run, and gives the folder of each current run by its job."""
    said = expiac("apply", "big", *words, "--yes", "--wait")
    assert said.code == 0, said
    state = states(find_project(Path.cwd())).read("big").state
    folders = {address: Path(".expiac/local", record.run.instance).absolute()
               for address, record in state.records.items()}
    for folder in folders.values():
        wait_until(lambda folder=folder: (folder / "home/sky_workdir/data.bin").stat().st_nlink > 1, 30)
    return folders


def folders() -> set[Path]:
    return {folder.absolute() for folder in Path(".expiac/local").glob("big.*")}


def used() -> int:
    """Bytes on the disk, each inode once."""
    found = {file.st_ino: file.st_blocks * 512 for path in Path(".expiac").rglob("*") for file in [path.lstat()]}
    return sum(found.values())


def test_what_is_archived_goes_and_what_is_current_stays(big) -> None:
    first = apply(big)
    second = apply(big, "word=two")
    assert first["judge"] == second["judge"]
    said = big("prune", "big", "--yes")
    assert (said.code, folders()) == (0, set(second.values()))
    assert first["train"].name in said.out
    assert (second["train"] / "home/sky_workdir/model").read_text() == "two\n"
    assert "no changes" in big("plan", "big", "word=two").out
    records = json.loads(big("state", "list", "big", "--archived", "--json").out)["records"]
    marked = {record["run"]["instance"]: bool(record["pruned_at"]) for record in records}
    assert marked == {first["train"].name: True, second["train"].name: False, second["judge"].name: False}
    assert "(pruned)" in big("state", "list", "big", "--archived").out


def test_a_result_that_was_pruned_does_not_stand_again(big) -> None:
    """Neither in a plan that is made afterwards, nor in one that was saved before."""
    first = apply(big)["train"]
    apply(big, "word=two")
    big("plan", "big", "--out", "back.plan", "--reuse")
    big("prune", "big", "--yes")
    assert "Stale plan" in big("apply", "back.plan", "--yes").err
    assert f"{first.name} had these settings, and was pruned" in big("plan", "big", "--reuse").out
    apply(big)
    assert not first.exists()


def test_after_a_destroy_everything_is_given_back(big) -> None:
    """Also the large file that all of them shared, and as much as was said."""
    apply(big)
    apply(big, "word=two")
    big("destroy", "big", "--yes")
    before = used()
    said = json.loads(big("prune", "big", "--yes", "--json").out)
    assert (folders(), len(said["pruned"])) == (set(), 3)
    assert said["bytes"] >= SIZE
    assert abs(before - used() - said["bytes"]) < SIZE // 4
    assert "nothing to delete" in big("prune", "big", "--yes").out


def test_a_dry_run_deletes_nothing_and_says_the_same(big) -> None:
    apply(big)
    big("destroy", "big", "--yes")
    before = folders()
    dry = json.loads(big("prune", "big", "--dry-run", "--json").out)
    assert folders() == before
    assert "2 runs to delete" in big("prune", "big", "--dry-run").out
    wet = json.loads(big("prune", "big", "--yes", "--json").out)
    assert {**wet, "dry_run": True, "serial": dry["serial"]} == dry
    schema = json.loads(files("expiac.view").joinpath("schema.json").read_text(encoding="utf-8"))
    for said in (dry, wet):
        Draft202012Validator(schema).validate(said)
    assert not Draft202012Validator(schema).is_valid({**wet, "more": 1})


def test_nothing_is_deleted_without_consent(big) -> None:
    apply(big)
    big("destroy", "big", "--yes")
    before = folders()
    assert big("prune", "big").code == big("prune", "big", "--json").code == 64
    assert folders() == before


def test_the_last_ones_can_be_kept(big) -> None:
    first, second = apply(big), apply(big, "word=two")
    apply(big, "word=three")
    big("prune", "big", "--keep", "1", "--yes")
    assert (first["train"] in folders(), second["train"] in folders()) == (False, True)
    big("prune", "big", "--older-than", "1h", "--yes")
    assert second["train"] in folders()
    assert "Invalid value" in big("prune", "big", "--older-than", "soon", "--yes").err


def test_a_run_that_goes_on_is_kept(big) -> None:
    """Its record was removed by hand, and it is alive."""
    big("apply", "big", "run=sleep 300", "--yes")
    instance = next(folder for folder in folders() if ".train." in folder.name)
    big("state", "rm", "big", "train", "--yes")
    said = big("prune", "big", "--yes")
    assert instance in folders()
    assert f"kept: {instance.name}: it is" in said.out
    from expiac.providers.base import Id
    from expiac.providers.local import LocalProvider

    lineage = states(find_project(Path.cwd())).read("big").state.lineage
    LocalProvider(Path.cwd()).delete(Id(lineage, instance.name, 1))
    big("prune", "big", "--yes")
    assert instance not in folders()


def test_a_run_that_a_current_one_refers_to_is_kept(big) -> None:
    """By a path into its folder."""
    first = apply(big)["train"]
    model = first / "home/sky_workdir/model"
    apply(big, "word=two", f"judge={model}")
    said = big("prune", "big", "--yes")
    assert f"kept: {first.name}: big.judge refers to it" in said.out
    assert model.read_text() == "one\n"


def test_unknown_files_are_left_alone(big, project: Path) -> None:
    """What is no run of this stack, a copy under another lineage, and a link in a run's place."""
    gone = apply(big)
    big("destroy", "big", "--yes")
    local = project / ".expiac/local"
    (local / "notes").mkdir()
    (local / "notes/mine.txt").write_text("mine")
    gone["judge"].rename(project / "moved")
    gone["judge"].symlink_to(project / "moved")
    job = gone["train"] / "launches/1/job.json"
    facts = json.loads(job.read_text())
    job.write_text(json.dumps({**facts, "lineage": "another"}))
    big("prune", "big", "--yes")
    assert (local / "notes/mine.txt").read_text() == "mine"
    assert (project / "moved/launches/1/job.json").exists()
    assert gone["train"].exists()


def test_what_a_job_made_unwritable_goes_too(big) -> None:
    apply(big, "run=mkdir -p out/in; touch out/in/file; chmod 500 out/in out; ln -s / out-link")
    big("destroy", "big", "--yes")
    assert big("prune", "big", "--yes").code == 0
    assert folders() == set()
    assert not list(Path(".expiac/local/.pruned").iterdir())
    assert Path("/etc").exists()


HOLDS = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from expiac.state.file_log import FileLog
    with FileLog(Path(".expiac/big.jsonl")).lock(purpose="apply"):
        print("held", flush=True)
        time.sleep(300)
""")


def test_nothing_is_deleted_in_the_middle_of_an_apply(big) -> None:
    apply(big)
    big("destroy", "big", "--yes")
    before = folders()
    holder = subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert "Locked" in big("prune", "big", "--yes").err
        assert folders() == before
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_plan_of_what_to_delete_grows_stale(big) -> None:
    """Decided meanwhile, by somebody else, that one of the runs is current: nothing is deleted."""
    from expiac.apply.events import Silent
    from expiac.plan.pruning import PruneOptions
    from expiac.session import Session
    from expiac.util.errors import Stale

    apply(big)
    big("destroy", "big", "--yes")
    with Session.open("big", reporter=Silent(), declared=False) as session:
        planned = session.plan_prune(PruneOptions())
        apply(big)
        before = folders()
        with pytest.raises(Stale):
            session.prune(planned)
    assert folders() == before


KILLED = textwrap.dedent("""
    import os, signal, subprocess, sys
    from pathlib import Path
    from expiac.apply.events import Silent
    from expiac.declare.project import find_project
    from expiac.plan.pruning import PruneOptions
    from expiac.session import Session

    EFFECTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.mkdir", "fcntl.flock", "shutil.rmtree")
    root, copies = Path(sys.argv[1]), Path(sys.argv[2])

    def prune(project):
        with Session.open("big", reporter=Silent(), declared=False, project=find_project(project)) as session:
            session.prune(session.plan_prune(PruneOptions()))

    def dies_at(k):
        def hook(event, args):
            nonlocal k
            if event in EFFECTS and (event == "fcntl.flock" or event == "os.remove" or event == "os.rmdir"
                                     or any(str(copies) in str(arg) for arg in args)):
                k -= 1
                if k < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)

    def contents(folder):
        held = folder.rglob("*")
        return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in held}

    def check(project, before, current):
        for name, held in before.items():
            folder = project / ".expiac/local" / name
            if name in current or folder.exists():
                assert contents(folder) == held, name

    def local(project):
        return {folder.name: contents(folder) for folder in (project / ".expiac/local").glob("big.*")}

    before, current = local(root), set(sys.argv[3].split(","))
    for k in range(1000):
        project = copies / str(k)
        subprocess.run(["cp", "-a", root, project], check=True)  # with its hard links
        child = os.fork()
        if not child:
            dies_at(k)
            prune(project)
            os._exit(0)
        has_ended = os.waitpid(child, 0)[1] == 0
        check(project, before, current)
        prune(project)
        assert set(local(project)) == current
        check(project, before, current)
        assert list((project / ".expiac/local/.pruned").iterdir()) == []
        left = [file for file in (project / ".expiac/local/.objects").rglob("*") if file.is_file()]
        assert len(left) == 1 and left[0].stat().st_nlink == 2, left
        subprocess.run(["rm", "-rf", project], check=True)
        if has_ended:
            print(k)
            break
""")


@pytest.mark.slow
def test_a_prune_that_is_killed_anywhere_loses_nothing_and_is_finished_by_the_next(big, project: Path) -> None:
    """At each open, rename, remove, chmod and lock: a run is whole or gone, and what is current stays as it is."""
    apply(big)
    (project / "data.bin").write_bytes(os.urandom(SIZE))
    current = apply(big, "word=two", "judge=two")["judge"]
    big("state", "rm", "big", "train", "--yes")
    copies = project.parent / f"{project.name}-copies"
    copies.mkdir()
    done = subprocess.run([sys.executable, "-c", KILLED, project, copies, current.name], capture_output=True, text=True,
                          timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 50


def test_two_prunes_at_once(big) -> None:
    apply(big)
    big("destroy", "big", "--yes")
    command = [sys.executable, "-m", "expiac", "prune", "big", "--yes"]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    children = [subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) for _ in range(3)]
    codes = [child.wait(60) for child in children]
    assert (0 in codes, folders()) == (True, set())
    assert "nothing to delete" in big("prune", "big", "--yes").out
