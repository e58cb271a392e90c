"""Composes a config from what Hydra merged for another one with the same defaults list.

Hydra merges the files of the defaults list, one after the other, and the config's own values where `_self_` stands.
All that stands before is the same for configs with one defaults list: it is merged once, and each config continues
from a copy. Whatever Hydra might do in another way is left to Hydra: `SharedDefaults` is then not made, or its
`compose` raises `NotShared`, or what OmegaConf raises. Then Hydra composes the config, and says what is wrong with it.

This uses inner functions of Hydra 1.3; `hydra_session` compares the first result of each with Hydra's own.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import Any

from hydra._internal.defaults_list import create_defaults_list
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.config_source import ConfigSource
from omegaconf import Container, DictConfig, OmegaConf, flag_override, open_dict

_STRIP = "HYDRA_REMOVE_TOP_LEVEL_DEFAULTS"
"""Hydra's flag of a node whose key `defaults` goes once everything is merged."""
_HEADER = 512
"""Hydra looks for a header in so many characters."""


class NotShared(Exception):
    """This config can't be made from what others have in common."""


class Defaults:
    """The defaults list of a config, as Hydra chooses the files."""

    def __init__(self, primary: str, overrides: list[str]) -> None:
        self.loader: Any = GlobalHydra.instance().config_loader()
        parsed, self.repository = self.loader._parse_overrides_and_create_caching_repo(primary, overrides)
        found = create_defaults_list(repo=self.repository, config_name=primary, overrides_list=parsed,
                                     prepend_hydra=True, skip_missing=False)
        self.chosen, self.config_overrides = found.defaults, found.config_overrides

    @property
    def paths(self) -> list[str]:
        """The files, from the folder of configs and without their ending."""
        return [default.config_path for default in self.chosen if default.config_path]


class SharedDefaults:
    """What the configs of one defaults list have in common. Raises `NotShared` where there is no such thing."""

    def __init__(self, defaults: Defaults, own_path: str) -> None:
        at = [number for number, default in enumerate(defaults.chosen) if default.config_path == own_path]
        if len(at) != 1 or defaults.chosen[at[0]].package:
            raise NotShared("the config is not merged exactly once, at the top")
        if defaults.repository.get_schema_source().is_config(own_path):
            raise NotShared("Hydra merges it with a schema of the same name")
        load = [defaults.loader._load_single_config(default, defaults.repository).config
                for default in defaults.chosen[:at[0]] + defaults.chosen[at[0] + 1:]]
        before, after = load[:at[0]], load[at[0]:]
        if any("hydra" in config for config in after):
            raise NotShared("Hydra's own settings are merged after the config")
        merged = OmegaConf.create()
        with flag_override(merged, "no_deepcopy_set_nodes", True):
            for config in before:
                merged.merge_with(config)
        if merged._metadata.resolver_cache.keys() - {"now"}:  # the time is in Hydra's own settings
            raise NotShared("a value was computed while the files were merged")
        with flag_override(merged, ["readonly", "struct"], False):
            merged.pop("hydra", None)  # large, and no part of what a job reads
        if any(_is_flagged(node) for config in (merged, *after) for node in _below(config)):
            raise NotShared("a part of the config has a defaults list of its own, which Hydra takes out")
        self._strips = any(map(_is_flagged, (merged, *after)))
        self._before, self._after = pickle.dumps(merged), [pickle.dumps(config) for config in after]
        self._loader = defaults.loader
        self._overrides = [override for override in defaults.config_overrides if not override.is_hydra_override()]

    def compose(self, text: str, values: Mapping[str, Any]) -> DictConfig:
        """The config of a text, whose data without its defaults list is `values`."""
        if ConfigSource._get_header_dict(text[:_HEADER]) != {"package": "_global_"}:
            raise NotShared("the header says more than the package")
        if not values or "hydra" in values:
            raise NotShared("Hydra looks at its own settings before it merges, and at whether there is anything")
        config: DictConfig = pickle.loads(self._before)
        config.merge_with(OmegaConf.create(dict(values)))
        for other in self._after:
            config.merge_with(pickle.loads(other))
        if self._strips:
            with flag_override(config, ["readonly", "struct"], False):
                config._set_flag(_STRIP, None)
                config.pop("defaults", None)
        OmegaConf.set_struct(config, True)
        self._loader._apply_overrides_to_config(self._overrides, config)
        if "hydra" in config:
            with open_dict(config):
                del config["hydra"]
        return config


def _is_flagged(node: Any) -> bool:
    return bool(node._metadata.flags and node._metadata.flags.get(_STRIP))


def _below(config: Any) -> Iterator[Any]:
    """All containers inside of a config."""
    if config._is_none() or config._is_missing() or config._is_interpolation():
        return
    keys = list(config) if isinstance(config, DictConfig) else range(len(config))
    for key in keys:
        node = config._get_node(key)
        if isinstance(node, Container):
            yield node
            yield from _below(node)
