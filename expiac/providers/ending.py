"""What a provider may be able to do about the end of launches, besides deleting one: capabilities, as in `base`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from expiac.providers.base import Id, Observation
from expiac.util.errors import ExpiacError


class DeletesMany(ABC):
    """A provider whose backend can end many launches for about the cost of one."""

    @abstractmethod
    def delete_many(self, ids: Sequence[Id]) -> Iterator[tuple[Id, Observation | ExpiacError]]:
        """Ends each launch as `delete` does, and gives each id once, as soon as that is done: how it ended, or what
        `delete` would raise. Raises nothing for a single launch: one that cannot be ended does not keep the others.
        """


class Releases(ABC):
    """A provider whose launches may hold something after their end."""

    @abstractmethod
    def release(self, id: Id) -> None:
        """Lets go of what an ended launch still holds; does nothing where it holds nothing, or has not ended."""

    def release_many(self, ids: Sequence[Id]) -> Iterator[tuple[Id, ExpiacError | None]]:
        """Releases each of them; gives each id once, with what `release` would raise."""
        for id in ids:
            try:
                self.release(id)
                yield id, None
            except ExpiacError as error:
                yield id, error


class EndsDuplicates(ABC):
    """A provider whose backend may come to launch twice: it has no way to refuse the second request."""

    @abstractmethod
    def end_duplicates(self, id: Id) -> Sequence[str]:
        """Ends every job of a launch but the earliest, and names them once they have ended; mostly there are none."""
