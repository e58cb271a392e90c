"""Who is told how runs end: real jobs, real commands, and a real HTTP server on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from expiac.apply.events import ProgressEvent, Warned
from expiac.declare.project import find_project
from expiac.session import Session
from expiac.util.errors import ExpiacError

ROOT = Path(__file__).parents[2]
STACK = """
from expiac import ExperimentConfig, Hooks, Job, Options, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    run: str = "true"
    max_idle: str | None = None
    hook: str = ""

def stack(config: Lab) -> Stack:
    return Stack(config.name, [Job("train", run=config.run, max_idle=config.max_idle,
                                   skypilot=SkypilotJobConfig(gpus=0, workdir=None),
                                   options=Options(hooks=Hooks(notify=config.hook)))])
"""


class Server(ThreadingHTTPServer):
    """Remembers what is posted; answers with `status` after `delay` seconds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts: list[tuple[str, dict[str, str], dict[str, object]]] = []
        self.status, self.delay = 204, 0.0
        self.asked = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def told(self) -> list[object]:
        return [body["event"] for _, _, body in self.posts]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.append((self.path, dict(self.headers), body))
        self.server.asked.set()
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Lab:
    """A project of one job that tells of its end."""

    def __init__(self, root: Path) -> None:
        self.root, self.warnings = root, list[str]()
        (root / "stacks").mkdir()
        (root / "stacks" / "lab.py").write_text(STACK)
        shutil.copytree(ROOT / "templates", root / "templates")
        self.notify("")

    def notify(self, settings: str) -> None:
        (self.root / "pyproject.toml").write_text(f"[tool.expiac.notify]\n{settings}\n")

    def apply(self, *overrides: str, wait: bool = True) -> None:
        with Session.open("lab", overrides, reporter=self, project=find_project(self.root)) as session:
            session.apply(session.plan(), wait=wait, timeout=120)

    def refresh(self) -> str:
        with Session.open("lab", reporter=self, declared=False, project=find_project(self.root)) as session:
            return session.refresh()[0].status.value

    def until(self, status: str) -> None:
        """Looks, without recording anything, until the run has that status."""
        limit = time.monotonic() + 60
        while True:
            with Session.open("lab", reporter=self, declared=False, project=find_project(self.root)) as session:
                session._refresher.query()
                if session._refresher.status()[0].status.value == status:
                    return
            assert time.monotonic() < limit, f"it is not {status}"
            time.sleep(0.05)

    def cli(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "expiac", *words], cwd=self.root, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                env={**os.environ, "PYTHONPATH": str(ROOT)})

    def on_event(self, event: ProgressEvent) -> None:
        if isinstance(event, Warned):
            self.warnings.append(event.text)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Lab(tmp_path)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_webhook_is_told_of_a_failure_and_its_reason_once(lab, server):
    """Whatever looks at the run afterwards."""
    lab.notify(f'webhook = "{server.url}/hook"')
    lab.apply("run=exit 3")
    lab.refresh()
    ((path, headers, body),) = server.posts
    assert (path, headers["Content-Type"]) == ("/hook", "application/json")
    assert {key: body[key] for key in ("event", "stack", "job", "launch", "status", "text")} == {
        "event": "failed", "stack": "lab", "job": "train", "launch": 1, "status": "failed",
        "text": f"lab: train failed: {body['reason']}"}
    assert "3" in body["reason"]


def test_a_command_and_a_hook_are_told_of_success(lab):
    """Each gets what there is to know in its environment."""
    lab.notify('command = "echo $EXPIAC_EVENT $EXPIAC_JOB $EXPIAC_LAUNCH >> told"')
    lab.apply("hook=echo $EXPIAC_STACK $EXPIAC_STATUS >> hooked")
    lab.refresh()
    assert (lab.root / "told").read_text() == "succeeded train 1\n"
    assert (lab.root / "hooked").read_text() == "lab succeeded\n"


def test_only_the_chosen_occasions_are_told(lab, server):
    """Runs that ended before anybody was to be told are no news either."""
    lab.apply("run=exit 1")
    lab.notify(f'webhook = "{server.url}"\non = ["failed"]')
    lab.refresh()
    lab.apply()
    assert server.posts == []


def test_secrets_come_from_the_environment_and_stand_in_no_warning(lab, server, monkeypatch):
    """Neither does the address."""
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    lab.notify(f'webhook = "{server.url}/${{HOOK_KEY}}"\nheaders = {{ Authorization = "Bearer ${{HOOK_KEY}}" }}')
    server.status = 500
    lab.apply()
    ((path, headers, _),) = server.posts
    assert (path, headers["Authorization"]) == ("/s3cret", "Bearer s3cret")
    assert lab.warnings == ["train succeeded, but a notice failed: Webhook failed: HTTP 500"]
    assert "s3cret" not in "".join(file.read_text() for file in (lab.root / ".expiac").glob("*.jsonl"))


@pytest.mark.parametrize(("settings", "warning"), [
    ('webhook = "http://127.0.0.1:9"', "Webhook failed: Connection refused"),
    ('webhook = "http://127.0.0.1/${NOT_SET}"', "Webhook failed: the environment variable NOT_SET is not set"),
    ('command = "echo no; exit 4"', "Hook failed: notify: exit code 4: echo no; exit 4"),
    ('command = "sleep 60"\ntimeout = 0.2', "Hook failed: notify: not done after 0.2 s: sleep 60"),
])
def test_a_failing_notice_is_a_warning_and_the_run_is_recorded(lab, settings, warning):
    """It is not sent again."""
    lab.notify(settings)
    lab.apply()
    assert lab.refresh() == "succeeded"
    assert [text.splitlines()[0] for text in lab.warnings] == [f"train succeeded, but a notice failed: {warning}"]


def test_a_webhook_that_does_not_answer_holds_nobody_up(lab, server):
    """Its time is limited."""
    server.delay = 30
    lab.notify(f'webhook = "{server.url}"\ntimeout = 0.3')
    lab.apply()
    assert lab.warnings == ["train succeeded, but a notice failed: Webhook failed: no answer within 0.3 s"]


def test_two_processes_tell_it_once(lab, server):
    """Both see the end at the same time."""
    lab.notify(f'webhook = "{server.url}"')
    lab.apply("run=sleep 0.2", wait=False)
    lab.until("succeeded")
    for process in [lab.cli("refresh", "lab") for _ in range(3)]:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert server.told == ["succeeded"]


def test_a_notice_survives_a_kill_during_its_call(lab, server):
    """It is told at least once: again by the next command."""
    lab.notify(f'webhook = "{server.url}"\ntimeout = 30')
    lab.apply("run=sleep 0.2", wait=False)
    lab.until("succeeded")
    server.delay = 30
    process = lab.cli("refresh", "lab")
    assert server.asked.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    server.delay = 0
    lab.refresh()
    lab.refresh()
    assert server.told == ["succeeded", "succeeded"]


def test_a_run_without_progress_is_told_of_once_and_goes_on(lab, server):
    """Its log is older than `max_idle`; nothing is ended."""
    lab.notify(f'webhook = "{server.url}"')
    lab.apply("run=echo begun; sleep 300", "max_idle=30m", wait=False)
    lab.until("running")
    assert (lab.refresh(), server.told) == ("running", [])
    for log in (lab.root / ".expiac").rglob("node-*.log"):
        os.utime(log, (time.time() - 3600,) * 2)
    assert [lab.refresh(), lab.refresh()] == ["running", "running"]
    ((_, _, body),) = server.posts
    assert (body["event"], body["status"]) == ("stuck", "running")
    assert body["reason"] == "no progress for 60 min; max_idle is 30m"
    with Session.open("lab", reporter=lab, declared=False, project=find_project(lab.root)) as session:
        session.apply(session.plan_destroy())
    assert server.told == ["stuck"]


@pytest.mark.parametrize("settings", ['webhook = "hooks.example.com"', 'on = ["ended"]', 'timeout = 0', 'url = "x"'])
def test_settings_without_meaning_are_refused(lab, settings):
    """By name."""
    lab.notify(settings)
    with pytest.raises(ExpiacError, match=r"notify"):
        lab.apply()


def test_status_that_records_an_end_tells_of_it(lab, server):
    """It is the first that sees it; what comes later sends nothing more."""
    lab.notify(f'webhook = "{server.url}"')
    lab.apply("run=sleep 0.2", wait=False)
    lab.until("succeeded")
    _, said = lab.cli("status", "lab").communicate(timeout=60)
    assert (server.told, said) == (["succeeded"], b"")
    lab.refresh()
    assert server.told == ["succeeded"]
