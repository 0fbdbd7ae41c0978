"""Which stores know conditional puts, and how they are asked for."""

from collections.abc import Callable

from service.storage.conditional.file import ConditionalFile
from service.storage.conditional.gs import GsFile
from service.storage.conditional.s3 import S3File
from service.storage.paths import ObjectPath

CONDITIONAL: dict[str, Callable[[ObjectPath], ConditionalFile]] = {"s3": S3File, "gs": GsFile, "gcs": GsFile}
"""By the scheme of a URL: all those of `service.storage.paths.SCHEMES`."""


def conditional(path: ObjectPath) -> ConditionalFile:
    """A file on an object store, to be put on a condition."""
    return CONDITIONAL[path.scheme](path)
