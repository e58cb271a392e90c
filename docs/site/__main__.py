"""`python -m docs.site [FOLDER]` builds the site in a folder, by default `build/docs`, and prints where to open it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from docs.site.build import build
from docs.site.pages import ROOT


def main(folder: Path) -> int:
    """Builds; the exit code is 1 if a page is missing, a link leads nowhere, or the generator warns of anything."""
    try:
        index = build(folder)
    except (LookupError, subprocess.CalledProcessError) as error:
        print(f"The site was not built: {error}", file=sys.stderr)
        return 1
    print(f"Open {index}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"))
