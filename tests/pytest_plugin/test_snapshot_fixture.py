"""`expiac_snapshot`: the files of `expiac review`, of which a suite writes and removes those of its stacks only."""

from __future__ import annotations

import pytest

EACH = '''
def test_rendered(expiac_each_stack, expiac_snapshot):
    assert expiac_each_stack.renderings == expiac_snapshot
'''


def test_an_update_writes_what_a_review_accepts(suite, expiac):
    """Byte for byte, in one file for each rendering."""
    suite.write("tests/test_lab.py", EACH)
    assert suite.run("--snapshot-update").outcomes == {"passed": 2}
    written = suite.files()
    assert {"lab/say_0.task.yaml", "lab/say_1.task.yaml", "other/only.task.yaml"} == set(written)
    assert expiac("review", "--check")[0] == 0
    for path in written:
        (suite.root / "snapshots" / path).unlink()
    assert expiac("review", "--accept")[0] == 0
    assert suite.files() == written
    assert suite.run().outcomes == {"passed": 2}


def test_overrides_have_a_folder_of_their_own(suite, expiac):
    """That of `expiac review lab jobs=1`; a test of each stack then tests them too."""
    suite.write("tests/test_lab.py", EACH)
    assert expiac("review", "--accept")[0] == 0
    assert expiac("review", "lab", "jobs=1", "word=a b", "--accept")[0] == 0
    assert suite.run().outcomes == {"passed": 3}
    assert suite.run("-k", "jobs").outcomes == {"passed": 1, "deselected": 2}
    suite.write("tests/test_lab.py", """
def test_rendered(expiac_stack, expiac_snapshot):
    assert expiac_stack("lab", {"jobs": 1}, "word=a b").renderings == expiac_snapshot
""")
    assert suite.run().outcomes == {"passed": 1}
    before = suite.files()
    assert suite.run("--snapshot-update").outcomes == {"passed": 1}
    assert suite.files() == before


def test_a_change_fails_and_is_shown(suite, expiac):
    """The file, the command that reviews it, and every value that differs."""
    suite.run("--snapshot-update")
    suite.replace("stacks/lab.py", '"hello"', '"goodbye"')
    done = suite.run()
    assert done.outcomes == {"failed": 1}
    done.has(
        "*assert lab: 2 jobs changed; 0 as reviewed", "*snapshots/lab/say_0.task.yaml differs",
        "*Review: expiac review lab", "*Captured differences call*", "changed: lab say_0, say_1", "  task.yaml",
        "    run: echo hello → echo goodbye")
    assert expiac("review", "lab", "--accept")[0] == 0
    assert suite.run().outcomes == {"passed": 1}


def test_nothing_is_written_without_being_asked(suite):
    """A snapshot that is missing is a failure."""
    done = suite.run()
    assert done.outcomes == {"failed": 1}
    done.has("*snapshots/lab/say_0.task.yaml does not exist")
    assert not (suite.root / "snapshots").exists()


def test_only_the_text_differs(suite):
    """The lines are shown: no value says what is otherwise."""
    suite.run("--snapshot-update")
    path = suite.root / "snapshots/lab/say_0.task.yaml"
    path.write_bytes(path.read_bytes() + b"# by hand\n")
    suite.run().has("*task.yaml: only its text differs*", "-# by hand")


@pytest.mark.parametrize("words", [[], ["tests"], ["tests/test_lab.py::test_rendered"], ["-k", "rendered"],
                                   ["-p", "xdist", "-n", "2"]], ids=" ".join)
def test_snapshots_of_a_job_that_is_gone_are_unused(words, suite, expiac):
    """syrupy reports them, however the tests were selected, and an update removes them."""
    suite.write("tests/test_other.py", "def test_nothing():\n    pass\n")
    assert expiac("review", "--accept")[0] == 0
    suite.replace("stacks/lab.py", "jobs: int = 2", "jobs: int = 1")
    done = suite.run(*words)
    assert done.code == 1
    done.has("*1 snapshot passed. 1 snapshot unused.")
    assert "failed" not in done.outcomes
    assert "lab/say_1.task.yaml" in suite.files()
    done = suite.run(*words, "--snapshot-update")
    assert done.code == 0
    done.has("*1 unused snapshot deleted.", "*snapshots/lab/say_1.task.yaml*")
    assert set(suite.files()) == {"lab/say_0.task.yaml", "other/only.task.yaml"}
    assert expiac("review", "--check")[0] == 0


@pytest.mark.parametrize(("flag", "code", "line"), [
    ("--snapshot-warn-unused", 0, "*1 snapshot unused."), ("--snapshot-disable-unused", 0, "*1 snapshot passed."),
    ("--snapshot-details", 1, "Unused say_1.task.yaml (snapshots/lab/say_1.task.yaml)")])
def test_syrupys_flags_for_unused_snapshots(flag, code, line, suite, expiac):
    """They hold for these as for any others."""
    assert expiac("review", "--accept")[0] == 0
    suite.replace("stacks/lab.py", "jobs: int = 2", "jobs: int = 1")
    done = suite.run(flag)
    assert done.code == code
    done.has(line)
    assert "lab/say_1.task.yaml" in suite.files()


def test_unused_snapshots_are_kept_where_that_is_asked(suite, expiac):
    """`--snapshot-no-cleanup`."""
    assert expiac("review", "--accept")[0] == 0
    suite.replace("stacks/lab.py", "jobs: int = 2", "jobs: int = 1")
    assert suite.run("--snapshot-update", "--snapshot-no-cleanup").code == 0
    assert "lab/say_1.task.yaml" in suite.files()


def test_other_files_are_left_alone(suite, expiac):
    """Those of other stacks and overrides, and what is no snapshot."""
    assert expiac("review", "--accept")[0] == 0
    others = ["README.md", "lab/README.md", "lab/.rendered.json", "gone/old.task.yaml", "lab@jobs=7/say_6.task.yaml",
              "lab/notes.task.txt.orig"]
    for name in others:
        suite.write(f"snapshots/{name}", "mine\n")
    before = suite.files()
    assert suite.run().code == 0
    suite.replace("stacks/lab.py", "jobs: int = 2", "jobs: int = 1")
    assert suite.run("--snapshot-update").code == 0
    assert suite.files() == {name: text for name, text in before.items() if name != "lab/say_1.task.yaml"}


def test_the_folder_of_the_project_s_choice(suite):
    """`[tool.expiac] snapshots`."""
    suite.write("pyproject.toml", '[tool.expiac]\nsnapshots = "tests/reviewed"\n')
    assert suite.run("--snapshot-update").code == 0
    assert set(suite.files("tests/reviewed")) == {"lab/say_0.task.yaml", "lab/say_1.task.yaml"}


def test_a_folder_that_syrupy_cleans_is_refused(suite):
    """It would remove the snapshots of stacks that are not tested."""
    suite.write("pyproject.toml", '[tool.expiac]\nsnapshots = "tests/__snapshots__"\n')
    done = suite.run("--snapshot-update")
    done.has("*Shared snapshot folder*")
    assert done.code == 1


def test_jobs_of_components_have_folders(suite, expiac):
    """Which go with the last job in them."""
    suite.write("stacks/lab.py", """
from expiac import Component, ExperimentConfig, Job, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    jobs: int = 2

def stack(config: Lab) -> Stack:
    parts = Component("part", [Job(f"job_{index}", run="true") for index in range(config.jobs)])
    return Stack(config.name, [Job("own", run="true"), parts])
""")
    assert suite.run("--snapshot-update").code == 0
    assert set(suite.files()) == {f"lab/{name}.task.yaml" for name in ("own", "part/job_0", "part/job_1")}
    assert expiac("review", "lab", "--check")[0] == 0
    suite.replace("stacks/lab.py", "jobs: int = 2", "jobs: int = 0")
    assert suite.run().code == 1
    assert suite.run("--snapshot-update").code == 0
    assert [path.name for path in (suite.root / "snapshots" / "lab").iterdir()] == ["own.task.yaml"]


def test_a_file_that_cannot_be_written_is_an_error(suite):
    """And no difference."""
    suite.write("snapshots", "no folder\n")
    done = suite.run("--snapshot-update")
    assert done.outcomes == {"failed": 1}
    done.has("E * NotADirectoryError: *snapshots*")


def test_anything_else_is_no_rendering(suite):
    """The error says what to compare."""
    suite.write("tests/test_lab.py", "def test_it(expiac_snapshot):\n    assert 'text' == expiac_snapshot\n")
    suite.run().has("*TypeError: compare the renderings of a stack, and not a str:*")


@pytest.mark.parametrize("code", ["", "raise ImportError('gone')"], ids=["switched off", "missing"])
def test_without_syrupy_the_error_says_what_to_install(code, suite):
    """Only the snapshot fixture needs it."""
    if code:
        suite.write("tests/conftest.py", "import sys\nsys.modules['syrupy'] = None\n")
    suite.write("tests/test_plan.py", "def test_it(expiac_stack):\n    assert expiac_stack('lab').plan.steps\n")
    done = suite.run(syrupy=False)
    assert done.outcomes == {"passed": 1, "errors": 1}
    hint = "pip install 'expiac?testing?'" if code else "-p no:syrupy"
    done.has("*Missing package*", f"*{hint}*")
