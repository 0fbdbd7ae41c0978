"""The one thing that pyarrow's object stores can't do: make a file only if there is none.

obstore sends the condition along (`If-None-Match: *` on S3, its like on Google Cloud Storage), and the
store decides.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from service.storage.paths import ObjectPath

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_OPTIONS = {"endpoint_override": "endpoint", "region": "region", "access_key": "access_key_id"}
"""What pyarrow takes in a URL, and what obstore calls it; all else both take from the environment."""


def create(path: ObjectPath, content: bytes) -> bool:
    """Make a file with `content` if there is none of that name; returns whether it was made.

    Of several who try at once the store lets one succeed. Raises OSError if the store can't be used.
    """
    handler = getattr(path.store, "handler", None)
    if handler is not None:  # a store written in Python has a method of its own
        return bool(handler.put_if_absent(path.key, content))
    import obstore
    from obstore.exceptions import AlreadyExistsError, BaseError

    bucket, _, key = path.key.partition("/")
    try:
        obstore.put(_opened(path.scheme, bucket, path.query), key, content, mode="create")
    except AlreadyExistsError:
        return False
    except BaseError as error:
        said = str(error).partition("\n")[0][:300]
        raise OSError(None, said, str(path)) from error
    return True


@lru_cache(maxsize=16)
def _opened(scheme: str, bucket: str, query: str) -> "ObjectStore":
    from obstore.store import from_url

    given = dict(parse_qsl(query))
    options: dict[str, Any] = {ours: given[theirs] for theirs, ours in _OPTIONS.items() if theirs in given}
    endpoint = options.get("endpoint")
    if endpoint is not None and "://" not in endpoint:
        options["endpoint"] = f"{given.get('scheme', 'https')}://{endpoint}"
    # A server on this machine, or in a closed network, may speak plainly; pyarrow would, too.
    scheme = "gs" if scheme == "gcs" else scheme
    return from_url(f"{scheme}://{bucket}", client_options={"allow_http": True}, **options)
