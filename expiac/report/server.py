"""Serves the page of a stack on this machine, and makes it anew when something has changed.

Only the loopback interface is listened on. A request whose Host is not this machine is refused, so that a page of
another site cannot read the report under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from expiac.util.errors import ExpiacError

LOOPBACK = "127.0.0.1"
PAUSE = 3.0  # seconds between two looks
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
            "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer"}


class Live:
    """The newest page. Looks at most every few seconds, and only when somebody asks.

    `renew` is given the version that is shown, and gives the present one, with its page if that is another.
    """

    def __init__(self, renew: Callable[[str], tuple[str, bytes | None]], *, pause: float = PAUSE,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._renew_page = renew
        self._pause, self._clock = pause, clock
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._page = b""
        self.version = ""
        self.note = ""
        """Why the last look failed; the page is that of the one before."""

    def page(self) -> bytes:
        """The page as it is now; raises `ExpiacError` where there is none yet."""
        with self._lock:
            now = self._clock()
            if self._looked_at is None or now - self._looked_at >= self._pause:
                self._renew()
                self._looked_at = self._clock()
            return self._page

    def _renew(self) -> None:
        try:
            self.version, page = self._renew_page(self.version)
            self._page = self._page if page is None else page
            self.note = ""
        except ExpiacError as error:
            if not self._page:
                raise
            self.note = f"{error.summary}: {error.detail}"


class Server(ThreadingHTTPServer):
    """Answers with the page, and with its version."""

    daemon_threads = True

    def __init__(self, live: Live, port: int) -> None:
        self.live = live
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ExpiacError("Port not free", f"{LOOPBACK}:{port}: {reason}", "--port 0 takes a free one") from error

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the Host of a request may be."""
        return tuple(f"{name}:{self.server_address[1]}" for name in (LOOPBACK, "localhost"))


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "expiac"
    sys_version = ""
    timeout = 30  # seconds for a request to arrive
    kinds: ClassVar = {"/": "text/html; charset=utf-8", "/version": "application/json"}

    def do_GET(self) -> None:
        """The page at `/`, what is shown there at `/version`, and nothing else."""
        if self.headers.get("Host", "").lower() not in self.server.hosts:
            self._answer(HTTPStatus.FORBIDDEN, b"this page is for 127.0.0.1 alone\n")
            return
        path = self.path.partition("?")[0]
        if path not in self.kinds:
            self._answer(HTTPStatus.NOT_FOUND, b"there is nothing else here\n")
            return
        live = self.server.live
        try:
            content = live.page()
        except ExpiacError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}\n".encode(errors="replace"))
            return
        if path == "/version":
            content = json.dumps({"version": live.version, "note": live.note}).encode()
        self._answer(HTTPStatus.OK, content, self.kinds[path])

    do_HEAD = do_GET

    def _answer(self, status: HTTPStatus, content: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the terminal is for errors."""
