"""One request to one checked address, within a budget of seconds and bytes that holds for every byte received.

The socket is opened here, to an address that `networks` has allowed, and handed ready to the standard library's HTTP
client: nothing below resolves a name again, reads a proxy from the environment or follows a redirect. The Host header,
the server name of TLS and the certificate's check are those of the site's name.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, ip_address

from kr.pages.address import PageAddress
from kr.pages.networks import IPAddress, is_loopback, network_problem
from kr.pages.problems import PageError, PageProblem

Clock = Callable[[], float]
Resolver = Callable[[str, int], Sequence[str]]
MOST_ADDRESSES_TRIED = 3


@dataclass
class Budget:
    """What is left for reading a page: seconds until the deadline, for all its requests together."""

    seconds: float
    clock: Clock = time.monotonic
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = self.clock() + self.seconds

    def remaining(self) -> float:
        """Seconds left. Raises PageError when there are none."""
        left = self.deadline - self.clock()
        if left <= 0:
            raise PageError(PageProblem.TIMED_OUT, seconds=self.seconds)
        return left


@dataclass
class _Meter:
    """Counts the bytes of one reply, headers included, so that neither they nor the body can go on for ever."""

    budget: Budget
    most_bytes: int
    received: int = 0

    def count(self, received: int) -> None:
        self.received += received
        if self.received > self.most_bytes:
            raise PageError(PageProblem.TOO_LARGE, limit=self.most_bytes)


class _PlainSocket(socket.socket):
    """A socket that waits no longer than the budget allows, whatever it is asked for."""

    meter: _Meter

    def recv_into(self, buffer, nbytes=0, flags=0):  # type: ignore[no-untyped-def]
        self.settimeout(self.meter.budget.remaining())
        received = super().recv_into(buffer, nbytes, flags)
        self.meter.count(received)
        return received

    def sendall(self, data, flags=0):  # type: ignore[no-untyped-def]
        self.settimeout(self.meter.budget.remaining())
        return super().sendall(data, flags)


class _TlsSocket(ssl.SSLSocket):
    """The same over TLS."""

    meter: _Meter

    def recv_into(self, buffer, nbytes=None, flags=0):  # type: ignore[no-untyped-def]
        self.settimeout(self.meter.budget.remaining())
        received = super().recv_into(buffer, nbytes, flags)
        self.meter.count(received)
        return received

    def sendall(self, data, flags=0):  # type: ignore[no-untyped-def]
        self.settimeout(self.meter.budget.remaining())
        return super().sendall(data, flags)


def system_resolver(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, as the system finds them. The name is taken as whole: no search domain is appended."""
    try:
        found = socket.getaddrinfo(f"{host}.", port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_addresses(
    address: PageAddress, resolver: Resolver, budget: Budget, allow_loopback: bool = False
) -> tuple[IPAddress, ...]:
    """The network addresses of a site, asked for once; every one is checked and one bad one refuses the site.

    Raises PageError if there is none, or one is not of the public internet, or the answer takes too long.
    """
    if address.ip is not None:
        found: tuple[IPAddress, ...] = (address.ip,)
    elif allow_loopback and address.host == "localhost":
        return (IPv4Address("127.0.0.1"),)
    else:
        found = tuple(ip_address(text) for text in _resolved(address, resolver, budget))
    if not found:
        raise PageError(PageProblem.NAME_NOT_FOUND, host=address.host)
    problems = [None if allow_loopback and is_loopback(ip) else network_problem(ip) for ip in found]
    bad = [problem for problem in problems if problem]
    if bad:
        raise PageError(bad[0] if len(bad) == len(found) else PageProblem.NETWORK_MIXED, host=address.host)
    return found


def _resolved(address: PageAddress, resolver: Resolver, budget: Budget) -> Sequence[str]:
    """What the resolver answers; it runs in a thread of its own, since the system's cannot be told to hurry."""
    answers: list[Sequence[str]] = []
    thread = threading.Thread(target=lambda: answers.append(resolver(address.host, address.port)), daemon=True)
    thread.start()
    thread.join(budget.remaining())
    if thread.is_alive():
        raise PageError(PageProblem.TIMED_OUT, seconds=budget.seconds)
    return answers[0] if answers else ()


@dataclass(frozen=True)
class Reply:
    """The beginning of a reply; `body` is read from the socket as it is asked for."""

    status: int
    response: HTTPResponse
    connection: HTTPConnection

    def header(self, name: str) -> str:
        """A header's value, empty if it is not there."""
        return (self.response.getheader(name) or "").strip()

    def close(self) -> None:
        """End the connection, whatever is still to come."""
        self.response.close()
        self.connection.close()


def request(
    address: PageAddress,
    pinned: Sequence[IPAddress],
    budget: Budget,
    most_bytes: int,
    headers: dict[str, str],
    tls: ssl.SSLContext | None = None,
) -> Reply:
    """Ask for a page at one of the addresses that were checked. Raises PageError for whatever goes wrong."""
    meter = _Meter(budget, most_bytes)
    try:
        connected = _connect(address, pinned, meter)
        connection = HTTPConnection(address.authority)
        connection.auto_open = 0
        try:
            connection.sock = _secured(connected, address, meter, tls) if address.scheme == "https" else connected
            connection.putrequest("GET", address.target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": address.authority, **headers, "Connection": "close"}.items():
                connection.putheader(name, value)
            connection.endheaders()
            return Reply((response := connection.getresponse()).status, response, connection)
        except BaseException:
            connected.close()
            connection.close()
            raise
    except ssl.SSLCertVerificationError as error:
        raise PageError(PageProblem.TLS, host=address.host, why=error.verify_message) from None
    except ssl.SSLError as error:
        raise PageError(PageProblem.TLS, host=address.host, why=error.reason or "no secure connection") from None
    except TimeoutError:
        raise PageError(PageProblem.TIMED_OUT, seconds=budget.seconds) from None
    except HTTPException:
        raise PageError(PageProblem.REPLY_BROKEN, host=address.host) from None
    except OSError:
        raise PageError(PageProblem.NO_CONNECTION, host=address.host) from None


def _connect(address: PageAddress, pinned: Sequence[IPAddress], meter: _Meter) -> _PlainSocket:
    error: OSError = OSError("no address")
    for ip in pinned[:MOST_ADDRESSES_TRIED]:
        opened = _PlainSocket(socket.AF_INET if isinstance(ip, IPv4Address) else socket.AF_INET6, socket.SOCK_STREAM)
        opened.meter = meter
        try:
            opened.settimeout(meter.budget.remaining())
            opened.connect((str(ip), address.port))
            return opened
        except OSError as failed:
            opened.close()
            error = failed
    raise error


def _secured(plain: _PlainSocket, address: PageAddress, meter: _Meter, tls: ssl.SSLContext | None) -> _TlsSocket:
    context = tls or public_tls()
    secured = context.wrap_socket(plain, server_hostname=address.host, do_handshake_on_connect=False)
    assert isinstance(secured, _TlsSocket)
    secured.meter = meter
    try:
        secured.settimeout(meter.budget.remaining())
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


@cache
def public_tls() -> ssl.SSLContext:
    """The context that trusts this machine's certificate authorities, and those of certifi beside them."""
    import certifi

    context = tls_context()
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    return context


def tls_context() -> ssl.SSLContext:
    """A context that verifies the certificate and the name, trusts nobody yet, and keeps to the budget."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    return context
