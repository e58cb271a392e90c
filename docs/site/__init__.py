"""The documentation as a site: `python -m docs.site` builds it from `docs/`, the code and `zensical.toml`."""
