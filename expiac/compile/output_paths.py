"""Where a job leaves its outputs."""

from __future__ import annotations

import os
import re

from expiac.util.placeholders import INSTANCE, fill_data_dir


def output_path(path: str, folder: str) -> str:
    """The path of an output with the folder of results and the run's name in place; an address stays as it is."""
    for variable, value in {"DATA_DIR": folder, "EXPIAC_INSTANCE": INSTANCE}.items():
        path = re.sub(rf"\$(?:{variable}\b|\{{{variable}\}})", lambda _, value=value: value, path)  # type: ignore[misc]
    return path if "://" in path else os.path.normpath(fill_data_dir(path, folder))
