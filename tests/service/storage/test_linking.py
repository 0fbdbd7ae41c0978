from pathlib import Path

from service.storage.atomic import write_whole
from service.storage.linking import put_all


def test_files_lie_on_the_disk_once_and_names_do_not_hang_together(tmp_path: Path) -> None:
    kept, shown = tmp_path / "kept.png", tmp_path / "shown"
    kept.write_bytes(b"picture")
    for _ in range(2):  # again replaces what is there
        put_all({"a.png": kept, "deep/b.txt": b"text"}, shown)
    assert (shown / "a.png").stat().st_ino == kept.stat().st_ino
    assert (shown / "deep" / "b.txt").read_bytes() == b"text"
    write_whole(kept, b"drawn anew")
    assert (shown / "a.png").read_bytes() == b"picture"


def test_a_copy_where_a_link_can_not_be(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def refuse(*paths: Path) -> None:
        raise OSError("cross-device link")

    monkeypatch.setattr("os.link", refuse)
    (tmp_path / "kept.png").write_bytes(b"picture")
    put_all({"a.png": tmp_path / "kept.png"}, tmp_path / "shown")
    assert (tmp_path / "shown" / "a.png").read_bytes() == b"picture"
