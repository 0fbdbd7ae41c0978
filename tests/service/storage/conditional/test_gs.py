"""Conditional puts and leases by the protocol of Google Cloud Storage, on a small server on loopback."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gs_server import GsServer, gs_server

from service.errors import HeldError, UserError
from service.storage import lease, process
from service.storage.conditional import gs
from service.storage.conditional.stores import conditional
from service.storage.lock import is_running, sweep_lock
from service.storage.paths import ObjectPath, parse_path


@pytest.fixture
def server() -> Iterator[GsServer]:
    gs._session.cache_clear()
    with gs_server() as server:
        yield server


@pytest.fixture
def folder(server: GsServer) -> ObjectPath:
    return place(f"gs://anonymous@bucket/runs/wiring?scheme=http&endpoint_override={server.address}")


def place(url: str) -> ObjectPath:
    found = parse_path(url)
    assert isinstance(found, ObjectPath)
    return found


def test_a_file_is_made_once_and_replaced_if_unchanged(server: GsServer, folder: ObjectPath) -> None:
    file = conditional(folder / "a file")
    assert file.read() is None and file.put(b"none", "7") is None
    first = file.put(b"1", None)
    assert first is not None and file.put(b"2", None) is None
    found = file.read()
    assert found is not None and found[:2] == (b"1", first) and -1 <= found.age < 60
    second = file.put(b"2", first)
    assert second not in (None, first) and file.put(b"3", first) is None
    assert {name: content for name, (content, _, _) in server.files.items()} == {"runs/wiring/a file": b"2"}
    server.files.clear()
    assert file.put(b"3", second) is None and file.read() is None
    assert set(server.logins) == {None}


def test_of_many_that_start_at_once_one_goes_on(folder: ObjectPath) -> None:
    def acquired(held: lease.Lease) -> bool:
        try:
            held.acquire()
        except HeldError:
            return False
        return True

    for number in range(8):
        leases = [lease.Lease(folder / f"{number}") for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            won = [one for one, has in zip(leases, pool.map(acquired, leases), strict=True) if has]
        assert len(won) == 1
        won[0].release()
        assert not is_running(folder / f"{number}")


def test_who_was_taken_over_does_not_renew(folder: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "process_of", lambda pid="self": [])  # as if on another machine
    early, late = lease.Lease(folder), lease.Lease(folder)
    early.acquire()
    with pytest.raises(HeldError, match=r"a process on .* runs this sweep"):
        late.acquire()
    monkeypatch.setattr(lease, "LEASE_SECONDS", -5.0)  # dead at once
    late.acquire()
    assert not early.renew() and late.renew()
    early.release()
    late.release()


@pytest.mark.parametrize("query", ["", "?scheme=http&endpoint_override=127.0.0.1:9"])
def test_a_lease_lies_where_pyarrow_sees_it(
    server: GsServer, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", f"http://{server.address}")
    with sweep_lock(place(f"gs://anonymous@bucket/runs{query}")):
        assert set(server.files) == {"runs/.lock/lease"}


def test_a_store_that_is_busy_is_asked_again(server: GsServer, folder: ObjectPath) -> None:
    server.busy = 1
    assert conditional(folder / "a").put(b"", None) is not None
    server.busy = 1
    assert conditional(folder / "a").read() is not None


def test_the_login_that_the_environment_names_is_used(
    server: GsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "client_email": "driver@project.example",
        "private_key": key.private_bytes(*form).decode(),
        "token_uri": f"http://{server.address}/token",
    }
    (tmp_path / "account.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    sweep = place(f"gs://bucket/runs?scheme=http&endpoint_override={server.address}")
    assert conditional(sweep / "a").put(b"", None) is not None
    assert server.logins[-1] == "Bearer granted"


def test_what_fails_is_told_in_words(
    server: GsServer, folder: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.busy = 100
    with pytest.raises(UserError, match=r"can't be written \(503 Server Error"), sweep_lock(folder):
        pass
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    gs._session.cache_clear()
    with pytest.raises(OSError, match=r"File .*none.json was not found"):
        conditional(place("gs://bucket/runs/file")).read()
