"""What every test shares: no network but loopback."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

_connect = socket.socket.connect


def _refusing(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = str(address[0])
        if not (host.startswith("127.") or host in ("::1", "localhost")):
            raise OSError(f"a test tried to reach {host}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _only_loopback(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[None]:
    if "cluster" not in request.keywords:  # Ray talks to itself at the machine's own address
        monkeypatch.setattr(socket.socket, "connect", _refusing)
    yield
