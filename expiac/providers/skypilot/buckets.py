"""Downloads from the buckets that jobs write their results to."""

from __future__ import annotations

from pathlib import Path

from expiac.util.durable import sync_tree
from expiac.util.errors import ExpiacError
from expiac.util.filesystems import filesystem_of


def download(url: str, target: Path) -> None:
    """Copies an object, or all that is below the address, to `target`."""
    own_tools = f"bring it with the tools of its store: {url}"
    try:
        files, root = filesystem_of(url)
    except ImportError as error:
        raise ExpiacError("Not fetched", f"{url}: {error}", f"pip install 'expiac[shared]', or {own_tools}") from error
    except ValueError as error:
        raise ExpiacError("Not fetched", f"{url}: {error}", own_tools) from error
    try:
        names = files.find(root)
        for name in names:
            below = str(name).removeprefix(str(root)).strip("/")
            place = target / below if below else target
            place.parent.mkdir(parents=True, exist_ok=True)
            files.get_file(name, str(place))
    except Exception as error:  # each store has errors of its own
        raise ExpiacError("Not fetched", f"{url}: {type(error).__name__}: {error}", own_tools) from error
    if not names:
        raise ExpiacError("Output is gone", f"there is nothing at {url}", "expiac output shows what there is")
    sync_tree(target)
