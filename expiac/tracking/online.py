"""Runs from W&B's server, by W&B's own client, which is met here. Its errors and its silence become ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from expiac.apply.metrics.wandb_files import flat
from expiac.tracking.access import Access, check_access
from expiac.tracking.errors import no_answer, no_such_file, no_such_project, no_such_run, no_wandb, refused_key
from expiac.tracking.query import Query, time_of
from expiac.tracking.runs import TrackedArtifact, TrackedRun
from expiac.util.errors import ExpiacError
from expiac.util.timeout import TimedOut, run_within

T = TypeVar("T")
_ROWS = 1000
"""Rows that are read at a time, and as many as a page of the history should hold."""
_RUNS = 50
_REQUEST = 15
"""Seconds for one request; W&B's client tries again for 20 seconds."""


class Online:
    """The runs of one project on a server."""

    def __init__(self, access: Access, *, project: str, entity: str | None = None, timeout: float) -> None:
        self.access = access
        self.project = project
        self._entity = entity
        self._timeout = timeout
        """Seconds for one answer, or one page of it."""
        self._client: Any = None

    def find(self, query: Query) -> Iterator[TrackedRun]:
        """The runs that are meant, page by page."""
        client = self._api()
        order = query.order if query.order[:1] in "+-" else f"+{query.order}"

        def open_pages() -> Iterator[TrackedRun]:
            client.flush()
            return map(self._tracked, client.runs(self._path, filters=query.filters(), order=order, per_page=_RUNS,
                                                  include_sweeps=False, lazy=False))

        try:
            found = (run for run in self._pages(open_pages, _RUNS) if query.matches(run))
            yield from islice(found, query.limit)
        except _NotFound as error:
            raise no_such_project(self._path) from error

    def run(self, id: str) -> TrackedRun:
        """The run with this ID; raises `ExpiacError` where there is none."""
        found = self._run(id)
        return self._ask(lambda: self._tracked(found))

    def history(self, run: TrackedRun) -> Iterator[dict[str, Any]]:
        """Every row that the run logged. W&B gives pages of steps: one is as wide as some thousand rows need."""
        found = self._run(run.id)

        def open_pages() -> Iterable[Any]:
            steps = found.lastHistoryStep + 1
            rows = max(int(getattr(found, "historyLineCount", 0) or 0), 1)
            pages: Iterable[Any] = found.scan_history(page_size=max(_ROWS, -(-steps * _ROWS // rows)))
            return pages

        try:
            for row in self._pages(open_pages, _ROWS):
                yield dict(_flat_row(row))
        except _NotFound as error:
            raise self._no_such_run(run.id) from error

    def artifacts(self, run: TrackedRun) -> Sequence[TrackedArtifact]:
        """The versions that the run has logged."""
        found = self._run(run.id)

        def open_pages() -> Iterator[TrackedArtifact]:
            return (TrackedArtifact(one.name, one.type, run.id, tuple(one.aliases), dict(one.metadata), one.size,
                                    address=f"{one.entity}/{one.project}/{one.name}", digest=one.digest)
                    for one in found.logged_artifacts())

        try:
            return tuple(self._pages(open_pages, _RUNS))
        except _NotFound as error:
            raise self._no_such_run(run.id) from error

    def digests(self, kind: str, name: str) -> frozenset[str]:
        """Of the versions of an artifact that are complete, whichever run has logged them; none where it has none."""
        client = self._api()

        def load() -> frozenset[str]:
            try:
                found = client.artifacts(kind, f"{self._entity}/{self.project}/{name}")
                return frozenset(one.digest for one in found)
            except ValueError as error:
                if "Unable to parse" in str(error):  # the answer has null for the project, the type or the artifact
                    return frozenset()
                raise

        try:
            return self._ask(load)
        except _NotFound:
            return frozenset()

    def download(self, artifact: TrackedArtifact, folder: Path, *, timeout: float) -> Path:
        """Fetches the files of an artifact into a folder, in at most `timeout` seconds."""
        client = self._api()
        try:
            self._ask(lambda: client.artifact(artifact.address).download(root=str(folder)), timeout)
        except _NotFound as error:
            raise no_such_file(artifact.name, "all of it", f"{artifact.address} at {self.access.host}") from error
        return folder

    @property
    def _path(self) -> str:
        return f"{self._entity}/{self.project}" if self._entity else self.project

    def _run(self, id: str) -> Any:
        client = self._api()

        def load() -> Any:
            client.flush()
            return client.run(f"{self._path}/{id}")

        try:
            return self._ask(load)
        except _NotFound as error:
            raise self._no_such_run(id) from error

    def _no_such_run(self, id: str) -> ExpiacError:
        return no_such_run(id, f"the project {self._path} at {self.access.host}")

    def _api(self) -> Any:
        """W&B's client, once the server has answered: by itself it would wait for days, or ask for a key."""
        if self._client is None:
            entity = check_access(self.access, timeout=min(_REQUEST, self._timeout))
            self._entity = self._entity or entity or None
            try:
                import wandb
            except ImportError as error:
                raise no_wandb() from error
            self._client = self._ask(lambda: wandb.Api(
                overrides={"base_url": self.access.url}, api_key=self.access.key, timeout=_REQUEST))
        return self._client

    def _pages(self, open_pages: Callable[[], Iterable[T]], size: int) -> Iterator[T]:
        """All items, `size` at a time, each with the time limit."""
        # A generator, as the client's own iterators begin anew with each `iter`.
        items = self._ask(lambda: (item for item in open_pages()))
        while page := self._ask(lambda: list(islice(items, size))):
            yield from page

    def _ask(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """What a call of the client returns; its errors as ours."""
        try:
            return run_within(timeout or self._timeout, call, "wandb")
        except TimedOut as error:
            raise no_answer(self.access.host, str(error)) from error
        except Exception as error:  # W&B's client raises what it meets: requests', its own, KeyError, TypeError, …
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> Exception:
        """By status and type where there is one: the texts vary from version to version."""
        causes = list(_causes(error))
        statuses = {getattr(getattr(cause, "response", None), "status_code", None) for cause in causes}
        if statuses & {401, 403} or any(type(cause).__name__ == "AuthenticationError" for cause in causes):
            return refused_key(self.access.host)
        text = " ".join(str(cause) for cause in causes)
        if 404 in statuses or "ould not find" in text or "not found" in text:
            return _NotFound()
        status = next((status for status in statuses if status), None)
        return no_answer(self.access.host, f"HTTP {status}" if status else _first_line(causes[-1]))

    def _tracked(self, run: Any) -> TrackedRun:
        user = getattr(run, "user", None)
        return TrackedRun(
            id=str(run.id), name=str(run.name or run.id), project=self.project, entity=str(run.entity),
            group=run.group or None, job_type=run.job_type or None, tags=tuple(run.tags or ()),
            notes=run.notes or None, state=str(run.state), author=getattr(user, "username", None),
            created_at=time_of(str(run.created_at)), config=dict(run.config),
            summary={key: value for key, value in _flat_row(_plain(run.summary_metrics)) if key != "_wandb"},
            url=str(run.url))


class _NotFound(Exception):
    """The server has nothing by this name."""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or getattr(error, "exc", None) or error.__context__


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def _plain(summary: Any) -> Mapping[str, Any]:
    return summary if isinstance(summary, Mapping) else {}


def _flat_row(row: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in row.items():
        if key != "_wandb":
            yield from flat(key, value)
