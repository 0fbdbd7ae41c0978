"""Conditional puts and leases on a real server of the S3 protocol, on loopback."""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from pyarrow.fs import S3FileSystem
from s3_server import s3_server

from service.errors import HeldError, SweepError, UserError
from service.storage import lease, process
from service.storage.conditional import s3
from service.storage.conditional.stores import conditional
from service.storage.lock import is_running, sweep_lock
from service.storage.paths import ObjectPath, parse_path

GONE = '{"host": "there", "process": ["%s", "%s", "1", "1"]}'
"""A lease of a process of this machine that is no more."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """HOST:PORT of an S3 server with a bucket, which the environment points to."""
    with s3_server() as address:
        yield address


@pytest.fixture(autouse=True)
def no_login_from_before() -> None:
    s3._client.cache_clear()


@pytest.fixture
def folder(server: str, request: pytest.FixtureRequest) -> ObjectPath:
    return place(f"s3://bucket/{request.node.name.replace('[', '-').strip(']')}")


def place(url: str) -> ObjectPath:
    found = parse_path(url)
    assert isinstance(found, ObjectPath)
    return found


def test_a_file_is_made_once_and_replaced_if_unchanged(folder: ObjectPath) -> None:
    file = conditional(folder / "file")
    assert file.read() is None and file.put(b"none", '"0"') is None
    first = file.put(b"1", None)
    assert first is not None and file.put(b"2", None) is None
    found = file.read()
    assert found is not None and found[:2] == (b"1", first) and -1 <= found.age < 60
    second = file.put(b"2", first)
    assert second not in (None, first) and file.put(b"3", first) is None
    assert (folder / "file").read_bytes() == b"2"
    (folder / "file").unlink()
    assert file.put(b"3", second) is None and file.read() is None


def acquired(held: lease.Lease) -> bool:
    try:
        held.acquire()
    except HeldError:
        return False
    return True


@pytest.mark.parametrize("before", ["nothing", "dead", "released"])
def test_of_many_that_start_at_once_one_goes_on(folder: ObjectPath, before: str) -> None:
    for number in range(12):
        sweep = folder / f"{number}"
        if before == "dead":
            (sweep / ".lock" / "lease").write_bytes((GONE % tuple(process.process_of()[:2])).encode())
        elif before == "released":
            with sweep_lock(sweep):
                pass
        leases = [lease.Lease(sweep) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            won = [one for one, has in zip(leases, pool.map(acquired, leases), strict=True) if has]
        assert len(won) == 1
        won[0].check()
        won[0].release()
        assert not is_running(sweep)


def begin(url: str, gate: float) -> bool:
    """A driver's start, in a process of its own; it keeps what it has got."""
    del gate
    return acquired(lease.Lease(place(url)))


def test_of_many_processes_one_goes_on(folder: ObjectPath) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        for number in range(8):
            assert sum(pool.map(partial(begin, str(folder / f"{number}")), range(3))) == 1


def test_who_slept_and_was_taken_over_neither_renews_nor_writes(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "process_of", lambda pid="self": [])  # as if on another machine
    monkeypatch.setattr(lease, "LEASE_SECONDS", -5.0)  # dead at once
    sleeper, other = lease.Lease(folder), lease.Lease(folder)
    sleeper.acquire()
    other.acquire()
    assert not sleeper.renew()
    with pytest.raises(SweepError, match="another process has taken this sweep over"):
        (sleeper.folder / "a").write_bytes(b"")
    before = (folder / ".lock" / "lease").read_bytes()
    sleeper.release()
    assert (folder / ".lock" / "lease").read_bytes() == before
    assert other.renew()
    (other.folder / "a").write_bytes(b"")
    other.release()


def test_a_sweep_that_was_given_back_is_taken_at_once(folder: ObjectPath) -> None:
    for _ in range(3):
        with sweep_lock(folder):
            assert is_running(folder)
            with pytest.raises(HeldError, match=r"a process on .* runs this sweep"), sweep_lock(folder):
                pass
        assert not is_running(folder)


def test_leases_of_earlier_versions_are_respected(folder: ObjectPath) -> None:
    old = folder / ".lock" / ("9f" * 16)
    old.write_bytes(b'{"host": "there", "process": []}')
    assert is_running(folder)
    with pytest.raises(HeldError, match="a process on there runs this sweep"), sweep_lock(folder):
        pass
    old.write_bytes((GONE % tuple(process.process_of()[:2])).encode())
    with sweep_lock(folder):
        assert not old.exists()


def test_the_login_of_a_profile_is_found(
    folder: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a server that the profile names is not asked: pyarrow would not ask it, either."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text(
        "[work]\naws_access_key_id = mine\naws_secret_access_key = secret\n"
    )
    (tmp_path / "config").write_text("[profile work]\nendpoint_url = http://127.0.0.1:9\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    file = conditional(folder / "file")
    assert file.put(b"", None) is not None
    client = s3._client(**s3._options(folder))
    assert client._request_signer._credentials.access_key == "mine"


def test_server_and_region_are_those_that_pyarrow_has_opened(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-west-3\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    sweep = place(f"s3://bucket/addressed?endpoint_override={server}&scheme=http")
    assert s3._client(**s3._options(sweep)).meta.region_name == "eu-west-3"
    assert conditional(sweep / "file").put(b"first", None) is not None
    assert (sweep / "file").read_bytes() == b"first"
    elsewhere = s3._client(**s3._options(place("s3://bucket/runs?region=eu-north-1"))).meta
    assert (elsewhere.region_name, elsewhere.endpoint_url) == ("eu-north-1", "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    # As when pyarrow has asked Amazon where a bucket is.
    looked_up = ObjectPath(S3FileSystem(region="ap-south-2"), "bucket/runs", "s3://bucket/runs")
    amazon = s3._client(**s3._options(looked_up)).meta
    assert (amazon.region_name, amazon.endpoint_url) == ("ap-south-2", "https://s3.ap-south-2.amazonaws.com")


@pytest.mark.parametrize(
    ("query", "verify"),
    [("", None), ("&tls_ca_file_path=/x/ca.pem", "/x/ca.pem"), ("&tls_verify_certificates=false", False)],
)
def test_certificates_are_checked_as_pyarrow_does(query: str, verify: str | bool | None) -> None:
    sweep = place(f"s3://bucket/runs?region=us-east-1&endpoint_override=minio:9000{query}")
    assert s3._options(sweep) == {"endpoint": "https://minio:9000", "region": "us-east-1", "verify": verify}


def test_a_login_that_was_replaced_in_its_file_is_read_again(
    folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = s3._client(**s3._options(folder))
    with pytest.raises(OSError, match="NoSuchBucket"):
        conditional(place("s3://nowhere/file")).put(b"", None)
    assert s3._client(**s3._options(folder)) is not before


def test_what_fails_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    sweep = place("s3://bucket/nowhere?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1")
    with (
        pytest.raises(UserError, match=r"nowhere.*: can't be written \(Could not"),
        sweep_lock(sweep),
    ):
        pass
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    missing = r"needs botocore.*, which is not installed; `pip install boto3`"
    with pytest.raises(UserError, match=missing), sweep_lock(sweep):
        pass
