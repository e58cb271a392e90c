"""SkyPilot's API server as far as a launch needs it, on loopback: it takes launches, or answers as it is told."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LAUNCHES = ("/jobs/launch", "/launch")
"""Where a managed job is launched, and a cluster."""
BREAK = -1
"""In place of a status: the connection breaks after the request was taken."""


@dataclass
class ApiServer:
    """What it was asked, and how it answers the next launches: HTTP statuses, 200 where none is left."""

    health: dict[str, str]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def launches(self) -> int:
        return sum(self.asked.count(path) for path in LAUNCHES)


@contextmanager
def api_server(health: dict[str, str]) -> Iterator[ApiServer]:
    """A server that is there until the end of the block."""
    state = ApiServer(health)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            state.asked.append(path)
            status = state.answers.pop(0) if path in LAUNCHES and state.answers else 200
            if status == BREAK:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = json.dumps(state.health if path == "/api/health" else {"detail": "as it was told"}).encode()
            self.send_response(status)
            headers = {"Content-Length": len(body), "Content-Type": "application/json",
                       "X-Skypilot-Request-ID": f"request-{state.launches}",
                       "X-SkyPilot-API-Version": state.health["api_version"],
                       "X-SkyPilot-Version": state.health["version"]}
            for name, value in headers.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
