"""Under a locale that is not UTF-8, files are UTF-8, jobs get what was declared, and all can be printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORD = "Grüße, 世界"
STACK = f'''
from expiac import ExperimentConfig, Hooks, Job, Options, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig

class Letters(ExperimentConfig):
    name: str = "letters"
    word: str = "{WORD}"

def stack(config: Letters) -> Stack:
    place = SkypilotJobConfig(workdir=None, envs={{"WORD": config.word}}, setup="echo sëtup")
    say = Job("say", run=f"echo '{{config.word}}' $WORD $WANDB_TAGS $WANDB_NOTES", tags=("täg",), notes="nöte",
              skypilot=place, options=Options(hooks=Hooks(before_create="echo ö > hook.txt")))
    train = TrainingJob("train", training=TrainingRunConfig(format="yaml", trainer={{"größe": config.word}}),
                        skypilot=SkypilotJobConfig(gpus=0, workdir=None, run="cat $EXPIAC_CONFIG"))
    return Stack(config.name, [say, train])
'''


@pytest.fixture(params=["ascii", "latin1"])
def locale(request, tmp_path_factory):
    """The variables of a locale that is not UTF-8."""
    if request.param == "ascii":
        return {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    if not shutil.which("localedef"):
        pytest.skip("no localedef here")
    folder = tmp_path_factory.mktemp("locales")
    made = folder / "en_US.ISO-8859-1"
    subprocess.run(["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(made)], capture_output=True, check=False)
    if not made.exists():
        pytest.skip("no sources of locales here")
    return {"LOCPATH": str(folder), "LC_ALL": made.name, "PYTHONUTF8": "0"}


@pytest.fixture
def letters(project, locale):
    """`letters(...)` is the command line under that locale; gives its exit code and what it printed, as bytes."""
    (project / "stacks" / "letters.py").write_text(STACK, encoding="utf-8")

    def run(*words):
        env = {**os.environ, **locale, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-m", "expiac", *(os.fsencode(word) for word in words)], cwd=project,
                              env=env, capture_output=True, check=False, timeout=120)
        assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
        return done.returncode, done.stdout

    yield run
    run("destroy", "letters", "--yes")


def test_a_stack_goes_its_way(letters, project):
    """What is declared reaches the jobs, the hook and the files as it was written."""
    code, out = letters("apply", "letters", "--yes", "--wait")
    assert code == 0, out
    logs = {log.parents[2].name.split(".")[1]: log.read_bytes().decode("utf-8")
            for log in project.rglob("node-0.log")}
    assert f"{WORD} {WORD} täg nöte\n" in logs["say"]
    assert "sëtup\n" in logs["say"]
    assert f'"größe": "{WORD}"' in logs["train"]
    assert (project / "hook.txt").read_text(encoding="utf-8") == "ö\n"
    for words in ("status letters", "logs letters say", "history letters", "state list letters", "plan letters"):
        assert letters(*words.split())[0] == 0, words


def test_json_is_read_by_every_parser(letters):
    """And keeps its letters, whatever the encoding of stdout is."""
    for words in (["plan", "letters", "--json"], ["apply", "letters", "--yes", "--wait", "--json"]):
        code, out = letters(*words)
        assert code == 0
        assert [json.loads(line) for line in out.decode("utf-8").splitlines()]


def test_what_the_encoding_lacks_is_printed_as_its_number(letters):
    code, out = letters("render", "letters")
    assert code == 0
    assert b"\\u4e16\\u754c" in out


def test_files_are_written_in_utf8(letters, project):
    assert letters("render", "letters", "--out", "rendered")[0] == 0
    assert WORD in (project / "rendered" / "say.task.yaml").read_text(encoding="utf-8")


def test_an_argument_is_read_as_utf8_where_the_locale_cannot(letters, locale):
    """A Latin-1 terminal sends Latin-1; under `LC_ALL=C` nearly all send UTF-8."""
    if locale["LC_ALL"] != "C":
        pytest.skip("the locale can read it")
    code, out = letters("plan", "letters", "word=Ärger", "--json")
    assert (code, json.loads(out)["overrides"]) == (0, {"word": "Ärger"})
