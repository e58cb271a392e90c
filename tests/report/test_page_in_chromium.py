"""The page in a real browser: its charts are drawn, nothing is wrong with it, and it asks for nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from curves_lab import HOSTILE, replay_values

from expiac import api
from expiac.report.collect import collect
from expiac.report.episode import episode_of
from expiac.report.model import Log, Replay, Request
from expiac.report.page import page
from expiac.session import Session
from expiac.state.status import Status

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")]
PATIENCE = 240.0
DARK = "--blink-settings=preferredColorScheme=0"
LIGHT = "--blink-settings=preferredColorScheme=1"


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening a page."""

    dom: str
    console: tuple[str, ...]
    """What scripts, and what the browser itself, wrote to the console: errors, and what a policy forbids."""
    requests: tuple[str, ...]
    """The paths that were asked for, at the server of the page."""


@contextmanager
def serving(html: bytes) -> Iterator[tuple[str, list[str]]]:
    """The address of a page, and the requests for it and for whatever it asks for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = html if self.path == "/page" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/page", asked
        finally:
            server.shutdown()


@pytest.fixture
def chromium(tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Runs it with these options on an address, and gives what it wrote to stdout and stderr."""

    def run(address: str, *options: str) -> tuple[str, str]:
        assert CHROMIUM is not None
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
                   "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                   f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--virtual-time-budget=10000",
                   "--window-size=1200,900", *options, address]
        ended = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=PATIENCE,
                               check=True, cwd=tmp_path)
        return ended.stdout, ended.stderr

    return run


def opened(chromium, html: bytes) -> Opened:
    with serving(html) as (address, asked):
        dom, log = chromium(address, "--dump-dom")
    return Opened(dom, tuple(line for line in log.splitlines() if ":CONSOLE" in line), tuple(asked))


def background(chromium, html: bytes, scheme: str, picture: Path) -> tuple[int, ...]:
    """The colour of the page's corner: the first pixel, which every filter of PNG leaves as it is."""
    with serving(html) as (address, _):
        chromium(address, scheme, f"--screenshot={picture}")
    data = picture.read_bytes()
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4:start], "big")
    return tuple(zlib.decompressobj().decompress(data[start + 4:start + 4 + length], 4)[1:4])


@pytest.fixture(scope="module")
def html(ended: Path) -> bytes:
    """Of runs that have ended, one of them badly; with an episode, and hostile texts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ended)
        with Session.open("lab", reporter=api.Silent(), declared=False) as session:
            session.status()
            found = collect(session, Request(), asks=True)
    replays = (Replay("lr_1_seed_0, step_100", episode_of(replay_values())),)
    logs = (*found.logs, Log(HOSTILE, Status.FAILED, HOSTILE, (HOSTILE,)))
    return page(replace(found, replays=replays, logs=logs, notes=(HOSTILE,)))


def test_its_charts_are_drawn_and_nothing_is_wrong(chromium, html):
    """Though its texts would end a script, and its policy allows its own scripts alone."""
    found = opened(chromium, html)
    assert found.console == ()
    assert found.requests == ("/page",)
    drawn = re.findall(r'<div class="plot[^"]*" id="plot-\d+"[^>]*>\s*<(svg|canvas|div)', found.dom)
    assert len(drawn) == 2, "of reward and of loss"
    assert "<script>alert(1)" not in found.dom


def test_what_would_be_wrong_is_seen(chromium):
    """An error of a script, a request, and what a policy forbids: so that the test above can fail."""
    found = opened(chromium, b'<script>throw new Error("lost")</script><img src="/picture.png">')
    assert any("lost" in line for line in found.console)
    assert set(found.requests) >= {"/page", "/picture.png"}
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    forbidden = opened(chromium, f"{policy}<script>alert(1)</script>".encode())
    assert any("Content Security Policy" in line for line in forbidden.console)


def test_it_is_light_or_dark_as_the_system_is(chromium, html, tmp_path):
    light = background(chromium, html, LIGHT, tmp_path / "light.png")
    dark = background(chromium, html, DARK, tmp_path / "dark.png")
    assert min(light) > 200 > 80 > max(dark)
