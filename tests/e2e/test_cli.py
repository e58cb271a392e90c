"""The command line as it is used: what it prints, what it answers, and what it leaves alone."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest
from terminal import CTRL_C, Terminal
from throwaway import ROOT, Folder, made, until

RATES = "[0.0001, 0.0005]"
HOLD = "while [ ! -e ~/go ]; do sleep 0.1; done"
"""A job that runs until somebody lets it go."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """The A/B test of this repository, applied and succeeded; the tests that use it only plan."""
    for folder in made(tmp_path_factory.mktemp("cli")):
        program = (ROOT / "stacks" / "lr_ab_test.py").read_text()
        program = program.replace("git_check: bool = True", "git_check: bool = False")  # the folder is no git tree
        (folder.root / "stacks" / "lr_ab_test.py").write_text(program)
        folder.apply()
        yield folder


@pytest.fixture
def edited(trained: Folder) -> Iterator[Folder]:
    """The same; whatever the test edits is undone."""
    files = [trained.root / "stacks" / "lr_ab_test.py", trained.root / "configs" / "agent" / "fast.yaml"]
    texts = [file.read_text() for file in files]
    yield trained
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)


def edit(folder: Folder, name: str, before: str, after: str) -> None:
    file = folder.root / name
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


def steps(plan: dict) -> dict[str, str]:
    return {step["address"]: step["action"] for step in plan["steps"]}


# ---------------------------------------------------------------------------------------------------------- plans

def test_a_second_apply_launches_nothing(trained: Folder):
    """What is there is there."""
    launches = trained.launches()
    assert "no changes" in trained.output("apply", "lr_ab_test", "--yes")
    assert trained.launches() == launches


def test_detailed_exit_codes(edited: Folder):
    """0 where nothing would change, 2 where something would, 1 for an error."""
    def code() -> int:
        return edited.expiac("plan", "--detailed-exitcode").returncode

    assert code() == 0
    edit(edited, "stacks/lr_ab_test.py", RATES, "[0.0001, 0.0007]")
    assert code() == 2
    edit(edited, "stacks/lr_ab_test.py", "[0.0001, 0.0007]", "[0.0001, -1]")
    assert code() == 1


def test_one_learning_rate(edited: Folder):
    """One `±` with what changed, the tag that names it too; the other job stays."""
    edit(edited, "stacks/lr_ab_test.py", RATES, "[0.0001, 0.0007]")
    text = edited.output("plan")
    assert "± job_1   trainer.optimizer.learning_rate: 0.0005 → 0.0007\n" in text
    assert "= job_0   succeeded\n" in text
    assert text.count("→") == 2
    assert "1 to replace, 1 unchanged" in text
    plan = edited.said("plan")
    assert steps(plan) == {"job_0": "keep", "job_1": "replace"}
    assert [(change["path"], change["before"], change["after"], change["kind"]) for change in
            plan["steps"][1]["changes"]] == [
        ("trainer.optimizer.learning_rate", 0.0005, 0.0007, "identity"),
        ("tags", ["ab_test", "lr_0.0005"], ["ab_test", "lr_0.0007"], "annotation")]


def test_a_tag(edited: Folder):
    """Nothing restarts for a tag."""
    edit(edited, "stacks/lr_ab_test.py", '"ab_test", f', '"rates", f')
    text = edited.output("plan")
    assert '~ job_0   tags: ["ab_test", "lr_0.0001"] → ["rates", "lr_0.0001"]' in text
    assert "2 to update" in text


def test_a_config_file(edited: Folder):
    """An edit under configs/ is told by the path that it has in the composed config."""
    edit(edited, "configs/agent/fast.yaml", "hidden_size: 128", "hidden_size: 64")
    text = edited.output("plan")
    assert "± job_0   agent.hidden_size: 128 → 64\n" in text
    assert "± job_1   agent.hidden_size: 128 → 64\n" in text
    assert "2 to replace" in text


def test_gpus_of_a_run_that_succeeded(trained: Folder):
    """A result does not depend on where it ran. The plan opens with what differs, and how to come back."""
    text = trained.output("plan", "lr_ab_test", "gpus=4")
    assert text.startswith("Overrides differ from the last apply:\n  gpus: not set → 4\n"
                           "  Hint: expiac plan lr_ab_test\n")
    assert "= job_0   succeeded\n= job_1   succeeded\n\nno changes" in text


def test_the_document_of_a_plan(trained: Folder):
    """One JSON document, and nothing else on stdout."""
    plan = trained.said("plan")
    assert {"format_version", "stack", "lineage", "serial", "steps", "summary"} <= plan.keys()
    assert {"address", "type", "instance", "launch", "action", "reason", "changes", "cost_per_hour", "depends_on",
            "deferred"} <= plan["steps"][0].keys()
    assert plan["summary"] == {"keep": 2} | dict.fromkeys(
        ("create", "update", "replace", "relaunch", "stop", "restore", "forget"), 0)
    assert plan["lineage"] == trained.said("status")["lineage"]


def test_what_the_program_prints_is_not_in_the_document(edited: Folder):
    """It goes to stderr."""
    edit(edited, "stacks/lr_ab_test.py", "\nif __name__", "\nprint('hello')\nif __name__")
    done = edited.expiac("plan", "--json")
    assert json.loads(done.stdout)["stack"] == "lr_ab_test"
    assert done.stderr == "hello\n"


def test_status_logs_render_version(trained: Folder):
    """What is known, what was printed, what would be launched."""
    assert "succeeded" in trained.output("status", "lr_ab_test")
    job = trained.said("status")["resources"][0]
    assert (job["status"], job["progress"]["step"], job["progress"]["metrics"]) == ("succeeded", 8, {"reward": 1.5})
    assert trained.output("logs", "job_0") == f"trained {job['instance']}\n"
    assert trained.output("refresh") == trained.output("status")
    assert "learning_rate: 0.0005" in trained.output("render")
    assert trained.output("render", "--out", "rendered").splitlines() == [
        *(f"rendered/{job}.{file}.yaml" for job in ("job_0", "job_1") for file in ("task", "config", "composed")),
        "rendered/manifest.json"]
    assert trained.output("version").startswith("expiac 0.")


def test_logs_of_no_job(trained: Folder):
    """The nearest is named."""
    done = trained.expiac("logs", "lr_ab_test", "job_7")
    assert (done.returncode, "did you mean job_" in done.stderr) == (1, True)


def test_a_stack_file_by_itself(trained: Folder):
    """Flags set its config; bare it asks, and so needs a terminal; a stray word is refused."""
    before = trained.state
    file = "stacks/lr_ab_test.py"
    done = trained.python(file, "--gpus=4", "--nodes=2", "--spot=false", "--no-launch")
    assert (done.returncode, done.stderr) == (0, "")
    assert "  gpus: not set → 4\n  nodes: not set → 2\n  spot: not set → false\n" in done.stdout
    assert "no changes" in done.stdout
    for arguments, words in (((), "--no-launch"), (("false",), "'false' belongs to no flag"),
                             (("--gpu=4",), "did you mean --gpus?")):
        done = trained.python(file, *arguments)
        assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (64, "", False)
        assert words in done.stderr
    assert trained.state == before


# --------------------------------------------------------------------------------------------------------- changes

def test_back_to_old_settings(project: Folder):
    """A → B → A is the first run again; after a destroy it is a third one. Each names the run of these settings."""
    first = []
    for command in ("echo A", "echo B", "echo A"):
        project.jobs(one=command)
        first.append(project.said("plan")["steps"][0])
        project.apply()
    assert [step["action"] for step in first] == ["create", "replace", "restore"]
    assert first[2]["instance"] == first[0]["instance"]
    assert first[2]["reason"] == f"{first[0]['instance']} had these settings, and succeeded"
    project.output("destroy", "--yes")
    assert project.said("status")["resources"] == []
    again = project.said("plan")["steps"][0]
    reason = f"a new run; {first[0]['instance']} had these settings, and was destroyed (--reuse takes it)"
    assert (again["action"], again["reason"]) == ("create", reason)
    project.apply()
    assert len(project.launches()) == 3


def test_the_events_of_an_apply(project: Folder):
    """One JSON object a line, from the plan to the end."""
    project.jobs(one="echo 1", two="echo 2")
    done = project.expiac("apply", "--yes", "--wait", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "began"
    assert steps(events[0]["plan"]) == {"one": "create", "two": "create"}
    assert sorted(event["address"] for event in events if event["event"] == "step_ended") == ["one", "two"]
    assert (events[-1]["event"], events[-1]["is_well"]) == ("finished", True)
    assert {seen["status"] for seen in events[-1]["seen"]} == {"succeeded"}


CHAIN = """\
first = Job("first", run={!r}, outputs={{"words": "words.txt"}}, skypilot=HERE)
small = Stack("small", [first, Job("second", run="cat " + first.output("words"), skypilot=HERE)])
"""


def test_a_job_that_waits_for_another(project: Folder):
    """Deferred where apply does not wait, begun where it does."""
    project.stack(CHAIN.format("echo hello > words.txt"))
    done = project.output("apply", "--yes")
    assert "+ second   run: cat ${ref:first.words}\n           deferred: waits for first\n" in done
    assert len(project.launches()) == 1
    text = project.apply()
    assert "+ second   created: small.second." in text
    assert project.output("logs", "second") == "hello\n"
    assert "no changes" in project.output("plan")


def test_a_dependency_that_fails(project: Folder):
    """What waited for it is left out, and the failure is told."""
    project.stack(CHAIN.format("echo broken; exit 3"))
    done = project.expiac("apply", "--yes", "--wait")
    assert done.returncode == 1
    assert "second" in done.stderr
    assert len(project.launches()) == 1
    plan = project.output("plan")
    assert "! failed: " in plan
    assert "--retry" in plan
    assert "waits for first, which failed" in plan
    project.stack(CHAIN.format("echo hello > words.txt"))
    project.apply()
    assert project.output("logs", "second") == "hello\n"


def test_following_logs(project: Folder):
    """-f goes on until the job ends; what was printed before it began is there too."""
    project.jobs(one=f"echo before; {HOLD}; echo after")
    project.output("apply", "--yes")
    follower = project.begin("logs", "one", "-f")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "before\n"
    _let_go(project)
    assert follower.communicate(timeout=60)[0] == "after\n"
    assert follower.returncode == 0


def test_a_reader_who_has_had_enough(project: Folder):
    """As `| head -1` does: no traceback."""
    project.jobs(one="seq 200000")
    project.output("apply", "--yes", "--wait")
    talker = project.begin("logs", "one")
    assert talker.stdout is not None
    assert talker.stdout.readline() == "1\n"
    talker.stdout.close()
    assert talker.wait(timeout=60) == 1
    assert talker.stderr is None or talker.stderr.read() == ""


def test_an_apply_without_steps_writes_down_what_it_saw(project: Folder):
    """That a run has ended is known from then on without asking."""
    project.jobs(one=HOLD)
    project.output("apply", "--yes")
    _let_go(project)
    until(lambda: not project.alive(), "the job ends")
    assert "no changes" in project.output("apply", "--yes")
    assert project.said("status", "--no-refresh")["resources"][0]["status"] == "succeeded"


def test_an_interrupt_while_waiting(project: Folder):
    """Exit 8, and the job goes on; the next wait takes it up."""
    project.jobs(one=HOLD)
    waiting = project.begin("apply", "--yes", "--wait")
    until(lambda: project.alive() and (project.alive()[0] / "running.json").exists(), "the job runs")
    until(lambda: b'"event":"done"' in project.journal().read_bytes(), "the apply has launched it")
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, "Traceback" in err) == (8, False), out + err
    assert "Interrupted" in err
    assert len(project.alive()) == 1
    assert project.said("status")["resources"][0]["status"] == "running"
    _let_go(project)
    assert "no changes" in project.apply()
    assert len(project.launches()) == 1


def test_on_a_terminal(project: Folder):
    """Details shows all and asks again; yes launches; ^C while it waits leaves the job running; destroy ends it."""
    project.jobs(one=HOLD)
    with Terminal(project.root, project.env, "apply", "small", "--wait") as terminal:
        terminal.sees("Apply this plan? [y/N/details]")
        assert "infra: local" not in terminal.text
        terminal.types("details\n")
        terminal.sees("infra: local")
        terminal.sees("Apply this plan? [y/N/details]")
        assert not project.journal().exists()
        terminal.types("y\n")
        terminal.sees("^C ")
        until(project.alive, "the job is launched")
        terminal.types(CTRL_C)
        assert terminal.ends() == 8, terminal.text
    assert len(project.alive()) == 1
    with Terminal(project.root, project.env, "destroy", "small") as terminal:
        terminal.sees("[y/N/details]")
        terminal.types("y\n")
        assert terminal.ends() == 0, terminal.text
    assert not project.alive()


def _let_go(project: Folder) -> None:
    until(project.alive, "the job is launched")
    (project.alive()[0].parents[1] / "home" / "go").touch()
