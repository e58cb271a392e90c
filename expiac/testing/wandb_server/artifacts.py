"""The answers to the operations on artifacts: a client creates a version, uploads its files and manifest, and commits.

Then the version can be listed and downloaded. A version with the digest of another one is that one, as W&B has it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from expiac.testing.wandb_server.store import Refused, Store
from expiac.testing.wandb_server.stored import StoredArtifact

Values = Mapping[str, Any]
_COLLECTION = {"__typename": "ArtifactSequence"}


def _create(store: Store, _base_url: str, values: Values) -> dict[str, Any]:
    """A new version, or the one that has the same content. `wandb sync` has an older form of the query."""
    wanted = values.get("input") or {**values, "artifactCollectionName": values["artifactCollectionNames"][0]}
    where = (wanted["entityName"], wanted["projectName"], wanted["artifactCollectionName"])
    versions = _versions(store, *where)
    artifact = next((one for one in versions if one.is_committed and one.digest == wanted["digest"]), None)
    if artifact is None:
        entity, project, name = where
        artifact = StoredArtifact(
            id=f"artifact-{len(store.artifacts)}", name=name, type=wanted["artifactTypeName"], version=len(versions),
            digest=wanted["digest"], entity=entity, project=project, run=wanted.get("runName") or "",
            metadata=wanted.get("metadata"), description=wanted.get("description"))
        store.artifacts[artifact.id] = artifact
    for alias in (entry["alias"] for entry in wanted.get("aliases") or ()):
        _give_alias(versions, artifact, alias)
    latest = {"latestArtifact": {"id": versions[-1].id} if versions else None}
    state = "COMMITTED" if artifact.is_committed else "PENDING"
    return {"createArtifact": {"artifact": {"id": artifact.id, "state": state, "artifactSequence": latest}}}


def _give_alias(versions: Sequence[StoredArtifact], artifact: StoredArtifact, alias: str) -> None:
    """An alias names one version at a time."""
    for other in versions:
        other.aliases = [kept for kept in other.aliases if kept != alias]
    artifact.aliases = [*artifact.aliases, alias]


def _create_manifest(store: Store, base_url: str, values: Values) -> dict[str, Any]:
    return {"createArtifactManifest": {"artifactManifest": _manifest_of(store, base_url, values["artifactID"])}}


def _update_manifest(store: Store, base_url: str, values: Values) -> dict[str, Any]:
    id = values["artifactManifestID"].removeprefix("manifest-")
    return {"updateArtifactManifest": {"artifactManifest": _manifest_of(store, base_url, id)}}


def _manifest_of(store: Store, base_url: str, id: str) -> dict[str, Any]:
    artifact = _existing(store, id)
    artifact.manifest = f"/storage/artifacts/{id}/manifest.json"
    file = {"id": f"manifest-file-{id}", "uploadUrl": base_url + artifact.manifest, "uploadHeaders": []}
    return {"id": f"manifest-{id}", "file": file}


def _create_files(store: Store, base_url: str, values: Values) -> dict[str, Any]:
    """Where a client may upload the files of a version."""
    edges: list[dict[str, Any]] = []
    for wanted in values["artifactFiles"]:
        artifact = _existing(store, wanted["artifactID"])
        path = f"/storage/artifacts/{artifact.id}/files/{wanted['name']}"
        artifact.files[wanted["name"]] = path
        edges.append({"node": {"id": path, "name": wanted["name"], "displayName": wanted["name"], "storagePath": path,
                               "uploadUrl": base_url + path, "uploadHeaders": [], "uploadMultipartUrls": None,
                               "artifact": {"id": artifact.id}}})
    return {"createArtifactFiles": {"files": {"edges": edges}}}


def _commit(store: Store, _base_url: str, values: Values) -> dict[str, Any]:
    artifact = _existing(store, values["artifactID"])
    artifact.is_committed = True
    return {"commitArtifact": {"artifact": {"id": artifact.id, "digest": artifact.digest}}}


def _run_outputs(store: Store, _base_url: str, values: Values) -> dict[str, Any]:
    """The versions that a run has logged."""
    where = (values["entity"], values["project"], values["run"])
    found = [one for one in store.artifacts.values()
             if (one.entity, one.project, one.run) == where and one.is_committed]
    start = int(values.get("cursor") or 0)
    page = found[start:start + int(values.get("perPage") or 50)]
    end = start + len(page)
    connection = {"totalCount": len(found), "edges": [{"node": _node(store, one)} for one in page],
                  "pageInfo": {"__typename": "PageInfo", "endCursor": str(end), "hasNextPage": end < len(found)}}
    return {"project": {"run": {"artifacts": connection}}}


def _collection(store: Store, _base_url: str, values: Values) -> dict[str, Any]:
    """The complete versions of one artifact; null where there is none."""
    versions = _versions(store, values.get("entity") or store.user, values["project"], values["collection"])
    found = [one for one in versions if one.is_committed and one.type == values["type"]]
    if not found:
        return {"project": {"artifactType": None}}
    edges = [{"version": f"v{one.version}", "node": _node(store, one)} for one in found]
    pages = {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}
    connection = {"totalCount": len(found), "edges": edges, "pageInfo": pages}
    return {"project": {"artifactType": {"artifactCollection": {**_COLLECTION, "artifacts": connection}}}}


def _by_name(store: Store, _base_url: str, values: Values) -> dict[str, Any]:
    """The version `name:v3`, or the one with that alias."""
    name, _, version = values["name"].partition(":")
    found = next((one for one in _versions(store, values.get("entity") or store.user, values["project"], name)
                  if (version or "latest") in (f"v{one.version}", *one.aliases)), None)
    return {"project": {"artifact": None if found is None else _node(store, found)}}


def _by_id(store: Store, _base_url: str, values: Values) -> dict[str, Any]:
    return {"artifact": _node(store, _existing(store, values["id"]))}


def _manifest(store: Store, base_url: str, values: Values) -> dict[str, Any]:
    artifact = _existing(store, values.get("id") or values["artifact_id"])
    return {"artifact": {"currentManifest": {"file": {"directUrl": f"{base_url}{artifact.manifest}"}}}}


def _file_urls(store: Store, base_url: str, values: Values) -> dict[str, Any]:
    artifact = _existing(store, values["id"])
    edges = [{"node": {"__typename": "File", "name": name, "directUrl": base_url + path}}
             for name, path in artifact.files.items()]
    pages = {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}
    return {"artifact": {"files": {"pageInfo": pages, "edges": edges}}}


def _versions(store: Store, entity: str, project: str, name: str) -> list[StoredArtifact]:
    return [one for one in store.artifacts.values() if (one.entity, one.project, one.name) == (entity, project, name)]


def _existing(store: Store, id: str) -> StoredArtifact:
    if id not in store.artifacts:
        raise Refused(f"artifact {id} not found")
    return store.artifacts[id]


def _node(store: Store, artifact: StoredArtifact) -> dict[str, Any]:
    """A version, as W&B's fragment of an artifact has it."""
    project = {"name": artifact.project, "entity": {"name": artifact.entity}}
    collection = {**_COLLECTION, "name": artifact.name, "project": project}
    return {"__typename": "Artifact", "id": artifact.id, "artifactSequence": collection,
            "versionIndex": artifact.version, "artifactType": {"name": artifact.type},
            "description": artifact.description, "metadata": artifact.metadata, "ttlDurationSeconds": -2,
            "ttlIsInherited": True, "tags": [], "historyStep": None, "state": "COMMITTED",
            "size": sum(_sizes(store, artifact)), "digest": artifact.digest, "commitHash": None,
            "fileCount": len(artifact.files), "createdAt": "2026-01-01T00:00:00Z", "updatedAt": None,
            "aliases": [{"__typename": "ArtifactAlias", "id": alias, "alias": alias, "artifactCollection": collection}
                        for alias in artifact.aliases]}


def _sizes(store: Store, artifact: StoredArtifact) -> list[int]:
    manifest = json.loads(store.blobs.get(artifact.manifest or "", b"{}"))
    return [int(entry.get("size") or 0) for entry in manifest.get("contents", {}).values()]


ANSWERS: Mapping[str, Callable[[Store, str, Values], dict[str, Any]]] = {
    "ArtifactByID": _by_id, "ArtifactByName": _by_name, "ArtifactManifest": _manifest, "ArtifactType": _by_name,
    "CommitArtifact": _commit, "CreateArtifact": _create, "CreateArtifactFiles": _create_files,
    "CreateArtifactManifest": _create_manifest, "FetchArtifactManifest": _manifest, "GetArtifactFileUrls": _file_urls,
    "ProjectArtifacts": _collection, "RunOutputArtifacts": _run_outputs, "UpdateArtifactManifest": _update_manifest,
}
