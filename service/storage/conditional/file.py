"""What every store can do with a file that is put on a condition, whichever client does it."""

import errno
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol

TIMEOUT = 10.0
"""Seconds for one try of a request: one that hangs leaves time for another before a lease is not trusted."""


class Stored(NamedTuple):
    """A file as it was found."""

    content: bytes
    tag: str
    """What the store calls this version of it."""
    age: float
    """Seconds since it was put, by the store's clock: ours need not agree with it."""


class ConditionalFile(Protocol):
    """A file on an object store. What fails raises OSError, with the place as `filename`."""

    def read(self) -> Stored | None:
        """The file; None if there is none."""

    def put(self, content: bytes, tag: str | None) -> str | None:
        """Make the file if there is none (`tag` is None), or replace the version `tag` if it is still there.

        Of several who try at once the store lets one succeed. Contents must differ, for a store may make the
        tag of the content.

        Returns:
            The tag of what was put; None if the store refused it, because the condition does not hold.
        """


def age(changed: datetime, date: str | None) -> float:
    """Seconds from a change to the `Date` of an answer of the same server; both are of its clock.

    >>> age(parsedate_to_datetime("Sun, 29 Nov 2026 03:27:00 GMT"), "Sun, 29 Nov 2026 03:28:01 GMT")
    61.0
    """
    try:
        return (parsedate_to_datetime(date or "") - changed).total_seconds()
    except (TypeError, ValueError) as error:
        raise OSError(errno.EPROTO, "the store does not tell the time in its answers") from error
