"""From what somebody typed to the address of a page, or to the reason why it is refused; nothing is opened here.

There is one parser and it is strict: what browsers and libraries read in different ways is refused, not guessed. A host
is a name in the letters of domain names (other scripts as IDNA has them), a plain dotted IPv4 address, or an IPv6
address in brackets.
"""

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote

from kr.pages.networks import IPAddress, is_loopback, network_problem
from kr.pages.problems import PageError, PageProblem

MAX_ADDRESS_CHARS = 2000
PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=//|[^0-9])")
_PARTS = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ADDRESS_LIKE = re.compile(
    r"[a-z][a-z0-9+.-]*://|www\.\S+\.|(?:data|file|ftp|gopher|javascript):\S|[^\s/,，、;；]+\.[^\W\d_]{2,}/\S*$",
    re.IGNORECASE,
)
_OTHER_DOTS = str.maketrans("。．｡", "...")
_SAFE_IN_TARGET = "/%:@!$&'()*+,;=-._~[]|"
_LOCAL_SUFFIXES = frozenset(
    ("localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "arpa", "onion")
)
_NEVER_IN_ADDRESS = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"))


@dataclass(frozen=True)
class PageAddress:
    """A checked address: `host` is ASCII and lower case, `target` what follows it, `ip` the host's if it is one."""

    scheme: str
    host: str
    port: int
    target: str
    ip: IPAddress | None = None

    @property
    def authority(self) -> str:
        """The host, in brackets if it is IPv6, and the port unless it is the scheme's own: the Host header."""
        host = f"[{self.host}]" if isinstance(self.ip, IPv6Address) else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme and authority."""
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return self.origin + self.target


def parse_address(text: str, allow_loopback: bool = False) -> PageAddress:
    """The address that a text names; without a scheme it is taken for https. The part after # is dropped.

    Raises PageError with the reason if it is refused. `allow_loopback` is for tests alone: it lets 127.0.0.0/8, ::1 and
    the name localhost pass, on any port.
    """
    if len(text) > MAX_ADDRESS_CHARS:
        raise PageError(PageProblem.ADDRESS_TOO_LONG, limit=MAX_ADDRESS_CHARS)
    if "\\" in text or any(unicodedata.category(character) in _NEVER_IN_ADDRESS for character in text):
        raise PageError(PageProblem.ADDRESS_CHARACTERS)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in PORTS:
        raise PageError(PageProblem.SCHEME, scheme=scheme[1][:20])
    parts = _PARTS.fullmatch(text if scheme else f"https://{text}")
    if not parts or not parts[2]:
        raise PageError(PageProblem.ADDRESS_MALFORMED, address=text[:80])
    if "@" in parts[2]:
        raise PageError(PageProblem.ADDRESS_USER)
    host, port_text = _split_port(parts[2], text)
    host, ip = _checked_ipv6(host) if host.startswith("[") else _checked_name(host)
    loopback = allow_loopback and (host == "localhost" if ip is None else is_loopback(ip))
    if not loopback:
        if ip is None and (host.rpartition(".")[2] in _LOCAL_SUFFIXES or "." not in host):
            raise PageError(PageProblem.HOST_LOCAL, host=host)
        if ip is not None and (problem := network_problem(ip)):
            raise PageError(problem, host=host)
    name = parts[1].lower()
    port = _checked_port(port_text, PORTS[name], loopback)
    target = quote(parts[3] or "/", safe=_SAFE_IN_TARGET) + quote(parts[4] or "", safe=_SAFE_IN_TARGET + "?")
    return PageAddress(name, host, port, target, ip)


def looks_like_address(text: str) -> bool:
    """Whether a search is meant as a page's address: it has a scheme, begins with www., or is a name before a slash."""
    return _ADDRESS_LIKE.match(text) is not None


def _split_port(authority: str, text: str) -> tuple[str, str]:
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::(.+))?", authority)
    if not found:
        raise PageError(PageProblem.ADDRESS_MALFORMED, address=text[:80])
    return found[1], found[2] or ""


def _checked_port(text: str, default: int, any_port: bool) -> int:
    if not text:
        return default
    if re.fullmatch(r"[1-9][0-9]{0,4}", text) and (int(text) in PORTS.values() or (any_port and int(text) < 65536)):
        return int(text)
    raise PageError(PageProblem.PORT, port=text[:20])


def _checked_ipv6(host: str) -> tuple[str, IPAddress]:
    try:
        # Without a zone: "%" leads to an interface of this machine.
        address = IPv6Address(host[1:-1] if "%" not in host else "")
    except AddressValueError:
        raise PageError(PageProblem.HOST_SPELLING, host=host[:60]) from None
    return str(address), address


def _checked_name(host: str) -> tuple[str, IPAddress | None]:
    """The host in ASCII, and its address if it is one. A number in any but the plain spelling is refused."""
    name = host.lower() if host.isascii() else _ascii_name(host)
    name_without_dot = name.removesuffix(".")
    labels = name_without_dot.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            address = IPv4Address(host)
        except AddressValueError:
            raise PageError(PageProblem.HOST_SPELLING, host=host[:60]) from None
        if str(address) != host:
            raise PageError(PageProblem.HOST_SPELLING, host=host[:60])
        return host, address
    if len(name_without_dot) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise PageError(PageProblem.HOST_DISGUISED, host=host[:60])
    if any(label.startswith("xn--") for label in labels) and host.isascii():
        _ascii_name(name_without_dot)
    return name_without_dot, None


def _ascii_name(host: str) -> str:
    """The ASCII form of a name in any script, by UTS 46 and IDNA 2008; refused if it disguises an ASCII name."""
    import idna

    try:
        encoded = idna.encode(host, uts46=True, std3_rules=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        raise PageError(PageProblem.HOST_DISGUISED, host=host[:60]) from None
    typed = host.translate(_OTHER_DOTS).split(".")
    # ⓔxample and full-width １２７ become plain ASCII: no site is named so, only somebody who hides a name.
    for label, plain in zip(typed, encoded.split("."), strict=False):
        if not label.isascii() and not plain.startswith("xn--"):
            is_number = _NUMBER.fullmatch(encoded.removesuffix(".").split(".")[-1])
            raise PageError(PageProblem.HOST_SPELLING if is_number else PageProblem.HOST_DISGUISED, host=host[:60])
    if len(typed) != len(encoded.split(".")):
        raise PageError(PageProblem.HOST_DISGUISED, host=host[:60])
    return encoded
