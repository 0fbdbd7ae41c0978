"""A file that lines are added to: each is kept whole or not at all, and stays through a kill at any moment.

A line is a JSON object. It is stored with a checksum, its last key, by which one that was damaged is told.

On an object store, where nothing can be appended, it is a folder of numbered segments. All but the last are
sealed, that is never written again; the last is replaced as a whole when a line is added.
"""

import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple, Protocol

from service.errors import SweepError
from service.storage.paths import ObjectPath, StoragePath, list_folder

SEGMENT_BYTES = 64 * 1024
"""A segment is sealed when it is as large."""


class Line(NamedTuple):
    """A line, and where it stands."""

    place: str
    """FILE:LINE, for messages."""
    content: bytes
    """A JSON object; nothing if it is damaged."""


class Journal(Protocol):
    """A journal that is open for writing."""

    lines: list[Line]
    """The lines that the journal was found to hold."""

    def append(self, content: bytes, *, sync: bool = True) -> None:
        """Add a line, a JSON object; on disk if `sync`, else with the operating system.

        Raises SweepError if it can't be written; the journal is then as before.
        """

    def clear(self) -> None:
        """Drop all lines. Raises SweepError if that can't be done; some of them may then be there."""

    def close(self) -> None:
        """Close the file; its lines stay."""


def open_journal(path: StoragePath) -> Journal:
    """The journal at `path`, made if it is not there.

    A last line without an end was torn by a crash: it was never acknowledged, and is written over.
    Raises SweepError if the file can't be opened.
    """
    return _Segments(path) if isinstance(path, ObjectPath) else _File(path)


def read_lines(path: StoragePath) -> list[Line]:
    """The lines of the journal at `path`; none if it is not there. Raises SweepError if it can't be read."""
    files = _list_segments(path) if isinstance(path, ObjectPath) else [path]
    return [line for file in files for line in _lines(file, _read(file))]


def _read(path: StoragePath) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SweepError(f"{path}: can't be read ({error.strerror}); make it readable") from error


def _lines(path: StoragePath, content: bytes) -> list[Line]:
    whole = content.split(b"\n")[:-1]
    return [Line(f"{path}:{number}", _checked(line)) for number, line in enumerate(whole, start=1)]


def _stored(content: bytes) -> bytes:
    return b'%b,"crc":%d}\n' % (content[:-1], zlib.crc32(content))


def _checked(line: bytes) -> bytes:
    """The content of a stored line, nothing if it is damaged. One of an older version has no checksum."""
    stored = re.fullmatch(rb'(.*),"crc":(\d+)}', line)
    if stored is None:
        return line
    content = stored[1] + b"}"
    return content if zlib.crc32(content) == int(stored[2]) else b""


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path
        content = _read(path)
        self.lines = _lines(path, content)
        self._length = content.rfind(b"\n") + 1
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            if len(content) > self._length:
                os.ftruncate(self._descriptor, self._length)
        except OSError as error:
            raise _unwritable(path, error) from error

    def append(self, content: bytes, *, sync: bool = True) -> None:
        data = _stored(content)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self._length + written)
            if sync:
                os.fsync(self._descriptor)
        except BaseException as error:  # one that is interrupted must not stay, either
            os.ftruncate(self._descriptor, self._length)
            if isinstance(error, OSError):
                raise _unwritable(self._path, error) from error
            raise
        self._length += len(data)

    def clear(self) -> None:
        os.ftruncate(self._descriptor, 0)
        self._length = 0

    def close(self) -> None:
        os.close(self._descriptor)


class _Segments:
    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        self.lines = read_lines(path)
        segments = _list_segments(path)
        self._number = _number_of(segments[-1]) if segments else 0
        self._tail = _read(segments[-1]) if segments else b""

    def append(self, content: bytes, *, sync: bool = True) -> None:
        # One that fails may have been written all the same. The next takes its place; if there is none, it
        # stays, as it does in a process that is killed before it can tell.
        full = len(self._tail) >= SEGMENT_BYTES
        number, tail = (self._number + 1, b"") if full else (self._number, self._tail)
        tail += _stored(content)
        try:
            (self._path / f"{number:06d}").write_bytes(tail)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._number, self._tail = number, tail

    def clear(self) -> None:
        try:
            self._path.remove_all()
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._number, self._tail = 0, b""

    def close(self) -> None:
        """Nothing is open."""


def _list_segments(path: ObjectPath) -> list[StoragePath]:
    """The segments of a journal in order, without hidden files, which whoever copied the folder has left."""
    return [one for one in list_folder(path) if not one.name.startswith(".")]


def _number_of(segment: StoragePath) -> int:
    if not segment.name.isdecimal():
        raise SweepError(f"{segment}: this file is no part of the sweep; move it elsewhere")
    return int(segment.name)


def _unwritable(path: StoragePath, error: OSError) -> SweepError:
    return SweepError(
        f"{path}: can't be written ({error.strerror or error}); free some space or make the folder writable, "
        "then run the sweep again: it goes on from what is recorded"
    )
