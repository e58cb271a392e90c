"""`expiac verify`: whether what ran is what a manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from expiac.cli import arguments as args
from expiac.cli.exits import DONE, ERROR

if TYPE_CHECKING:
    from expiac.declare.project import Project
    from expiac.review.manifest import Manifest
    from expiac.review.verification import Sent
    from expiac.state.model import State

ManifestFile = Annotated[Path, typer.Argument(
    metavar="MANIFEST", show_default=False,
    help="The manifest.json that `render --out` wrote, or its folder. Its files stand beside it.")]
EveryRun = Annotated[bool, typer.Option("--archived", help="Judge each job by all its runs, the archived ones too; "
                                                            "by its present or last one if left out.")]
Everything = Annotated[bool, typer.Option("--verbose", "-v", help="List every job, and every difference in full.")]


def verify(manifest: ManifestFile, *, archived: EveryRun = False, verbose: Everything = False,
           json: args.Json = False) -> int:
    """Prove that what ran is what a manifest says, and that its files are as they were written. Asks no backend."""
    from expiac.cli import output
    from expiac.declare.project import find_project
    from expiac.review import verification
    from expiac.review.manifest import read_manifest
    from expiac.state.stores import states
    from expiac.view import verified
    from expiac.view.console import console

    project = find_project(Path.cwd())
    known = read_manifest(manifest)
    folder = manifest if manifest.is_dir() else manifest.parent
    store = states(project)
    state = store.read(known.stack).state if known.stack in store.names() else None
    found = verification.verify(known, _files(folder, known), state, _sent(project, state), project, archived=archived)
    if json:
        output.print_json(verified.document(found))
    else:
        out = console()
        for line in verified.lines(found, out.width, every=verbose):
            out.print(line, soft_wrap=True)
    return DONE if found.is_well else ERROR


def _files(folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
    """The files of a manifest that are there; what can't be read is not."""
    found = {}
    for name in manifest.files:
        try:
            found[name] = (folder / name).read_bytes()
        except OSError:
            continue
    return found


def _sent(project: Project, state: State | None) -> Sent:
    """Finds what was sent for a run, where its provider keeps that and can be read."""
    from expiac.apply.refresh import id_of
    from expiac.providers.base import KeepsSentFiles
    from expiac.providers.registry import Providers
    from expiac.state.model import Record
    from expiac.util.errors import ExpiacError

    providers = Providers(project)

    def sent(record: Record) -> Mapping[str, bytes]:
        try:
            provider: object = providers[record.provider]
            if state is None or not isinstance(provider, KeepsSentFiles):
                return {}
            return provider.sent_files(id_of(record, state.lineage))
        except (ExpiacError, KeyError):
            return {}

    return sent
