"""The server itself: HTTP on 127.0.0.1, a thread for each connection, all that it keeps in memory."""

from __future__ import annotations

import gzip
import json
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from expiac.testing.wandb_server.failures import Failure, Failures
from expiac.testing.wandb_server.operations import answer, operation_of
from expiac.testing.wandb_server.store import Store
from expiac.testing.wandb_server.stored import StoredRun

API_KEY = "0" * 40


class WandbServer:
    """A W&B server with one user, `tester`, who owns all projects."""

    def __init__(self, *, user: str = "tester") -> None:
        self.store = Store(user)
        self.user = user
        self.requests: list[str] = []
        """The path of every request, with the operation of GraphQL, such as `/graphql/Runs`, in order."""
        self.api_key = API_KEY
        """The key that it takes; all others are refused with 401."""
        self._failures = Failures()
        self._http = _HttpServer(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> WandbServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; clients are refused from then on."""
        if self._thread.ident is not None:
            self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def env(self) -> dict[str, str]:
        """The environment with which a client finds this server and sends nothing elsewhere."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.api_key, "WANDB_ENTITY": self.user,
                "WANDB_MODE": "online", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true",
                "WANDB_CONSOLE": "off", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    @property
    def runs(self) -> list[StoredRun]:
        """Every run, in the order in which they were created."""
        with self.store.lock:
            return list(self.store.runs.values())

    def run(self, project: str, run_id: str) -> StoredRun:
        """One run; raises KeyError where there is none."""
        return self.store.runs[self.user, project, run_id]

    @property
    def selected(self) -> list[StoredRun]:
        """The runs that the last answer to a query for several of them had."""
        return list(self.store.selected)

    @property
    def uploads(self) -> int:
        """How many rows of histories were sent, with those that were sent again."""
        return sum(run.uploads for run in self.runs)

    def add_run(self, project: str, run_id: str, *, rows: int = 0, **fields: Any) -> StoredRun:
        """Keeps a run that no client has uploaded, with `rows` rows of `loss`; `fields` are those of `StoredRun`."""
        run = StoredRun(self.user, project, run_id, **{"display_name": run_id, "username": self.user, **fields})
        lines = [json.dumps({"_step": step, "_runtime": step, "_timestamp": step, "loss": 1 / (step + 1)})
                 for step in range(rows)]
        run.write("wandb-history.jsonl", 0, lines)
        run.uploads = 0
        with self.store.lock:
            self.store.runs[self.user, project, run_id] = run
        return run

    def fail(self, failure: Failure) -> None:
        """The next requests that this failure means fail."""
        self._failures.add(failure)

    def recover(self) -> None:
        """Nothing fails any more."""
        self._failures.clear()

    def failure_of(self, path: str) -> Failure | None:
        return self._failures.take(path)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, owner: WandbServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpServer

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def do_PUT(self) -> None:
        self._respond()

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing."""

    def _respond(self) -> None:
        owner = self.server.owner
        body = self._body()
        path = unquote(urlsplit(self.path).path)
        request = json.loads(body) if path == "/graphql" else {}
        if request:
            path = f"/graphql/{operation_of(request['query'])}"
        owner.requests.append(path)
        if (failure := owner.failure_of(path)) is not None and self._fail(failure):
            return
        self._answer(path, body, request)

    def _fail(self, failure: Failure) -> bool:
        """Does what a failure says; false where the request is then answered as usual."""
        time.sleep(failure.delay)
        if failure.is_cut:
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"da")
            self.close_connection = True
            return True
        if failure.status is None:
            return False
        self._send(failure.status, failure.body)
        return True

    def _answer(self, path: str, body: bytes, request: Mapping[str, Any]) -> None:
        owner, store = self.server.owner, self.server.owner.store
        if not path.startswith("/storage/") and not self._is_authorized():
            self._send_json(401, {"errors": [{"message": "invalid API key"}]})
        elif request:
            with store.lock:
                found = answer(store, owner.url, request["query"], request.get("variables") or {})
            self._send_json(200, found)
        elif path.endswith("/file_stream") and path.startswith("/files/"):
            self._stream(path, json.loads(body))
        elif path.startswith("/storage/") and self.command == "PUT":
            with store.lock:
                store.blobs[path] = body
            self._send(200, b"")
        elif path in store.blobs:
            self._send(200, store.blobs[path])
        else:
            self._send_json(404, {"error": f"no such path: {path}"})

    def _stream(self, path: str, chunk: Mapping[str, Any]) -> None:
        """Keeps the lines of a run that a client streams."""
        store = self.server.owner.store
        entity, project, name = path.split("/")[2:5]
        with store.lock:
            run = store.find(entity, project, name)
            if run is not None:
                for stream, part in (chunk.get("files") or {}).items():
                    run.write(stream, part["offset"], part["content"])
                run.beat()
                if chunk.get("complete"):
                    run.end(int(chunk.get("exitcode") or 0))
        if run is None:
            self._send_json(404, {"error": f"no such run: {entity}/{project}/{name}"})
        else:
            self._send_json(200, {"exitcode": None, "limits": {}})

    def _is_authorized(self) -> bool:
        expected = b64encode(f"api:{self.server.owner.api_key}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str = "application/octet-stream") -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
