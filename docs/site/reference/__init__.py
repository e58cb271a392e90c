"""The reference, made of the code: commands, settings, documents of JSON, the Python API.

Knows nothing of the site: each part is a page of Markdown.
"""

from __future__ import annotations

from docs.site.reference import commands, documents, python_api, settings


def pages() -> dict[str, str]:
    """Name → Markdown."""
    made = {"commands": commands.page(), "settings": settings.page(), "documents": documents.page()}
    made |= {module.replace(".", "-"): python_api.page(module) for module in python_api.MODULES}
    return {f"reference/{name}.md": text for name, text in made.items()}
