"""The commands, end to end on the local backend."""

from __future__ import annotations

import json


def test_from_plan_to_destroy(expiac):
    """The main job: planned, applied, unchanged, edited, destroyed; exit codes say what is so."""
    assert expiac("plan", "--detailed-exitcode").code == 2
    applied = expiac("apply", "lab", "--yes", "--wait")
    assert applied.code == 0, applied.err
    assert "say_0  succeeded" in applied.out
    assert "expiac logs lab say_0" in applied.out
    unchanged = expiac("plan", "--detailed-exitcode")
    assert (unchanged.code, unchanged.out.splitlines()[-1]) == (0, "no changes")
    edited = expiac("plan", "words=bye", "--detailed-exitcode")
    assert edited.code == 2
    assert "± say_0   run: " in edited.out
    assert "  Hint: expiac plan lab\n" in edited.out
    destroyed = expiac("destroy", "--yes")
    assert destroyed.code == 0
    assert "· say_0   succeeded, to be destroyed" in destroyed.out


def test_applying_twice_launches_nothing(expiac):
    """The second apply says `no changes`."""
    expiac("apply", "--yes", "--wait")
    again = expiac("apply", "--yes")
    assert (again.code, again.out.splitlines()[-1]) == (0, "no changes")


def test_plan_prints_one_document(expiac):
    """`--json` is one document on stdout and nothing else there."""
    said = expiac("plan", "lab", "jobs=2", "--json")
    assert [step["action"] for step in json.loads(said.out)["steps"]] == ["create", "create"]
    assert json.loads(said.out)["overrides"] == {"jobs": "2"}


def test_apply_streams_events(expiac):
    """`apply --json` is one event a line, from the plan to the end."""
    events = [json.loads(line) for line in expiac("apply", "--yes", "--wait", "--json").out.splitlines()]
    names = [event["event"] for event in events]
    assert (names[0], names[1], names[2], names[-1]) == ("began", "step_began", "step_ended", "finished")
    assert [event["status"] for event in events if event["event"] == "seen"][-1] == "succeeded"
    assert events[-1]["done"] == ["say_0"]
    nothing = [json.loads(line)["event"] for line in expiac("apply", "--yes", "--json").out.splitlines()]
    assert nothing == ["began", "finished"]


def test_a_failed_run_is_an_error(expiac):
    """Whoever waits is told: exit 1, the job's name, and where to look."""
    said = expiac("apply", "words=fail", "--yes", "--wait")
    assert said.code == 1
    assert said.err == "Run failed\n  say_0 (failed)\n  Hint: expiac logs lab say_0\n"


def test_status_and_logs(expiac):
    """How each job is, and what it printed."""
    assert expiac("status").code == 64
    expiac("apply", "jobs=2", "--yes", "--wait")
    status = expiac("status", "lab")
    rows = [line.split()[:2] for line in status.out.splitlines()[1:]]
    assert rows == [["say_0", "succeeded"], ["say_1", "succeeded"]]
    document = json.loads(expiac("status", "--json").out)
    assert [(one["address"], one["status"]) for one in document["resources"]] == [
        ("say_0", "succeeded"), ("say_1", "succeeded")]
    assert expiac("logs", "lab", "say_1").out == "hello 1\n"
    assert expiac("logs", "say_1").out == "hello 1\n"
    assert expiac("logs", "lab").code == 64
    assert expiac("logs", "lab", "sya_1").err.endswith("Hint: did you mean say_1?\n")


def test_a_destroyed_job_keeps_its_log(expiac):
    """It is in the history."""
    expiac("apply", "lab", "--yes", "--wait")
    expiac("destroy", "lab", "--yes")
    assert expiac("logs", "lab", "say_0").out == "hello 0\n"


def test_a_job_that_printed_nothing(expiac):
    """Is told aside: an empty screen says nothing."""
    expiac("apply", "lab", "seconds=1000", "--yes")
    said = expiac("logs", "lab")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("! say_0 has printed nothing (")


def test_what_is_pasted_finds_the_stack(expiac):
    """Also where its name is not the program's, and another stack of the program has a state."""
    expiac("apply", "lab", "--yes")
    applied = expiac("apply", "lab", "name=other", "words=ciao", "--yes", "--wait")
    for command in ("expiac results other", "expiac logs other say_0", "expiac destroy other"):
        assert command in applied.out
    assert expiac("logs", "other", "say_0").out == "ciao 0\n"
    expiac("destroy", "other", "--yes")


def test_watching(expiac):
    """Until every run has ended; the table comes last, and each line of JSON is one moment."""
    expiac("apply", "lab", "jobs=2", "seconds=1", "--yes")
    watched = expiac("status", "lab", "--watch")
    assert watched.code == 0, watched.err
    assert watched.out.splitlines()[-1].split()[:2] == ["say_1", "succeeded"]
    events = [json.loads(line) for line in expiac("status", "lab", "--watch", "--json").out.splitlines()]
    assert [event["event"] for event in events] == ["seen", "seen", "finished"]
    assert expiac("status", "lab", "--watch", "--no-refresh").code == 64


def test_watching_runs_of_which_one_fails(expiac):
    """The exit code says so to a script, as that of an apply which waits; the hint names the log."""
    expiac("apply", "lab", "words=fail", "jobs=2", "--yes")
    watched = expiac("status", "lab", "--watch")
    assert watched.code == 1
    assert "say_1  failed" in watched.out
    assert "say_0 (failed), say_1 (failed)" in watched.err
    assert "expiac logs lab say_0" in watched.err
    assert expiac("status", "lab", "--watch", "--json").code == 1
    assert expiac("status", "lab").code == 0


def test_refresh_writes_down_what_it_sees(expiac):
    """After it, the state alone knows how a run ended."""
    expiac("apply", "--yes", "--wait")
    assert "succeeded" in expiac("refresh").out
    assert "succeeded" in expiac("status", "--no-refresh").out


def test_render_prints_or_writes(expiac, project):
    """Everything that is launched, but for the instance's name."""
    assert '# --- say_0: task.yaml\n' in expiac("render").out
    said = expiac("render", "lab", "--out", "rendered")
    assert said.out == "rendered/say_0.task.yaml\nrendered/manifest.json\n"
    assert 'name: "@instance@"' in (project / "rendered" / "say_0.task.yaml").read_text()


def test_without_a_terminal_consent_is_needed(expiac, project):
    """Nothing is asked that nobody can answer, and nothing is done."""
    for command in ("apply", "destroy"):
        said = expiac(command, "lab")
        assert (said.code, said.out) == (64, "")
        assert said.err == "Consent needed\n  there is no terminal to ask on\n  Hint: --yes\n"
    assert not (project / ".expiac" / "lab.jsonl").exists()


def test_destroy_needs_no_program(expiac, project):
    """It works from the state alone."""
    expiac("apply", "--yes", "--wait")
    (project / "stacks" / "lab.py").write_text("def broken(:\n")
    assert expiac("plan").code == 1
    assert expiac("destroy", "lab", "--yes").code == 0


def test_version(expiac):
    """One line."""
    assert expiac("version").out.startswith("expiac ")


def test_a_part_of_a_stack(expiac):
    """Applied and destroyed by name; the rest is named, and waits."""
    said = expiac("apply", "lab", "jobs=3", "seconds=60", "--target", "say_[01]", "--exclude", "say_1", "--yes")
    assert (said.code, "left out, and would change: say_1, say_2" in said.out) == (0, True), said
    assert expiac("apply", "lab", "jobs=3", "seconds=60", "--yes").code == 0
    said = expiac("destroy", "lab", "--target", "say_1", "--yes")
    assert (said.code, "1 to stop" in said.out) == (0, True), said
    assert "say_1" not in expiac("status", "lab").out
    said = expiac("plan", "lab", "jobs=3", "--target", "say_7")
    assert (said.code, "did you mean say_" in said.err) == (64, True), said


def test_a_setting_that_nothing_reads_is_told(project, expiac):
    """In the plan, also where it changes nothing; and beside what policies say."""
    file = project / "stacks" / "lab.py"
    file.write_text(file.read_text().replace("seconds: float = 0", "seconds: float = 0\n    seed: int = 0"))
    warning = "config field seed is set, but nothing reads it"
    assert f"! {warning}" in expiac("apply", "lab", "seed=3", "--yes", "--wait").out
    assert f"! {warning}\n" in expiac("plan", "lab", "seed=3").out
    assert json.loads(expiac("plan", "lab", "seed=3", "--json").out)["warnings"] == [warning]
    assert warning not in expiac("plan", "lab", "words=hello").out
    (project / "pyproject.toml").write_text("[tool.expiac]\npolicies.max_gpus = 8\n")
    assert f"! {warning}" in expiac("plan", "lab", "seed=3", "words=bye").out


def test_a_plan_says_how_much_code_goes_along(project, expiac):
    """Where it is much; and nothing where nothing is launched."""
    (project / "stacks" / "lab.py").write_text(
        "from expiac import Job, Stack\nlab = Stack('lab', [Job('say', run='true')])\n")
    with open(project / "x.bin", "wb") as file:
        file.truncate(60_000_000)
    told = " ".join(expiac("plan", "lab").out.split())
    assert "the working tree that goes along is 60 MB; largest: x.bin 60 MB" in told
    assert expiac("apply", "lab", "--yes", "--wait").code == 0
    assert "goes along" not in expiac("plan", "lab").out
