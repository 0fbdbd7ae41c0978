"""Words for people: durations, addresses without their passwords, and what any terminal can show."""

import codecs
import io
import re
from typing import TextIO


def redact(text: str) -> str:
    """A text with its URIs stripped of users and passwords.

    >>> redact("postgresql://me:secret@host:5432/runs?password=secret&sslmode=require")
    'postgresql://host:5432/runs?password=...&sslmode=require'
    """
    return re.sub(r"([?&]password=)[^&\s]*", r"\1...", re.sub(r"//\S*@", "//", text))


def has_password(uri: str) -> bool:
    """Whether a URI tells a password.

    >>> [has_password(uri) for uri in ("http://me:secret@host", "postgresql://me@host/runs?sslmode=require")]
    [True, False]
    """
    return bool(re.search(r"//\S*:\S*@|[?&]password=", uri))


def is_utf8(text: str) -> bool:
    r"""Whether a text can be written as UTF-8. The name of a file can't if its bytes are of another encoding.

    >>> is_utf8("é"), is_utf8("caf\udce9")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


NOT_UTF8 = "is no name in UTF-8, and can't be kept in tables and in MLflow; rename it, or choose another"

_PLAIN = {"…": "~", "±": "+-", "−": "-", "ρ": "rho", "²": "2", "λ": "lambda"}
"""What stands for characters that we and rich print, where they can't be written."""


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    escaped = (_PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in wrong)
    return "".join(escaped), error.end


codecs.register_error("polychrony.plainly", _plainly)


def write_plainly(stream: TextIO) -> None:
    """From now on write to a stream what its encoding does not have in other characters, or escaped."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="polychrony.plainly")


def shortened(text: str, length: int = 300) -> str:
    """A text in one line, cut between two words if it is longer than that.

    >>> shortened("no such  file\\nor folder", 15)
    'no such file ...'
    """
    words = text.split()
    kept = 0
    while kept < len(words) and len(" ".join(words[: kept + 1])) <= length:
        kept += 1
    if kept == len(words):
        return " ".join(words)
    return " ".join(words[:kept] or [words[0][:length]]) + " ..."


def trials(count: int) -> str:
    """A number of trials in words.

    >>> trials(1), trials(24)
    ('1 trial', '24 trials')
    """
    return "1 trial" if count == 1 else f"{count} trials"


_UNITS = ((2 * 86_400, 86_400, "days"), (3600, 3600, "h"), (60, 60, "min"), (0, 1, "s"))
"""From when on a unit is used (s), how long it is (s), and its name."""


def age_text(seconds: float) -> str:
    """A duration in its largest unit.

    >>> [age_text(s) for s in (0.4, 59.0, 3600.0, 100_000.0, 1e6)]
    ['0 s', '59 s', '1 h', '27 h', '11 days']
    """
    _, unit, name = next(one for one in _UNITS if seconds >= one[0])
    return f"{int(seconds // unit)} {name}"


def duration(seconds: float) -> str:
    """A time in words.

    >>> duration(82), duration(190), duration(7400)
    ('82 s', '3 min', '2 h 3 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
