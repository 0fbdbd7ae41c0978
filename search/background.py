"""Suggestions off the path of results: a slow sampler thinks on a thread of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from search import Search, Suggestion


class BackgroundSearch:
    """Asks a search, which may take its time, while results go on being taken.

    What is told while a suggestion is being made waits until it is there: so a suggestion depends on what was
    told before it was begun, and on nothing else.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._thread = ThreadPoolExecutor(1, "suggest")
        self._pending: Future[Suggestion] | None = None
        self._untold: list[Callable[[Search], None]] = []

    @property
    def pending(self) -> bool:
        """Whether a suggestion is being made."""
        return self._pending is not None

    def ask(self, trial: int, patience: float | None) -> Suggestion | None:
        """The next suggestion, for `trial`; None if it is not there after `patience` seconds.

        Then ask again, for the same trial. A patience of None has no end.
        """
        if self._pending is None:
            self._pending = self._thread.submit(self._search.ask, trial)
        try:
            suggestion = self._pending.result(patience)
        except TimeoutError:
            return None
        self._settle()
        return suggestion

    def tell(self, act: Callable[[Search], None]) -> None:
        """Tell the search something, now or when it is free."""
        if self._pending is not None:
            self._untold.append(act)
        else:
            act(self._search)

    def close(self) -> None:
        """Wait for a suggestion that is being made, which nobody wants any more."""
        self._thread.shutdown()

    def _settle(self) -> None:
        self._pending = None
        untold, self._untold = self._untold, []
        for act in untold:
            act(self._search)
