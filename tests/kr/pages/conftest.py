"""A watch over every connection that is opened."""

import sys

import pytest

_connections: list[object] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    # Raised by the interpreter itself, below every library, for each attempt to connect or to resolve.
    if event in ("socket.connect", "socket.sendto"):
        _connections.append(arguments[1])


sys.addaudithook(_watch)


@pytest.fixture
def connections() -> list[object]:
    """The addresses that sockets were told to connect to since the test began."""
    _connections.clear()
    return _connections
