"""The page while runs go on: for this machine alone, and made anew when something has changed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from curves_lab import apply

from expiac import api
from expiac.report.following import follow
from expiac.report.model import Request
from expiac.report.server import LOOPBACK, Live, Server
from expiac.util.errors import ExpiacError

ROOT = Path(__file__).parents[2]


class Counter:
    """Renews a page whose content is one word; counts how often it is made."""

    def __init__(self) -> None:
        self.word, self.made = "first", 0
        self.error: ExpiacError | None = None

    def __call__(self, shown: str) -> tuple[str, bytes | None]:
        if self.error is not None:
            raise self.error
        if shown == self.word:
            return shown, None
        self.made += 1
        return self.word, self.word.encode()


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def server(counter) -> Iterator[Server]:
    with Server(Live(counter, pause=0), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(server: Server, path: str = "/", *, method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(LOOPBACK, server.server_address[1], timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_the_page_is_made_anew_only_when_something_changed(server, counter):
    """Each look asks whether it has."""
    assert [get(server)[1], get(server)[1], counter.made] == ["first", "first", 1]
    counter.word = "second"
    assert json.loads(get(server, "/version")[1]) == {"version": "second", "note": ""}
    assert (get(server)[1], counter.made) == ("second", 2)


def test_a_look_that_fails_leaves_the_page(server, counter):
    """And the reader is told why; without a page, that is the answer."""
    counter.error = ExpiacError("The backend stalls", "no answer")
    assert get(server)[0] == 503
    counter.error = None
    get(server)
    counter.error = ExpiacError("The backend stalls", "no answer")
    assert get(server) == (200, "first")
    assert json.loads(get(server, "/version")[1])["note"] == "The backend stalls: no answer"


def test_looks_are_not_more_frequent_than_the_pause(counter):
    """However many readers ask."""
    now = [0.0]
    live = Live(counter, pause=3, clock=lambda: now[0])
    live.page()
    counter.word = "second"
    assert live.page() == b"first"
    now[0] = 3
    assert live.page() == b"second"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1", "127.0.0.1:1"])
def test_another_host_is_refused(server, host):
    """A site whose name is made to mean this machine reads nothing."""
    assert get(server, Host=host)[0] == 403
    assert get(server, "/version", Host=host)[0] == 403


def test_this_machine_by_its_two_names(server):
    """With the port."""
    for name in ("127.0.0.1", "localhost", "LOCALHOST"):
        assert get(server, Host=f"{name}:{server.server_address[1]}")[0] == 200


def test_nothing_else_is_served(server):
    """No files; and nothing can be sent."""
    for path in ("/../etc/passwd", "/lab.html", "/version/x"):
        assert get(server, path)[0] == 404
    assert get(server, method="POST")[0] == 501
    assert get(server, method="HEAD") == (200, "")


def test_only_the_loopback_interface_is_listened_on(server):
    """And a port that is taken is refused in our words."""
    assert server.server_address[0] == "127.0.0.1"
    with pytest.raises(ExpiacError, match="Port not free"):
        Server(server.live, server.server_address[1])


def test_a_page_of_a_stack_follows_its_runs(project):
    """A run more, or a row more of a metrics file, is a new version; a look that sees nothing new is not."""
    apply(seeds_of_each=1)
    live = follow("lab", Request(), api.find(project), refresh=True, pause=0)
    first, version = live.page(), live.version
    assert live.page() is first
    metrics = next((project / ".expiac/local").glob("lab.lr_1_seed_0.*/home/metrics.jsonl"))
    metrics.write_text(metrics.read_text() + '{"step": 30000, "metrics": {"reward": 99}}\n')
    assert live.page() is not first
    assert f'data-live="{live.version}"'.encode() in live.page()
    assert live.version != version


def test_it_ends_with_ctrl_c(applied):
    """With exit code 0, and the port is free again."""
    serving = subprocess.Popen([sys.executable, "-m", "expiac", "report", "lab", "--serve", "--port", "0", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert serving.stdout is not None
    url = json.loads(serving.stdout.readline())["url"]
    port = int(url.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    connection.request("GET", "/")
    page = connection.getresponse().read()
    connection.close()
    serving.send_signal(signal.SIGINT)
    out, err = serving.communicate(timeout=30)
    assert (serving.returncode, out, err) == (0, "", "")
    assert b"data-live=" in page
    with socket.socket() as again:
        assert again.connect_ex((LOOPBACK, port)) != 0
