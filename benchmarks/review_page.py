"""The page of a review of many configs that changed: how large it is, and how long a browser takes to show it.

    python -m benchmarks.review_page [--sizes 100,1000] [--runs N] [--browser chromium]

Each config has 300 keys, of which two have changed, otherwise in each job, so that no two changes are alike. The
browser is a fresh process each time; the figure is its own, from the beginning of the navigation to the first change
on the screen.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from expiac.report.review_page import page
from expiac.review.changes import Review, compare, gather
from expiac.review.snapshots import SnapshotSet

READY = re.compile(r'data-ready="(\d+)"')


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review_page", description="The page of a review.")
    parser.add_argument("--sizes", default="100,1000", help="numbers of configs")
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts")
    parser.add_argument("--browser", default="chromium")
    given = parser.parse_args(arguments)
    print("| configs | page | made in | shown in |\n| ---: | ---: | ---: | ---: |")
    for size in map(int, given.sizes.split(",")):
        found = review(size)
        found.alike  # noqa: B018  # what differs is read here, and is no matter of the page
        began = time.perf_counter()
        html = page(found)
        made = time.perf_counter() - began
        shown = median(milliseconds(html, given.browser) for _ in range(given.runs))
        print(f"| {size:,} | {len(html) / 1e6:.2f} MB | {made:.2f} s | {shown:,.0f} ms |", flush=True)


def review(size: int) -> Review:
    """A review of so many jobs, each of which changed in a way of its own."""
    jobs = {f"job_{job}": {"config.yaml": config(job)} for job in range(size)}
    accepted = {f"job_{job}.config.yaml": config(job, value="before").encode() for job in range(size)}
    return gather([compare(SnapshotSet("lab"), jobs, accepted)], {})


def config(job: int, *, value: str = "after") -> str:
    sections = "".join(f"section_{section}:\n" + "".join(f"  key_{key}: {section * key}\n" for key in range(10))
                       for section in range(30))
    return f"{sections}extra: {value}_{job}\nname: {value}\n"


def milliseconds(html: bytes, browser: str) -> int:
    """Until a fresh browser shows the page."""
    with tempfile.TemporaryDirectory(prefix="expiac-review-page-") as folder:
        file = Path(folder, "page.html")
        file.write_bytes(html)
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", "--dump-dom"]
        done = subprocess.run([browser, *options, file.as_uri()], capture_output=True, encoding="utf-8", timeout=300,
                              check=True)
    (ready,) = READY.findall(done.stdout)
    return int(ready)


if __name__ == "__main__":
    main()
