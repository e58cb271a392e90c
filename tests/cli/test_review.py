"""`expiac review` in a pipe: what it prints and writes, and how it ends."""

from __future__ import annotations

import os

import pytest
from reviewed import edit, files

SNAPSHOTS = {"lab/say_0.task.yaml"}


@pytest.fixture
def accepted(project, expiac):
    assert expiac("review", "--accept").code == 0
    return project


def test_what_was_never_accepted_is_new(project, expiac):
    answer = expiac("review", "--check")
    assert (answer.code, files(project)) == (1, {})
    assert "[1/1] new: lab say_0" in answer.out
    assert "1 job new; 0 as reviewed" in answer.out
    assert "expiac review --accept" in answer.out


def test_what_is_accepted_is_what_is_rendered(accepted, expiac):
    assert set(files(accepted)) == SNAPSHOTS
    assert files(accepted)["lab/say_0.task.yaml"].decode().rstrip() in expiac("render", "lab").out
    assert expiac("review", "--check").out == "1 as reviewed\n"
    assert expiac("review").code == 0


def test_a_change_is_told_by_its_key_path_and_leaves_the_files(accepted, expiac):
    before = files(accepted)
    edit(accepted, "gpus=0", "gpus=2")
    answer = expiac("review")
    assert (answer.code, files(accepted)) == (1, before)
    assert "    resources: absent → {" in answer.out or "    resources.accelerators: " in answer.out


def test_the_lines_of_a_command_that_differ_are_told(accepted, expiac):
    edit(accepted, "sleep {config.seconds}; ", "set -e\\n")
    expiac("review", "--accept")
    edit(accepted, "set -e", "set -ex")
    out = expiac("review").out
    assert "    run:\n      -set -e\n      +set -ex\n\n" in out


def test_a_removed_job_loses_its_snapshot(project, expiac):
    edit(project, "jobs: int = 1", "jobs: int = 3")
    expiac("review", "--accept")
    edit(project, "jobs: int = 3", "jobs: int = 1")
    answer = expiac("review")
    assert (answer.code, "[1/1] removed: lab say_1, say_2" in answer.out) == (1, True), answer.out
    assert "snapshots/lab/say_2.task.yaml   removed" in expiac("review", "--accept").out
    assert set(files(project)) == SNAPSHOTS


def test_a_stack_file_that_is_gone_leaves_removed_jobs(accepted, expiac):
    (accepted / "stacks" / "other.py").write_text((accepted / "stacks" / "lab.py").read_text().replace('"lab"', '"b"'))
    (accepted / "stacks" / "lab.py").unlink()
    answer = expiac("review")
    assert "removed: lab say_0" in answer.out
    assert "new: b say_0" in answer.out
    assert "removed" not in expiac("review", "other").out, "a stack that was not asked about"


def test_the_same_change_of_many_jobs_is_told_once(project, expiac):
    edit(project, "jobs: int = 1", "jobs: int = 20")
    expiac("review", "--accept")
    edit(project, "gpus=0", "gpus=2")
    answer = expiac("review", "--check")
    assert "[1/1] changed: lab say_0, say_1, say_2, say_3, and 16 more" in answer.out


def test_overrides_have_snapshots_of_their_own(accepted, expiac):
    assert expiac("review", "lab", "jobs=2", "--check").code == 1
    assert expiac("review", "lab", "jobs=2", "--accept").code == 0
    assert set(files(accepted)) == SNAPSHOTS | {"lab@jobs=2/say_0.task.yaml", "lab@jobs=2/say_1.task.yaml"}
    assert expiac("review", "--check").out == "3 as reviewed\n"
    edit(accepted, "{config.words}", "well {config.words}")
    assert "changed: lab say_0; lab@jobs=2 say_0" in expiac("review").out


def test_a_stack_that_overrides_give_another_name_is_not_removed(accepted, expiac):
    assert expiac("review", "lab", "name=lab_long", "jobs=2", "--accept").code == 0
    assert expiac("review", "--check").out == "3 as reviewed\n"
    before = files(accepted)
    edit(accepted, "gpus=0", "gpus=2")
    assert "changed: lab say_0; lab_long@name=lab_long,jobs=2 say_0, say_1" in expiac("review", "--check").out
    edit(accepted, "gpus=2", "gpus=0")
    assert (expiac("review", "--accept").code, files(accepted)) == (0, before)


def test_of_files_that_may_have_that_name_the_nearest_is_meant(accepted, expiac):
    other = (accepted / "stacks" / "lab.py").read_text().replace('"lab"', '"b"').replace("echo", "printf")
    for file in ("a_first.py", "z_last.py"):
        (accepted / "stacks" / file).write_text(other.replace('"b"', f'"{file[0]}"'))
    expiac("review", "--accept")
    expiac("review", "lab", "name=lab_long", "--accept")
    assert expiac("review", "--check").out == "4 as reviewed\n"


def test_a_stack_under_another_name_that_no_file_has_any_more_is_removed(accepted, expiac):
    expiac("review", "lab", "name=lab_long", "jobs=2", "--accept")
    edit(accepted, "jobs", "runs")
    assert "removed: lab_long@name=lab_long,jobs=2 say_0, say_1" in expiac("review", "--check").out


def test_the_command_that_a_plan_names_reviews_what_it_would_launch(accepted, expiac):
    """With the words of a sweep, too."""
    words = ("lab", "words=a,b", "--sweep")
    assert "not reviewed" in expiac("plan", *words).out
    assert expiac("review", *words, "--accept").code == 0
    assert expiac("plan", *words, "--reviewed-only").code == 0
    assert expiac("review", "--check").out == "3 as reviewed\n"


def test_a_word_that_removes_a_key_is_an_override(accepted, expiac):
    answer = expiac("review", "lab", "~nothing")
    assert (answer.code, "lab@~nothing is not rendered" in answer.out or "nothing is no field" in answer.out) == (
        1, True), answer


def test_a_stack_that_is_named_twice_is_reviewed_once(accepted, expiac):
    assert expiac("review", "lab", "stacks/lab.py", "lab", "--check").out == "1 as reviewed\n"


def test_folders_with_names_of_others_are_no_snapshots(accepted, expiac):
    for name in (b"lab@words=\xff", b"lab@words=a,", b"lab@"):
        folder = os.path.join(os.fsencode(accepted), b"snapshots", name)
        os.mkdir(folder)
        with open(os.path.join(folder, b"say_7.task.yaml"), "wb") as file:
            file.write(b"a: 1")
    assert expiac("review", "--check").out == "1 as reviewed\n"
    assert expiac("plan", "lab").code == 0


def test_a_stack_that_is_wrong_hides_no_other_one(accepted, expiac):
    (accepted / "stacks" / "bad.py").write_text("1 / 0\n")
    before = files(accepted)
    answer = expiac("review")
    assert answer.code == 1
    assert "bad is not rendered: " in answer.out
    assert "1 not rendered; 1 as reviewed" in answer.out
    assert (expiac("review", "--accept").code, files(accepted)) == (1, before)


def test_overrides_that_do_not_hold_any_more_are_told(accepted, expiac):
    expiac("review", "lab", "jobs=2", "--accept")
    edit(accepted, "jobs", "runs")
    answer = expiac("review")
    assert (answer.code, "lab@jobs=2 is not rendered: " in answer.out) == (1, True), answer.out


@pytest.mark.parametrize(("words", "what"), [
    (["--check", "--accept"], "--check writes nothing"), (["jobs=2"], "Which stack?"), (["labb"], "No such stack"),
    (["--json", "--markdown"], "--markdown")])
def test_words_that_make_no_sense(project, expiac, words, what):
    answer = expiac("review", *words)
    assert (answer.code, what in answer.err) == (64, True), answer.err


def test_a_folder_in_the_way_is_told_and_nothing_is_lost(accepted, expiac):
    (accepted / "snapshots" / "lab" / "say_1.task.yaml").mkdir()
    answer = expiac("review", "lab", "jobs=2", "--check")
    assert answer.code == 1
    edit(accepted, "jobs: int = 1", "jobs: int = 2")
    answer = expiac("review", "--accept")
    assert (answer.code, "Cannot write" in answer.err) == (1, True), answer.err


def test_hostile_snapshots_are_shown_and_not_obeyed(accepted, expiac):
    path = accepted / "snapshots" / "lab" / "say_0.task.yaml"
    path.write_bytes(b"run: \"\x1b[31mred \xe2\x80\xae\"\n\x07: <script>\n")
    for words in (["review"], ["review", "--verbose"]):
        out = expiac(*words).out
        assert out.isprintable() or {sign for sign in out if not sign.isprintable()} == {"\n"}


PINNED = """
from expiac import Job, SkypilotJobConfig, Stack
from expiac.declare.options import Options

lab = Stack("pinned", [Job("a", run="echo {}", skypilot=SkypilotJobConfig(gpus=0, workdir=None),
                           options=Options(ignore_changes=("run",)))])
"""


def test_a_review_goes_by_the_declaration_and_not_by_the_state(project, expiac):
    """So it says the same where there is no state, as in CI."""
    (project / "stacks" / "lab.py").write_text(PINNED.replace("{}", "one"))
    assert expiac("apply", "--yes", "--wait").code == 0
    (project / "stacks" / "lab.py").write_text(PINNED.replace("{}", "two"))
    expiac("review", "--accept")
    assert b"echo two" in files(project)["pinned/a.task.yaml"]


USES = """
from expiac import Job, SkypilotJobConfig, Stack

there = Stack.reference("lab").output("say_0", "log")
uses = Stack("uses", [Job("a", run="cat $LOG", skypilot=SkypilotJobConfig(gpus=0, workdir=None, envs={"LOG": there}))])
"""


def test_outputs_of_other_stacks_need_no_state(project, expiac):
    (project / "stacks" / "uses.py").write_text(USES)
    assert expiac("review", "uses", "--accept").code == 0
    assert expiac("review", "uses", "--check").out == "1 as reviewed\n"


def test_two_files_that_declare_one_stack_are_told(accepted, expiac):
    """Each would be a change of the other one's snapshots."""
    other = (accepted / "stacks" / "lab.py").read_text(encoding="utf-8").replace('"hello"', '"other"')
    (accepted / "stacks" / "more.py").write_text(other, encoding="utf-8")
    before = files(accepted)
    answer = expiac("review", "--accept")
    assert (answer.code, files(accepted)) == (1, before)
    assert "more is not rendered: Duplicate name: another stack file declares lab too" in answer.out


def test_a_stack_file_that_is_named_by_its_path_is_not_gone(accepted, expiac):
    """A review of all stacks renders it again, under its overrides too, and removes nothing of it."""
    (accepted / "elsewhere").mkdir()
    text = (accepted / "stacks" / "lab.py").read_text(encoding="utf-8")
    (accepted / "elsewhere" / "far.py").write_text(text.replace('"lab"', '"far"'), encoding="utf-8")
    assert expiac("review", "elsewhere/far.py", "--accept").code == 0
    assert expiac("review", "elsewhere/far.py", "name=far_long", "jobs=2", "--accept").code == 0
    before = files(accepted)
    assert expiac("review", "--check").out == "4 as reviewed\n"
    assert (expiac("review", "--accept").code, files(accepted)) == (0, before)
    edit(accepted, "gpus=0", "gpus=2", "elsewhere/far.py")
    assert "changed: far say_0; far_long@name=far_long,jobs=2 say_0, say_1" in expiac("review", "--check").out


@pytest.mark.parametrize(("change", "told"), [
    (lambda file: file.unlink(), "its file elsewhere/far.py is not there"),
    (lambda file: file.write_text(file.read_text().replace('"lab"', '"near"')), "elsewhere/far.py declares near now")])
def test_no_snapshot_of_a_stack_file_elsewhere_is_removed_by_a_review_of_all(accepted, expiac, change, told):
    """The file may have been moved."""
    far = accepted / "elsewhere" / "far.py"
    far.parent.mkdir()
    (accepted / "stacks" / "lab.py").rename(far)
    assert expiac("review", "elsewhere/far.py", "--accept").out == "0 accepted; 1 as they were\n"
    change(far)
    before = files(accepted)
    answer = expiac("review", "--accept")
    assert (answer.code, files(accepted)) == (1, before)
    assert "lab is not rendered: No such stack: " + told in answer.out


def test_a_set_that_is_removed_leaves_no_folder(accepted, expiac):
    (accepted / "far.py").write_text((accepted / "stacks" / "lab.py").read_text().replace('"lab"', '"far"'))
    expiac("review", "far.py", "--accept")
    (accepted / "far.py").write_text("from expiac import Stack\nfar = Stack('far', [])\n")
    assert "snapshots/far/say_0.task.yaml   removed" in expiac("review", "--accept").out
    assert set(files(accepted)) == SNAPSHOTS
