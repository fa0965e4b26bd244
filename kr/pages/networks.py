"""Which network addresses a page may be fetched from: only those of the public internet, by tables of our own.

`ipaddress.is_global` is not enough: it calls NAT64 and some multicast addresses global, it differs between releases of
Python, and it cannot know the addresses at which clouds answer their own machines. IPv6 is allowed only inside
2000::/3, less the blocks in it that are special or carry an IPv4 address. Sources: the IANA special-purpose registries,
RFC 6890, RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 5214 (ISATAP).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from kr.pages.problems import PageProblem

IPAddress = IPv4Address | IPv6Address

# The narrower block stands before the wider one.
_IPV4 = tuple(
    (IPv4Network(block), problem)
    for block, problem in (
        ("169.254.169.254/32", PageProblem.NETWORK_METADATA),
        ("100.100.100.200/32", PageProblem.NETWORK_METADATA),
        ("168.63.129.16/32", PageProblem.NETWORK_METADATA),
        ("192.0.0.192/32", PageProblem.NETWORK_METADATA),
        ("0.0.0.0/8", PageProblem.NETWORK_LOOPBACK),
        ("127.0.0.0/8", PageProblem.NETWORK_LOOPBACK),
        ("10.0.0.0/8", PageProblem.NETWORK_PRIVATE),
        ("172.16.0.0/12", PageProblem.NETWORK_PRIVATE),
        ("192.168.0.0/16", PageProblem.NETWORK_PRIVATE),
        ("169.254.0.0/16", PageProblem.NETWORK_LINK_LOCAL),
        ("100.64.0.0/10", PageProblem.NETWORK_CARRIER),
        ("224.0.0.0/4", PageProblem.NETWORK_MULTICAST),
        ("192.0.0.0/24", PageProblem.NETWORK_RESERVED),
        ("192.0.2.0/24", PageProblem.NETWORK_RESERVED),
        ("192.31.196.0/24", PageProblem.NETWORK_RESERVED),
        ("192.52.193.0/24", PageProblem.NETWORK_RESERVED),
        ("192.88.99.0/24", PageProblem.NETWORK_RESERVED),
        ("192.175.48.0/24", PageProblem.NETWORK_RESERVED),
        ("198.18.0.0/15", PageProblem.NETWORK_RESERVED),
        ("198.51.100.0/24", PageProblem.NETWORK_RESERVED),
        ("203.0.113.0/24", PageProblem.NETWORK_RESERVED),
        ("240.0.0.0/4", PageProblem.NETWORK_RESERVED),
    )
)
_IPV6 = tuple(
    (IPv6Network(block), problem)
    for block, problem in (
        ("fd00:ec2::254/128", PageProblem.NETWORK_METADATA),
        ("fd20:ce::254/128", PageProblem.NETWORK_METADATA),
        ("::/128", PageProblem.NETWORK_LOOPBACK),
        ("::1/128", PageProblem.NETWORK_LOOPBACK),
        ("::/96", PageProblem.NETWORK_EMBEDDED),  # compatible
        ("::ffff:0:0/96", PageProblem.NETWORK_EMBEDDED),  # mapped
        ("::ffff:0:0:0/96", PageProblem.NETWORK_EMBEDDED),  # translated (RFC 2765)
        ("64:ff9b::/96", PageProblem.NETWORK_EMBEDDED),  # NAT64
        ("64:ff9b:1::/48", PageProblem.NETWORK_EMBEDDED),  # NAT64 of a local network
        ("2001::/32", PageProblem.NETWORK_EMBEDDED),  # Teredo
        ("2002::/16", PageProblem.NETWORK_EMBEDDED),  # 6to4
        ("fc00::/7", PageProblem.NETWORK_PRIVATE),
        ("fe80::/10", PageProblem.NETWORK_LINK_LOCAL),
        ("fec0::/10", PageProblem.NETWORK_PRIVATE),
        ("ff00::/8", PageProblem.NETWORK_MULTICAST),
        ("2001::/23", PageProblem.NETWORK_RESERVED),
        ("2001:db8::/32", PageProblem.NETWORK_RESERVED),
        ("2620:4f:8000::/48", PageProblem.NETWORK_RESERVED),
        ("3fff::/20", PageProblem.NETWORK_RESERVED),
    )
)
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_ISATAP = 0x00005EFE
_ISATAP_GLOBAL_BIT = 0x02000000


def network_problem(address: IPAddress) -> PageProblem | None:
    """Why nothing may be fetched from an address, or None if it is one of the public internet."""
    if isinstance(address, IPv4Address):
        found = next((problem for block, problem in _IPV4 if address in block), None)
        return found or (None if address.is_global else PageProblem.NETWORK_RESERVED)
    if address.scope_id is not None:
        return PageProblem.NETWORK_LINK_LOCAL
    if int(address) >> 32 & 0xFFFFFFFF & ~_ISATAP_GLOBAL_BIT == _ISATAP:
        return PageProblem.NETWORK_EMBEDDED
    found = next((problem for block, problem in _IPV6 if address in block), None)
    return found or (None if address in _PUBLIC_IPV6 and address.is_global else PageProblem.NETWORK_RESERVED)


def is_loopback(address: IPAddress) -> bool:
    """Whether an address is 127.0.0.0/8 or ::1, which the test switch allows; 0.0.0.0 and mapped ones are not."""
    return address in IPv4Network("127.0.0.0/8") if isinstance(address, IPv4Address) else int(address) == 1
