"""Conditional puts on S3, by boto3: `If-None-Match` and `If-Match`.

boto3 finds logins where pyarrow does (environment, profiles, SSO, roles of machines). Which server it is, and
in which region, is taken from what pyarrow has opened, so that a lease lies where the sweep does.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from service.errors import Fault, UserError
from service.storage.conditional.file import TIMEOUT, Stored, age
from service.storage.paths import ObjectPath

if TYPE_CHECKING:
    from botocore.client import BaseClient

REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
"""What a store says if a condition does not hold: changed, being changed, removed."""


class S3File:
    """A file on S3 that is put on a condition."""

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        bucket, _, key = path.key.partition("/")
        self._place = {"Bucket": bucket, "Key": key}

    def read(self) -> Stored | None:
        """The file; None if there is none."""
        with self._asked() as client:
            try:
                found = client.get_object(**self._place)
            except client.exceptions.NoSuchKey:
                return None
            date = found["ResponseMetadata"]["HTTPHeaders"].get("date")
            return Stored(found["Body"].read(), found["ETag"], age(found["LastModified"], date))

    def put(self, content: bytes, tag: str | None) -> str | None:
        """Make the file, or replace the version `tag`; returns the new tag, or None if that was refused."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with self._asked() as client:
            try:
                return str(client.put_object(**self._place, Body=content, **condition)["ETag"])
            except client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in REFUSED:
                    return None
                raise

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        """The client, whose errors become those of the system."""
        try:
            from botocore.exceptions import BotoCoreError, ClientError

            try:
                yield _client(**_options(self._path))
            except (BotoCoreError, ClientError, ValueError) as error:  # the last for a faulty address
                _client.cache_clear()  # a login from a file may have been replaced there; boto3 reads it once
                raise OSError(errno.EIO, str(error).partition("\n")[0], str(self._path)) from error
        except ModuleNotFoundError as error:
            fault = f"needs {error.name}, which is not installed; `pip install boto3`"
            raise UserError([Fault("--out", str(self._path), fault)]) from error


def _options(path: ObjectPath) -> dict[str, Any]:
    """The server as pyarrow has opened it, in boto3's words."""
    opened = path.options
    endpoint = opened["endpoint_override"] or None
    if endpoint is not None and "://" not in endpoint:
        endpoint = f"{opened['scheme']}://{endpoint}"
    asked = parse_qs(path.query)  # what pyarrow has opened does not tell these two
    verify: str | bool | None = opened["tls_ca_file_path"] or asked.get("tls_ca_dir_path", [None])[0]
    if asked.get("tls_verify_certificates") == ["false"]:
        verify = False
    return {"endpoint": endpoint, "region": opened["region"] or None, "verify": verify}


@lru_cache(maxsize=16)
def _client(endpoint: str | None, region: str | None, verify: str | bool | None) -> "BaseClient":
    from boto3 import Session
    from botocore.config import Config

    config = Config(
        connect_timeout=TIMEOUT,
        read_timeout=TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 2},
        # As pyarrow does it: no proxy, no server that ~/.aws names, buckets in the path of a server's own.
        proxies={},
        ignore_configured_endpoint_urls=True,
        s3={"addressing_style": "path" if endpoint else "auto"},
        # Servers other than Amazon's need not know the checksums that boto3 sends otherwise.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return Session().client("s3", endpoint_url=endpoint, region_name=region, verify=verify, config=config)
