"""An object store in memory, as strict as they come: files are written whole, and nothing can be appended,
renamed or read while it is written. For `ObjectPath`, in one process."""

import errno
import io
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSelector, FileSystemHandler, FileType, PyFileSystem

from service.storage.conditional.file import Stored
from service.storage.conditional.stores import CONDITIONAL
from service.storage.paths import ObjectPath


class ObjectStore(FileSystemHandler):  # type: ignore[misc]
    """Files by key, each with the time at which it was written."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, float]] = {}
        self.clock = time.time
        self.fail: Callable[[str, str], None] = lambda what, key: None
        """Called with `write`, `read`, `delete` or `list` and the key before it is done, and with `written`
        or `deleted` after it; may raise."""
        self.lock = threading.Lock()

    def path(self, key: str = "bucket/runs") -> ObjectPath:
        """A place on it."""
        return ObjectPath(PyFileSystem(self), key, f"mem://{key}")

    def get_type_name(self) -> str:
        return "memory"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[FileInfo]:
        return [self._info(path) for path in paths]

    def _info(self, path: str) -> FileInfo:
        if path in self.files:
            content, changed = self.files[path]
            return FileInfo(
                path, FileType.File, size=len(content), mtime=datetime.fromtimestamp(changed, UTC)
            )
        below = any(key.startswith(f"{path}/") for key in list(self.files))
        return FileInfo(path, FileType.Directory if below else FileType.NotFound)

    def get_file_info_selector(self, selector: FileSelector) -> list[FileInfo]:
        base = selector.base_dir
        self.fail("list", base)
        found = set()
        for key in list(self.files):
            if key.startswith(f"{base}/"):
                parts = key.removeprefix(f"{base}/").split("/")
                depths = range(1, len(parts) + 1) if selector.recursive else [1]
                found |= {"/".join([base, *parts[:depth]]) for depth in depths}
        return [self._info(key) for key in sorted(found)]

    def open_input_stream(self, path: str) -> pa.NativeFile:
        return self.open_input_file(path)

    def open_input_file(self, path: str) -> pa.NativeFile:
        self.fail("read", path)
        if path not in self.files:
            raise FileNotFoundError(path)
        return pa.PythonFile(io.BytesIO(self.files[path][0]), mode="r")

    def open_output_stream(self, path: str, metadata: object) -> pa.NativeFile:
        return pa.PythonFile(_Upload(self, path), mode="w")

    def delete_file(self, path: str) -> None:
        self.fail("delete", path)
        with self.lock:
            if path not in self.files:
                raise FileNotFoundError(path)
            del self.files[path]
        self.fail("deleted", path)

    def delete_dir(self, path: str) -> None:
        for key in [key for key in list(self.files) if key.startswith(f"{path}/")]:
            self.delete_file(key)

    def put(self, key: str, content: bytes) -> None:
        self.files[key] = (content, self.clock())

    def _never(self, *arguments: object) -> None:
        raise NotImplementedError("no object store can do that")

    create_dir = delete_dir_contents = delete_root_dir_contents = _never
    move = copy_file = open_append_stream = _never


class _Upload(io.BytesIO):
    """What is written is there when it is closed."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        super().__init__()
        self._store: ObjectStore | None = store
        self._key = key

    def close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.fail("write", self._key)
            store.put(self._key, self.getvalue())
            store.fail("written", self._key)
        super().close()


class ConditionalFile:
    """A file on it that is put on a condition; its content is its tag."""

    def __init__(self, path: ObjectPath) -> None:
        self._store: ObjectStore = path.store.handler
        self.path, self.key = path, path.key

    def read(self) -> Stored | None:
        self._done("read")
        found = self._store.files.get(self.key)
        return found and Stored(found[0], found[0].hex(), self._store.clock() - found[1])

    def put(self, content: bytes, tag: str | None) -> str | None:
        self._done("write")
        with self._store.lock:
            found = self._store.files.get(self.key)
            if (found and found[0].hex()) != tag:
                return None
            self._store.put(self.key, content)
        self._done("written")
        return content.hex()

    def _done(self, what: str) -> None:
        try:
            self._store.fail(what, self.key)
        except OSError as error:
            raise OSError(errno.EIO, str(error), str(self.path)) from error


CONDITIONAL["mem"] = ConditionalFile
