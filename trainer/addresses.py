"""The addresses of policies: which there are, and what is wrong with one that can't be read."""

import re
from typing import Annotated

from pydantic import AfterValidator

from trainer.fields import Text

ADDRESS = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<rest>.*)", re.DOTALL)
FORMS = {
    "": "a path",
    "file": "file:///path",
    "expiac": "expiac://stack/job@best",
    "wandb": "wandb://project/name:latest",
}
"""The addresses of a policy that can be read, by their scheme."""
_PATHS = {
    "expiac": re.compile(r"[^/@\s]+(?:/[^/@\s]+)+@[^/@\s]+"),
    "wandb": re.compile(r"(?:[^/:\s]+/){1,2}[^/:\s]+(?::[^/:\s]+)?"),
}


def _check_address(uri: str | None) -> str | None:
    """Raises ValueError for an address that can't be read; one with an interpolation is not known yet."""
    if uri is None or "${" in uri:
        return uri
    match = ADDRESS.fullmatch(uri)
    scheme, rest = (match["scheme"] or "", match["rest"]) if match else ("", uri)
    if scheme not in FORMS:
        raise ValueError(f"no policy can be read from {scheme}://: use {', '.join(FORMS.values())}")
    if not rest or (scheme in _PATHS and not _PATHS[scheme].fullmatch(rest)):
        raise ValueError(f"no address of a policy: use {FORMS[scheme]}")
    return uri


PolicyAddress = Annotated[Text, AfterValidator(_check_address)]
