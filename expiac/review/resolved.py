"""What interpolations come to in a composed config: `${run_dir}/replays` is `./train_dir/@instance@/replays`."""

from __future__ import annotations

from typing import Any

from expiac.plan.model import MISSING
from expiac.review.changes import FileChange, JobChange
from expiac.review.differences import Difference, read_text
from expiac.review.renderings import COMPOSED_FILE


class Resolver:
    """Resolves values of one job, as its composed config was and is. It reads the configs when it is first asked."""

    def __init__(self, change: JobChange) -> None:
        own = next((file for file in change.files if file.name == COMPOSED_FILE), None)
        self._texts = (own.before, own.after) if own is not None else (change.composed, change.composed)
        self._configs: list[Any] | None = None

    def resolved(self, file: FileChange, one: Difference) -> tuple[Any, Any]:
        """The values before and after, resolved; `MISSING` for one that holds no interpolation, or no known one."""
        if not any(_has_interpolation(value) for value in (one.before, one.after)) or not _is_config(file.name):
            return MISSING, MISSING
        if self._configs is None:
            self._configs = [_load(text) for text in self._texts]
        values = (one.before, one.after)
        before, after = (self._value(place, one.path) if _has_interpolation(value) else MISSING
                         for place, value in enumerate(values))
        return before, after

    def told(self, file: FileChange, one: Difference) -> tuple[Any, Any] | None:
        """Both values, with what can be resolved of them resolved; None where nothing can."""
        found = self.resolved(file, one)
        if all(value is MISSING for value in found):
            return None
        before, after = (raw if value is MISSING else value
                         for value, raw in zip(found, (one.before, one.after), strict=True))
        return before, after

    def _value(self, place: int, path: str) -> Any:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        config = (self._configs or [None, None])[place]
        if config is None:
            return MISSING
        try:
            found = OmegaConf.select(config, path, throw_on_missing=True)
            return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found
        except (OmegaConfBaseException, ValueError, TypeError, AttributeError):
            return MISSING


def _load(text: bytes | None) -> Any:
    from omegaconf import OmegaConf

    said = read_text(text.decode(errors="replace"), COMPOSED_FILE) if text else None
    return None if said is None else OmegaConf.create(dict(said))


def _is_config(name: str) -> bool:
    return name.startswith(("config.", "composed."))


def _has_interpolation(value: Any) -> bool:
    return isinstance(value, str) and "${" in value
