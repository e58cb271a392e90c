"""The answers to the GraphQL operations of W&B's client, by their names.

An answer holds the fields that the query names and that the server knows. It does not parse the query: a field is
asked for if its name is among the query's words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from expiac.testing.wandb_server import artifacts
from expiac.testing.wandb_server.filters import matches, ordered
from expiac.testing.wandb_server.store import Refused, Store
from expiac.testing.wandb_server.stored import EVENTS, HISTORY, StoredRun

Values = Mapping[str, Any]
_SAMPLE = 500
"""Rows of a history that asks for no number."""


def operation_of(query: str) -> str:
    """The name of a query's operation; the only one that the client leaves unnamed asks who the user is."""
    found = re.search(r"\b(?:query|mutation)\s+(\w+)", query)
    if found is None:
        return "Viewer" if re.match(r"[\s{}query]*viewer\b", query) else "unnamed"
    return found.group(1)


def answer(store: Store, base_url: str, query: str, values: Values) -> dict[str, Any]:
    """The body of the answer to a query."""
    operation = operation_of(query)
    known = _ANSWERS.get(operation)
    try:
        if known is not None:
            return {"data": known(store, values, set(re.findall(r"\w+", query)))}
        if (found := artifacts.ANSWERS.get(operation)) is not None:
            return {"data": found(store, base_url, values)}
        if operation in _WITH_URLS:
            return {"data": _WITH_URLS[operation](store, base_url, values)}
    except (Refused, ValueError, KeyError, TypeError) as error:
        # An answer, as an exception would have the client ask again for minutes.
        return {"data": None, "errors": [{"message": f"{type(error).__name__}: {error}"}]}
    return {"data": None, "errors": [{"message": f"this server does not know the operation {operation}"}]}


def _viewer(store: Store, _values: Values, _words: set[str]) -> dict[str, Any]:
    teams = {"edges": [{"node": {"name": store.user}}]}
    return {"viewer": {"id": "VXNlcjox", "entity": store.user, "username": store.user, "name": store.user,
                       "email": f"{store.user}@localhost", "admin": False, "flags": "{}", "teams": teams}}


def _server_info(_store: Store, _values: Values, _words: set[str]) -> dict[str, Any]:
    versions = {"max_cli_version": "99.0.0", "min_cli_version": "0.0.1"}
    return {"serverInfo": {"features": [], "cliVersionInfo": versions, "latestLocalVersionInfo": None}}


def _upsert(store: Store, values: Values, words: set[str]) -> dict[str, Any]:
    run, is_new = store.upsert(values)
    return {"upsertBucket": {"bucket": _node(run, {*words, "project"}), "inserted": is_new}}


def _delete(store: Store, values: Values, _words: set[str]) -> dict[str, Any]:
    store.delete(values["id"])
    return {"deleteRun": {"clientMutationId": None}}


def _resume_status(store: Store, values: Values, words: set[str]) -> dict[str, Any]:
    run = store.find(values.get("entity"), values.get("project"), values.get("name"))
    entity = {"id": "RW50aXR5OjE=", "name": values.get("entity") or store.user}
    bucket = None if run is None else _node(run, {*words, "project"})
    return {"model": {"id": "UHJvamVjdDox", "name": values.get("project"), "entity": entity, "bucket": bucket}}


def _run(store: Store, values: Values, words: set[str]) -> dict[str, Any]:
    run = store.find(values.get("entity"), values.get("project"), values.get("name"))
    return {"project": {"internalId": "1", "run": None if run is None else _node(run, words)}}


def _runs(store: Store, values: Values, words: set[str]) -> dict[str, Any]:
    runs = store.project_runs(values.get("entity"), values.get("project"))
    if runs is None:
        return {"project": None}
    filters = json.loads(values.get("filters") or "{}")
    found = ordered([run for run in runs if matches(run, filters)], values.get("order"))
    start = int(values.get("cursor") or 0)
    page = store.selected = found[start:start + int(values.get("perPage") or 50)]
    end = start + len(page)
    edges = [{"node": _node(run, words), "cursor": str(start + number + 1)} for number, run in enumerate(page)]
    connection = {"edges": edges, "pageInfo": {"endCursor": str(end), "hasNextPage": end < len(found)}}
    return {"project": {"internalId": "1", "runCount": len(found), "readOnly": False, "runs": connection}}


def _full_history(store: Store, values: Values, words: set[str]) -> dict[str, Any]:
    """Rows of the history, or of the machine's events: a sample if there are more than were asked for."""
    run = _existing(store, values)
    stream, key = (EVENTS, "events") if "events" in words else (HISTORY, "history")
    return {"project": {"run": {key: _sample(run.lines(stream), int(values.get("samples") or _SAMPLE))}}}


def _sampled_history(store: Store, values: Values, _words: set[str]) -> dict[str, Any]:
    run = _existing(store, values)
    specs = [json.loads(spec) for spec in values.get("specs") or [values["spec"]]]
    return {"project": {"run": {"sampledHistory": [_with_keys(run, spec) for spec in specs]}}}


def _history_page(store: Store, values: Values, _words: set[str]) -> dict[str, Any]:
    run = _existing(store, values)
    lines = [line for line in run.lines(HISTORY)
             if values["minStep"] <= json.loads(line).get("_step", 0) < values["maxStep"]]
    return {"project": {"run": {"history": _sample(lines, int(values["pageSize"]))}}}


def _parquet_history(_store: Store, _values: Values, _words: set[str]) -> dict[str, Any]:
    return {"project": {"run": {"parquetHistory": {"parquetUrls": [], "liveData": []}}}}


def _existing(store: Store, values: Values) -> StoredRun:
    run = store.find(values.get("entity"), values.get("project"), values.get("run") or values.get("name"))
    if run is None:
        raise Refused("run not found")
    return run


def _with_keys(run: StoredRun, spec: Values) -> list[dict[str, Any]]:
    """The rows that have all keys, with these alone."""
    keys = spec["keys"]
    rows = [row for row in run.history if all(key in row for key in keys)
            and spec.get("minStep", 0) <= row.get("_step", 0) < spec.get("maxStep", float("inf"))]
    return [{key: row[key] for key in keys} for row in _sample(rows, int(spec["samples"]))]


def _sample(items: Sequence[Any], size: int) -> list[Any]:
    """All items if there are no more than `size`; else as many, evenly apart."""
    if len(items) <= size:
        return list(items)
    return [items[number * len(items) // size] for number in range(size)]


def _node(run: StoredRun, words: set[str]) -> dict[str, Any]:
    """A run with the fields that a query names."""
    history = run.lines(HISTORY)
    events = run.lines(EVENTS)
    keys = {key for row in run.history for key in row} if "historyKeys" in words else set()
    fields: dict[str, Any] = {
        "id": run.id, "name": run.name, "displayName": run.display_name, "description": run.notes, "notes": run.notes,
        "projectId": 1, "state": run.state, "group": run.group, "jobType": run.job_type, "tags": list(run.tags),
        "config": json.dumps(run.config), "summaryMetrics": json.dumps(run.summary), "systemMetrics": "{}",
        "sweepName": None, "commit": run.commit, "readOnly": False, "createdAt": run.created_at,
        "heartbeatAt": run.heartbeat_at, "user": {"name": run.username, "username": run.username},
        "historyLineCount": len(history), "eventsLineCount": len(events), "logLineCount": len(run.lines("output.log")),
        "historyTail": json.dumps(history[-1:]), "eventsTail": json.dumps(events[-1:]),
        "wandbConfig": json.dumps(_telemetry(run)),
        "historyKeys": {"lastStep": run.last_step, "sets": [], "keys": {key: {} for key in sorted(keys)}},
        "project": {"id": "UHJvamVjdDox", "name": run.project, "entity": {"id": "RW50aXR5OjE=", "name": run.entity}},
    }
    return {key: value for key, value in fields.items() if key in words}


def _telemetry(run: StoredRun) -> dict[str, Any]:
    """What a client told of itself; a run without it has never started, and is not resumed."""
    told = run.config.get("_wandb", {}).get("value", {})
    return {"t": told["t"]} if "t" in told else {}


def _create_files(store: Store, base_url: str, values: Values) -> dict[str, Any]:
    """Where a client may upload the files of a run."""
    run = _existing(store, values)
    files = [{"name": name, "uploadUrl": f"{base_url}/storage/runs/{run.entity}/{run.project}/{run.name}/{name}"}
             for name in values["files"]]
    return {"createRunFiles": {"runID": run.id, "uploadHeaders": [], "files": files}}


def _files(store: Store, base_url: str, values: Values) -> dict[str, Any]:
    """The files of a run, by names or by a pattern of SQL's LIKE."""
    run = _existing(store, values)
    prefix = f"/storage/runs/{run.entity}/{run.project}/{run.name}/"
    names = values.get("fileNames") or []
    pattern = re.escape(values.get("pattern") or "%").replace("%", ".*").replace("_", ".")
    found = [(path.removeprefix(prefix), len(content)) for path, content in store.blobs.items()
             if path.startswith(prefix)]
    found = [(name, size) for name, size in found if (name in names if names else re.fullmatch(pattern, name))]
    edges = [{"node": {"id": name, "name": name, "url": f"{base_url}{prefix}{name}", "directUrl":
                       f"{base_url}{prefix}{name}", "sizeBytes": str(size), "mimetype": "", "updatedAt": None,
                       "md5": None}, "cursor": str(number)} for number, (name, size) in enumerate(found)]
    files = {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}
    return {"project": {"internalId": "1", "run": {"fileCount": len(edges), "files": files}}}


_ANSWERS: Mapping[str, Callable[[Store, Values, set[str]], dict[str, Any]]] = {
    "DeleteRun": _delete, "GetDefaultEntity": _viewer, "HistoryPage": _history_page, "Run": _run,
    "RunFullHistory": _full_history, "RunHistoryKeys": _run, "RunParquetHistory": _parquet_history,
    "RunResumeStatus": _resume_status, "Runs": _runs, "RunSampledHistory": _sampled_history, "RunState": _run,
    "SampledHistoryPage": _sampled_history, "ServerFeaturesQuery": _server_info, "ServerInfo": _server_info,
    "UpsertBucket": _upsert, "Viewer": _viewer,
}
_WITH_URLS: Mapping[str, Callable[[Store, str, Values], dict[str, Any]]] = {
    "CreateRunFiles": _create_files, "RunFiles": _files}
