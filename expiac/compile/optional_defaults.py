"""Whether the defaults list of a config names an optional file. Pure."""

from __future__ import annotations

from typing import Any

_KEYWORDS = ("optional", "override")


def has_optional(text: str) -> bool:
    """Whether a file that the config names may be missing; also where the text can't be read here."""
    if "optional" not in text:  # as in most, and it takes no time to see
        return False
    from expiac.compile.config_yaml import read_config  # imports OmegaConf

    try:
        data = read_config(text)
    except Exception:  # Hydra reads it, or says what is wrong with it
        return True
    defaults = data.get("defaults") if isinstance(data, dict) else None
    return isinstance(defaults, list) and any(map(_is_optional, defaults))


def _is_optional(entry: Any) -> bool:
    """Such an entry is `optional group: option`, as Hydra reads it."""
    return isinstance(entry, dict) and any("optional" in _keywords(str(key)) for key in entry)


def _keywords(key: str) -> list[str]:
    """The words before the name of a group."""
    words = key.split()
    names = [at for at, word in enumerate(words) if word not in _KEYWORDS]
    return words[:names[0]] if names else words
