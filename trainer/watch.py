"""`python -m trainer.watch RUN`: an episode of a run as an animation and as a page that plays it.

RUN is the folder of a run, whose newest replay is taken, or a replay. Writes `<replay>.gif` and `<replay>.html` beside
it, or in the folder that `--out` names.
"""

import argparse
import json
import sys
from pathlib import Path
from string import Template
from typing import Any

from trainer.errors import TrainerError
from trainer.replay import SUFFIX, Replay, find, read

PAGE = Path(__file__).with_suffix(".html")
FLOOR = "#f4f1ea"
COLORS = {
    "agent": "#d1495b", "wall": "#4a4e57", "altar": "#edae49", "mine": "#00798c", "generator": "#66a182",
    "lasery": "#8f2d56", "armory": "#5f7a8c", "lab": "#9c89b8", "factory": "#b08968", "temple": "#f0a6ca",
}  # fmt: skip
OTHER = "#999999"
MOST_FRAMES = 250
WIDEST = 640  # pixels
FRAME_TIME = 100  # milliseconds


def main(arguments: list[str] | None = None) -> int:
    """Write both files and print their names. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m trainer.watch", description="Watch an episode of a run.")
    parser.add_argument("run", type=Path, help="the folder of a run, or a replay")
    parser.add_argument("--out", type=Path, help="the folder to write to; by default that of the replay")
    given = parser.parse_args(arguments)
    try:
        path = find(given.run)
        replay = read(path)
        folder = given.out or path.parent
        folder.mkdir(parents=True, exist_ok=True)
        name = path.name.removesuffix(SUFFIX)
        page, animation = folder / f"{name}.html", folder / f"{name}.gif"
        page.write_text(page_of(replay, title=name), encoding="utf-8")
        write_animation(replay, animation)
    except TrainerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{page}\n{animation}")
    return 0


def page_of(replay: Replay, *, title: str) -> str:
    """A page that plays the replay; it needs no other file."""
    data = json.dumps(document(replay) | {"title": title}).replace("<", "\\u003c")
    return Template(PAGE.read_text(encoding="utf-8")).substitute(data=data)


def document(replay: Replay) -> dict[str, Any]:
    """What the page draws: the colour of each thing, and where it is from which step on (`null`: nowhere)."""
    things = []
    for thing in replay.things:
        changes = sorted({step for step, _ in (*thing.places, *thing.alive)})
        things.append({"kind": thing.kind, "at": [[step, thing.place(step)] for step in changes]})
    shown = {thing.kind: COLORS.get(thing.kind, OTHER) for thing in replay.things}
    size = {"width": replay.width, "height": replay.height, "steps": replay.steps, "time": FRAME_TIME}
    return {**size, "floor": FLOOR, "colors": shown, "things": things}


def write_animation(replay: Replay, path: Path) -> None:
    """Write a GIF that loops. Of a long episode it has every n-th step."""
    from PIL import Image, ImageColor

    colors = [FLOOR, OTHER, *COLORS.values()]
    kinds = {kind: index for index, kind in enumerate(COLORS, 2)}
    scale = max(2, min(16, WIDEST // max(replay.width, replay.height)))
    stride = -(-(replay.steps + 1) // MOST_FRAMES)
    frames = []
    for step in range(0, replay.steps + 1, stride):
        frame = Image.new("P", (replay.width, replay.height), 0)
        frame.putpalette([channel for color in colors for channel in ImageColor.getrgb(color)])
        for thing in replay.things:
            if (place := thing.place(step)) and place[0] < replay.width and place[1] < replay.height:
                frame.putpixel(place, kinds.get(thing.kind, 1))
        frames.append(frame.resize((scale * replay.width, scale * replay.height), Image.Resampling.NEAREST))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=FRAME_TIME, loop=0)


if __name__ == "__main__":
    sys.exit(main())
