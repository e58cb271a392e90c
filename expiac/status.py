"""How a run is, in one word: the same words for every provider."""

from expiac.state.status import Status

__all__ = ["Status"]
