"""Composes the configs of a sweep with Hydra alone, in one initialization, as a multirun does.

`python -m benchmarks.bare_compose FILE JOBS`, in the project's folder, writes the seconds of processor time per config.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from time import process_time

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore

from benchmarks.warming import rendered_configs


def main(report: Path, jobs: int) -> None:
    texts = rendered_configs(jobs)
    from trainer.config import Config

    ConfigStore.instance().store("root_schema", node=Config)
    with tempfile.TemporaryDirectory() as folder:
        experiments = Path(folder, "experiments")
        experiments.mkdir()
        for number, text in enumerate(texts.values()):
            (experiments / f"run_{number}.yaml").write_text(text, encoding="utf-8")
        began = process_time()
        with initialize_config_dir(str(Path("configs").resolve()), version_base="1.3"):
            for number in range(len(texts)):
                compose("config", [f"+experiments=run_{number}", f"run_name=run_{number}",
                                   f"hydra.searchpath=[file://{folder}]"])
        spent = process_time() - began
    report.write_text(json.dumps({"seconds per config": spent / len(texts)}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
