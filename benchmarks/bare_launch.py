"""What any program has to do to launch the tasks in a folder as managed jobs, all at once, by SkyPilot's own calls."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sky
import sky.jobs
import yaml


def launch(file: Path) -> int:
    task = yaml.safe_load(file.read_text(encoding="utf-8"))
    task["secrets"] = {name: os.environ[name] for name in task.get("secrets") or {}}
    made = sky.Task.from_yaml_config(task)
    request = sky.jobs.launch(made, name=made.name)
    (job,), _ = sky.get(request)
    return int(job)


files = sorted(Path(sys.argv[1]).glob("*.yaml"))
with ThreadPoolExecutor(len(files)) as pool:
    print(*pool.map(launch, files))
