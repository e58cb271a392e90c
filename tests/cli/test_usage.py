"""Wrong command lines: exit 64, and a hint that can be pasted."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("words", "err"), [
    (["pln"], "Usage error\n  No such command 'pln'. Did you mean 'plan'?\n  Hint: expiac --help\n"),
    (["plan", "--jsn"], "Usage error\n  No such option: --jsn (Possible options: --json)\n"),
    (["plan", "lab", "stray"], "Not an override\n  'stray' is not of the form key=value\n  Hint: stray=…\n"),
    (["plan", "la"], "No such stack\n  la is neither a file nor one of stacks\n  Hint: did you mean lab?\n"),
    (["plan", "word=x"], "Unknown key\n  word is no field of Lab\n  Hint: did you mean words?\n"),
    (["plan", "--gpus", "4"], "Usage error\n  No such option: --gpus; settings are key=value\n  Hint: gpus=4\n"),
    (["plan", "lab", "--jobs=2"], "Usage error\n  No such option: --jobs; settings are key=value\n  Hint: jobs=2\n"),
    (["apply", "--no-spot", "lab"],
     "Usage error\n  No such option: --no-spot; settings are key=value\n  Hint: spot=false\n"),
    (["render", "--spot", "lab"], "Usage error\n  No such option: --spot; settings are key=value\n  Hint: spot=true\n"),
    (["status", "--gpus", "4"], "Usage error\n  No such option: --gpus\n  Hint: expiac status --help\n"),
    (["plan", "~lab"], "Unknown key"),
    (["apply", "--parallelism", "none"], "Usage error"),
    (["apply", "--parallelism", "0"], "Usage error"),
    (["destroy", "lab", "words=x", "--yes"], "Usage error"),
    (["logs", "lab", "--node", "-1"], "Usage error"),
])
def test_usage_errors(expiac, words, err):
    """2 keeps its one meaning, and nothing is done."""
    said = expiac(*words)
    assert (said.code, said.out) == (64, "")
    assert said.err.startswith(err)


@pytest.mark.parametrize("words", [
    ["plan", "LONG"], ["review", "LONG", "--check"], ["review", "--html", "LONG"], ["render", "--out", "LONG"],
    ["verify", "LONG"], ["verify", "LONG/manifest.json"], ["plan", "--out", "LONG"]])
def test_a_name_that_no_file_can_have(expiac, words):
    said = expiac(*(word.replace("LONG", "x" * 300) for word in words))
    assert said.code == 64
    assert said.err.splitlines()[0] == "Usage error"
    assert said.err.rstrip().endswith("File name too long")


def test_a_wrong_value_is_a_usage_error_as_an_unknown_key_is(expiac):
    """Both are mended on the command line; every wrong value is named."""
    said = expiac("plan", "jobs=many", "seconds=x")
    assert said.code == expiac("plan", "job=1").code == 64
    assert [line.split(":")[0].strip() for line in said.err.splitlines()] == ["Invalid value", "jobs=many", "seconds=x"]


def test_outside_of_a_project(expiac, tmp_path_factory, monkeypatch):
    """It says what a project is."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    said = expiac("plan")
    assert said.code == 1
    assert said.err.startswith("No project here\n")


def test_our_own_mistakes_keep_their_traceback(expiac, monkeypatch):
    """What is not an ExpiacError is a bug, and is not dressed up."""
    monkeypatch.setattr("expiac.session.Session.plan", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        expiac("plan")


@pytest.mark.parametrize("words", [[], ["state"]])
def test_a_bare_command_shows_its_help(expiac, words):
    """Which is no error."""
    said = expiac(*words)
    assert (said.code, "Usage: expiac" in said.out, said.err) == (0, True, "")
    assert "<bool>" not in said.out


@pytest.mark.parametrize(("given", "code"), [
    ("1h", 0), ("90m", 0), ("2.5", 0), ("0", 0), ("1x", 64), ("-1", 64), ("nan", 64)])
def test_a_timeout_is_a_duration(expiac, given, code):
    assert expiac("apply", "lab", "--yes").code == 0
    said = expiac("status", "lab", "--timeout", given)
    assert said.code == code
    assert code == 0 or f"'{given}': a duration is in seconds, or such as 90m, 12h, 2d" in said.err


@pytest.mark.parametrize("state", ["s3:/typo", "s3:typo", "s3//typo", "gs:/a/b"])
def test_what_is_nearly_an_address_is_no_folder(expiac, project, state):
    """In which all would be new, and so be launched once more."""
    said = expiac("--state", state, "plan", "lab")
    assert said.code == 64
    assert said.err.startswith("Unclear place of the states")
    assert "://" in said.err.splitlines()[-1]
    assert not (project / state.partition("/")[0]).exists()
    assert expiac("--state", f"./{state}", "plan", "lab").code == 0


@pytest.mark.parametrize("words", [[], ["-i"]])
def test_ctrl_c_at_the_question_says_what_did_not_happen(expiac, project, monkeypatch, words):
    def interrupted(_prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    monkeypatch.setattr("expiac.cli.output.demand_consent", lambda **_: None)
    said = expiac("apply", "lab", *words)
    assert (said.code, said.err) == (8, "Interrupted\n  nothing was changed\n")
    assert not (project / ".expiac" / "local").exists()
