"""Where sweeps live: folders of this machine, and object stores.

A place is a `pathlib.Path` or, on an object store, an `ObjectPath`, which has the same names for what it can
do. There are no folders on an object store, and nothing can be appended, renamed or locked; a file is written
whole or not at all, and whoever reads it next sees the new one.
"""

import errno
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from service.errors import Fault, UserError
from service.text import NOT_UTF8, has_password, is_utf8

if TYPE_CHECKING:
    from pyarrow import NativeFile
    from pyarrow.fs import FileInfo, FileSystem

SCHEMES = ("s3", "gs", "gcs")
"""Object stores whose files are written whole or not at all, and read as they were last written."""

ATTEMPTS = 10
"""To read a file that is being replaced."""

Guard = Callable[[], None]
"""Raises SweepError if this process may not write any more."""


class ObjectPath:
    """A place on an object store. What fails raises OSError, with the place as `filename`."""

    def __init__(
        self, store: "FileSystem", key: str, base: str, query: str = "", guard: Guard | None = None
    ) -> None:
        """Args: store; place there; its URL before and after `?`; what is asked before each change."""
        self.store, self.key = store, key
        self._base, self._query, self._guard = base, query, guard

    def guarded(self, guard: Guard) -> "ObjectPath":
        """The same place, where `guard` is asked before each change, also of the places below."""
        return ObjectPath(self.store, self.key, self._base, self._query, guard)

    @property
    def scheme(self) -> str:
        """The kind of store, such as `s3`."""
        return self._base.partition("://")[0]

    @property
    def query(self) -> str:
        """Its URL after `?`."""
        return self._query

    @property
    def options(self) -> dict[str, Any]:
        """How pyarrow has opened the store: server, region and more, by the URL, the environment and files.

        It offers them in no other way than to another process.
        """
        return dict(self.store.__reduce__()[1][0])

    @property
    def name(self) -> str:
        """The last part."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The last part without its ending."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def parent(self) -> "ObjectPath":
        """The place around; a bucket is its own."""
        if "/" not in self.key:
            return self
        key, base = self.key.rpartition("/")[0], self._base.rpartition("/")[0]
        return ObjectPath(self.store, key, base, self._query, self._guard)

    def __truediv__(self, name: str) -> "ObjectPath":
        return ObjectPath(self.store, f"{self.key}/{name}", f"{self._base}/{name}", self._query, self._guard)

    def absolute(self) -> "ObjectPath":
        """The place itself."""
        return self

    def exists(self) -> bool:
        """Whether there is a file, or one below."""
        return bool(self.info().type.name != "NotFound")

    def is_file(self) -> bool:
        """Whether there is a file."""
        return bool(self.info().is_file)

    def iterdir(self) -> "Iterator[ObjectPath]":
        """What is in this folder; nothing if there is none."""
        return (self / info.base_name for info in self.infos())

    def infos(self, recursive: bool = False) -> "list[FileInfo]":
        """What is in this folder as pyarrow has it, with sizes and times; with `recursive`, all below."""
        from pyarrow.fs import FileSelector

        with self._named():
            selector = FileSelector(self.key, allow_not_found=True, recursive=recursive)
            return list(self.store.get_file_info(selector))

    def open(self) -> "NativeFile":
        """The file, to be read piece by piece; the pieces fit together only as long as it is not replaced."""
        with self._named():
            return self.store.open_input_file(self.key)

    def read_bytes(self) -> bytes:
        """The content of the file, at one moment."""
        for _ in range(ATTEMPTS):
            with self._named(), self.open() as file:
                content = bytes(file.read())
            # The store is asked how long it is, and then for so many bytes; it may be replaced in between.
            if self.info().size in (len(content), None):
                return content
        raise OSError(errno.EAGAIN, "it changes all the time", str(self))

    def read_text(self) -> str:
        """The content of the file, UTF-8."""
        return self.read_bytes().decode()

    def write_bytes(self, content: bytes) -> None:
        """Make the file, or put another in its place: whole, or not at all."""
        self._ask()
        with self._named(), self.store.open_output_stream(self.key, compression=None) as file:
            file.write(content)

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing to do: a folder is there when it has a file."""

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        self._ask()
        try:
            with self._named():
                self.store.delete_file(self.key)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def remove_all(self) -> None:
        """Remove the file, or all files below."""
        self._ask()
        with self._named():
            kind = self.info().type.name
            if kind == "Directory":
                self.store.delete_dir(self.key)
            elif kind == "File":
                self.store.delete_file(self.key)

    def __str__(self) -> str:
        return f"{self._base}?{self._query}" if self._query else self._base

    def __repr__(self) -> str:
        return f"ObjectPath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectPath) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: "ObjectPath") -> bool:
        return str(self) < str(other)

    def __reduce__(self) -> tuple[Any, ...]:
        return parse_path, (str(self),)  # another process is not held by our guard, nor helped

    def info(self) -> "FileInfo":
        """The file as pyarrow has it."""
        with self._named():
            return self.store.get_file_info(self.key)

    def _ask(self) -> None:
        if self._guard is not None:
            self._guard()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors in the way of `pathlib`."""
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, "there is no such file", str(self)) from error
        except OSError as error:
            said = error.strerror or str(error).partition("\n")[0]
            raise OSError(error.errno or errno.EIO, said, str(self)) from error


StoragePath: TypeAlias = Path | ObjectPath


class StoredFile(NamedTuple):
    """A file below a place."""

    size: int
    """Bytes."""
    changed: float
    """Seconds since 1970."""


def parse_path(text: "str | StoragePath") -> StoragePath:
    """The place that is named: a folder of this machine, or a URL such as s3://bucket/runs.

    Raises UserError if there can be no sweeps, saying why.
    """
    if isinstance(text, ObjectPath):
        return text
    if isinstance(text, Path):
        return _in_utf8(text)
    scheme, separator, _ = text.partition("://")
    if not separator:
        return _in_utf8(Path(text))
    fault = None
    if scheme == "file":
        parts = urlsplit(text)
        if not {"?", "#"} & set(text) and parts.netloc in ("", "localhost"):
            return _in_utf8(Path(unquote(parts.path, errors="surrogateescape")))
        fault = "is no address of a folder here; write ? as %3F and # as %23, or give the plain path"
    elif not is_utf8(text):
        fault = NOT_UTF8
    elif "#" in text:
        fault = "has a # in it, with which no place is reached; write it as %23"
    elif scheme not in SCHEMES:
        fault = "is no place for sweeps; give a folder, or a URL such as s3://bucket/runs or gs://bucket/runs"
    elif has_password(text):
        fault = "holds a password, which would be shown; set it in the environment (AWS_SECRET_ACCESS_KEY)"
    if fault is not None:
        raise UserError([Fault("--out", text, fault)])
    base, _, query = text.partition("?")
    base = base.rstrip("/")
    try:
        store, key = _opened(base, query)
    except (OSError, ValueError) as error:
        raise UserError(
            [Fault("--out", text, f"can't be used ({str(error).partition(chr(10))[0]})")]
        ) from error
    if not key:
        raise UserError([Fault("--out", text, "names no bucket; write it like s3://bucket/runs")])
    return ObjectPath(store, key.rstrip("/"), base, query)


def _in_utf8(path: Path) -> Path:
    """The path itself; UserError if its name, or that of a folder around it, is not UTF-8."""
    if not is_utf8(str(path.absolute())):
        raise UserError([Fault("--out", str(path.absolute()), NOT_UTF8)])
    return path


@lru_cache(maxsize=64)
def _opened(base: str, query: str) -> "tuple[FileSystem, str]":
    from pyarrow.fs import FileSystem

    if base.startswith("s3:"):  # a small file by one request, not three
        query = "&".join(filter(None, [query, "allow_delayed_open=true"]))
    opened: tuple[FileSystem, str] = FileSystem.from_uri(f"{base}?{query}" if query else base)
    return opened


def stored_files(place: StoragePath) -> list[StoredFile]:
    """The file at `place`, or the files of the folder there and of those in it."""
    if isinstance(place, ObjectPath):
        infos = [place.info(), *place.infos(recursive=True)]
        return [StoredFile(one.size, one.mtime_ns / 1e9) for one in infos if one.is_file]
    found = []
    for path in (place, *place.rglob("*")):
        try:
            status = path.stat()
        except OSError:  # replaced meanwhile
            continue
        if stat.S_ISREG(status.st_mode):
            found.append(StoredFile(status.st_size, status.st_mtime))
    return found


def list_folder(folder: StoragePath) -> list[StoragePath]:
    """What is in a folder, by name; nothing if there is no such folder."""
    try:
        return sorted(folder.iterdir(), key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
