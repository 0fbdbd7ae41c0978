"""Passwords in the addresses of stores: found, and never shown."""

import re


def without_passwords(text: str) -> str:
    """A text with its URIs stripped of users and passwords.

    >>> without_passwords("postgresql://me:secret@host:5432/runs?password=secret&sslmode=require")
    'postgresql://host:5432/runs?password=...&sslmode=require'
    """
    return re.sub(r"([?&]password=)[^&\s]*", r"\1...", re.sub(r"//\S*@", "//", text))


def has_password(uri: str) -> bool:
    """Whether a URI tells a password.

    >>> [has_password(uri) for uri in ("http://me:secret@host", "postgresql://me@host/runs?sslmode=require")]
    [True, False]
    """
    return bool(re.search(r"//\S*:\S*@|[?&]password=", uri))
