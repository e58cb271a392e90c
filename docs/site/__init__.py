"""The documentation as a website: `python -m docs.site` builds it from `docs/`, from the code and from `zensical.toml`."""
