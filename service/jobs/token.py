"""The token that a cluster of Ray's asks for, from the places where Ray itself looks."""

import os
from pathlib import Path

from service.errors import Fault, UserError

CURE = (
    "put the cluster's token into RAY_AUTH_TOKEN, into ~/.ray/auth_token, or into a file that "
    "RAY_AUTH_TOKEN_PATH names; on the head, `ray get-auth-token` prints it"
)


def token_headers() -> dict[str, str]:
    """The HTTP headers that authenticate us; none where there is no token, or RAY_AUTH_MODE is `disabled`.

    Ray's own client for jobs sends a token only if RAY_AUTH_MODE asks for it, though clusters want one.

    Raises UserError if RAY_AUTH_TOKEN_PATH names a file that can't be read.
    """
    if os.environ.get("RAY_AUTH_MODE", "").lower() == "disabled":
        return {}
    token = os.environ.get("RAY_AUTH_TOKEN", "").strip() or _stored()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _stored() -> str:
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    path = Path(named) if named else Path.home() / ".ray" / "auth_token"
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        if not named:
            return ""
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UserError([Fault("RAY_AUTH_TOKEN_PATH", named, f"can't be read ({reason}); {CURE}")]) from error
