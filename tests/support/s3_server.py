"""An S3 server on loopback, in a process of its own, for tests.

It is moto's, which looks at a condition and puts in two steps.
A real store does that in one, and so does this.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hang import await_that
from pyarrow.fs import FileSystem


@contextmanager
def s3_server() -> Iterator[str]:
    """A server with a bucket called `bucket`, which the environment points to; gives its HOST:PORT."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(Path(__file__)), str(port)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                _make_bucket()
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()


def _make_bucket() -> None:
    def made() -> bool:
        try:
            FileSystem.from_uri("s3://bucket?allow_bucket_creation=true")[0].create_dir("bucket")
        except OSError:  # the server has not started yet
            return False
        return True

    await_that(made, "the server does not start")


def _serve(port: int) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple

    served = DomainDispatcherApplication(create_backend_app)
    one = threading.Lock()

    def one_at_a_time(environ: dict[str, Any], start: Any) -> list[bytes]:
        with one:
            return list(served(environ, start))

    run_simple("127.0.0.1", port, one_at_a_time, threaded=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
