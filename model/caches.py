"""Where compiled kernels and lists of fonts are kept if neither the installation nor the home can be written.

On batch systems and in containers both often can't. Then it is a folder among the temporary files that only
its user may enter: what lies there is run as code.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

HOME, FONTS = "HOME", "MPLCONFIGDIR"


def private_folder() -> Path | None:
    """The user's own folder among the temporary files, made if need be.

    None if there can be none, or if one of that name is another user's, a link, or open to others.
    """
    try:
        folder = Path(tempfile.gettempdir()).absolute() / f"polychrony-{os.geteuid()}"
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    mode = stat.S_IMODE(found.st_mode) & ~stat.S_ISGID  # which a volume of Kubernetes' hands down
    return folder if ours and mode == stat.S_IRWXU else None


def kernels_folder(compiled: bytes = b"") -> Path | None:
    """The place in it for these sources' compiled kernels; it need not be there yet.

    Its name changes with them, and with what is said of kernels that are `compiled` already, because other
    versions, and other images, may share the temporary files.
    """
    folder, code = private_folder(), Path(__file__).parent
    sources = [*sorted(code.glob("kernels/cpu/*.py")), code / "augmentation" / "kernel.py"]
    digest = hashlib.sha256(b"".join([*(source.read_bytes() for source in sources), compiled])).hexdigest()
    return folder and folder / f"kernels-{digest[:16]}"


def can_be_written(folder: Path) -> bool:
    """Whether a folder can be written, or be made; nothing is made.

    >>> can_be_written(Path("/dev/null/folder"))
    False
    """
    nearest = next(one for one in (folder, *folder.parents) if os.access(one, os.F_OK))
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def spare_home() -> None:
    """Have libraries that insist on a home do without, where there is none, or none that can be written.

    Ray can't be imported by a user whose home nobody knows, and numba would make a folder called `~`.
    Matplotlib, which igraph brings along, warns of a home that can't be written, and looks for fonts in every
    process anew.
    """
    try:
        Path.home()
    except RuntimeError:  # HOME is not set, and the system does not know the user
        os.environ[HOME] = str(private_folder() or "/nonexistent")
    if not all(map(can_be_written, _font_folders())) and (folder := private_folder()) is not None:
        os.environ[FONTS] = str(folder / "matplotlib")


def _font_folders() -> list[Path]:
    """The folders that matplotlib would write to."""
    if named := os.environ.get(FONTS):
        return [Path(named).absolute()]
    bases = {"XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache"}
    found = (os.environ.get(name) or Path.home() / usual for name, usual in bases.items())
    return [Path(one).absolute() / "matplotlib" for one in found]
