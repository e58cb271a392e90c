"""An episode of a grid world, from a replay of mettagrid's to what the player in the page needs. Pure.

In a replay, each key of an object has one value, or a list of pairs `[step, value]` where the value changed. Nothing
in it is trusted: what is not of the expected type is left out, and what is too large is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

WIDEST = 512
MOST_STEPS = 20_000
MOST_OBJECTS = 20_000
Changes = list[list[Any]]
"""`[step, …]`, by step."""


class BadReplay(Exception):
    """A file is no replay that can be shown; its text says why."""


def episode_of(replay: Any) -> dict[str, Any]:
    """The grid, the walls and each object's changes of place, of inventory and of reward."""
    if not isinstance(replay, Mapping) or not isinstance(replay.get("objects"), list):
        raise BadReplay("it has no objects, and so is no replay of mettagrid")
    width, height = _size(replay.get("map_size"))
    objects = [known for known in replay["objects"] if isinstance(known, Mapping)]
    if len(objects) > MOST_OBJECTS:
        raise BadReplay(f"it has more than {MOST_OBJECTS:,} objects")
    steps = replay.get("max_steps")
    if not isinstance(steps, int) or not 0 < steps <= MOST_STEPS:
        raise BadReplay(f"it has not between 1 and {MOST_STEPS:,} steps")
    shown = [_object(known, width, height) for known in objects]
    return {"width": width, "height": height, "steps": steps,
            "items": [str(name) for name in replay.get("item_names") or () if isinstance(name, str)],
            "walls": [change[1:] for one in shown if one["type"] == "wall" for change in one["at"][:1]],
            "objects": [one for one in shown if one["type"] != "wall" and one["at"]]}


def _size(size: Any) -> tuple[int, int]:
    match size:
        case [int(width), int(height)] if 0 < width <= WIDEST and 0 < height <= WIDEST:
            return width, height
    raise BadReplay(f"its map is not of 1 to {WIDEST} cells in both directions")


def _object(known: Mapping[str, Any], width: int, height: int) -> dict[str, Any]:
    name, agent = known.get("type_name"), known.get("agent_id")
    if isinstance(name, list):  # it changed its type; the first one is shown
        name = next((pair[1] for pair in name if isinstance(pair, list) and len(pair) == 2), "")
    places = [[step, *place] for step, place in _series(known.get("location"))
              if _is_place(place, width, height)]
    one: dict[str, Any] = {"type": str(name), "at": places}
    if known.get("is_agent") is True or name == "agent":
        one["agent"] = agent if _is_count(agent) else 0
        one["reward"] = [[step, round(value, 4)] for step, value in _series(known.get("total_reward"))
                         if _is_number(value)]
        one["has"] = _inventories(known.get("inventory"))
    if changes := [[step, value] for step, value in _series(known.get("alive")) if value is False or step]:
        one["alive"] = changes
    return one


def _series(value: Any) -> list[tuple[int, Any]]:
    """The changes of a key; a value that never changes is one from step 0 on."""
    if isinstance(value, list) and value and all(_is_change(pair) for pair in value):
        return [(step, inner) for step, inner in value]
    return [] if value is None else [(0, value)]


def _is_change(pair: Any) -> bool:
    """`[3, [6, 2]]`: a step and a value."""
    return isinstance(pair, list) and len(pair) == 2 and _is_count(pair[0])


def _is_place(place: Any, width: int, height: int) -> bool:
    match place:
        case [int(x), int(y)]:
            return 0 <= x < width and 0 <= y < height
    return False


def _inventories(value: Any) -> Changes:
    """An inventory that never changes is a list of pairs too: `[[item, count]]`."""
    if isinstance(value, list) and all(_is_change(pair) and _is_count(pair[1]) for pair in value):
        return [[0, _counts(value)]]
    return [[step, _counts(inner)] for step, inner in _series(value) if isinstance(inner, list)]


def _counts(inventory: Sequence[Any]) -> list[list[int]]:
    return [[pair[0], pair[1]] for pair in inventory
            if isinstance(pair, list) and len(pair) == 2 and _is_count(pair[0]) and _is_count(pair[1])]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
