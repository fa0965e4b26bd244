"""What is refused before a socket opens, in every spelling; two other guards and `ipaddress` are the oracles."""

import ipaddress
import socket

import pytest
from AntiSSRF.antissrf_policy import AntiSSRFPolicy, PolicyConfigOptions
from hypothesis import example, given
from hypothesis import strategies as st
from ssrfguard import Policy, SSRFGuardError

from kr.pages.address import MAX_ADDRESS_CHARS, looks_like_address, parse_address
from kr.pages.fetch import PageFetcher
from kr.pages.networks import network_problem
from kr.pages.problems import PROBLEM_TEXTS, PageError, PageProblem

REFUSED = [
    ("http://127.0.0.1/", PageProblem.NETWORK_LOOPBACK),
    ("http://2130706433/", PageProblem.HOST_SPELLING),
    ("http://0177.0.0.1/", PageProblem.HOST_SPELLING),
    ("http://0x7f.0.0.1/", PageProblem.HOST_SPELLING),
    ("http://0x7f000001/", PageProblem.HOST_SPELLING),
    ("http://127.1/", PageProblem.HOST_SPELLING),
    ("http://127.0.0.1./", PageProblem.HOST_SPELLING),
    ("http://127.0.0.01/", PageProblem.HOST_SPELLING),
    ("http://１２７.0.0.1/", PageProblem.HOST_SPELLING),
    ("http://①②⑦.0.0.1/", PageProblem.HOST_SPELLING),
    ("http://127。0。0。1/", PageProblem.HOST_SPELLING),
    ("http://٣.0.0.1/", PageProblem.HOST_DISGUISED),
    ("http://8.8.8.8.8/", PageProblem.HOST_SPELLING),
    ("http://0/", PageProblem.HOST_SPELLING),
    ("http://0.0.0.0/", PageProblem.NETWORK_LOOPBACK),
    ("http://10.1.2.3/", PageProblem.NETWORK_PRIVATE),
    ("http://172.31.255.255/", PageProblem.NETWORK_PRIVATE),
    ("http://192.168.0.1/", PageProblem.NETWORK_PRIVATE),
    ("http://169.254.1.1/", PageProblem.NETWORK_LINK_LOCAL),
    ("http://169.254.169.254/latest/meta-data/", PageProblem.NETWORK_METADATA),
    ("http://100.100.100.200/", PageProblem.NETWORK_METADATA),
    ("http://168.63.129.16/", PageProblem.NETWORK_METADATA),
    ("http://100.64.0.1/", PageProblem.NETWORK_CARRIER),
    ("http://224.0.0.1/", PageProblem.NETWORK_MULTICAST),
    ("http://240.0.0.1/", PageProblem.NETWORK_RESERVED),
    ("http://255.255.255.255/", PageProblem.NETWORK_RESERVED),
    ("http://[::1]/", PageProblem.NETWORK_LOOPBACK),
    ("http://[::]/", PageProblem.NETWORK_LOOPBACK),
    ("http://[::ffff:8.8.8.8]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[::127.0.0.1]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[::ffff:0:7f00:1]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[64:ff9b::7f00:1]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[64:ff9b:1::7f00:1]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[2002:7f00:1::]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[2001:0:7f00:1::]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[2606:4700::5efe:7f00:1]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[2606:4700::200:5efe:7f00:1]/", PageProblem.NETWORK_EMBEDDED),
    ("http://[fd00:ec2::254]/", PageProblem.NETWORK_METADATA),
    ("http://[fc00::1]/", PageProblem.NETWORK_PRIVATE),
    ("http://[fe80::1]/", PageProblem.NETWORK_LINK_LOCAL),
    ("http://[ff02::1]/", PageProblem.NETWORK_MULTICAST),
    ("http://[fe80::1%25eth0]/", PageProblem.HOST_SPELLING),
    ("http://[1:2]/", PageProblem.HOST_SPELLING),
    ("http://localhost/", PageProblem.HOST_LOCAL),
    ("http://LOCALHOST./", PageProblem.HOST_LOCAL),
    ("http://a.localhost/", PageProblem.HOST_LOCAL),
    ("http://printer.local/", PageProblem.HOST_LOCAL),
    ("http://metadata.google.internal/", PageProblem.HOST_LOCAL),
    ("http://intranet/", PageProblem.HOST_LOCAL),
    ("http://ｌocalhost/", PageProblem.HOST_DISGUISED),
    ("http://ⓔxample.com/", PageProblem.HOST_DISGUISED),
    ("http://exa%6dple.com/", PageProblem.HOST_DISGUISED),
    ("http://a..b/", PageProblem.HOST_DISGUISED),
    ("http://xn--localhost-.com/", PageProblem.HOST_DISGUISED),
    ("http://-a.com/", PageProblem.HOST_DISGUISED),
    ("http://user@example.com/", PageProblem.ADDRESS_USER),
    ("http://127.0.0.1:80@example.com/", PageProblem.ADDRESS_USER),
    ("http://example.com\\@127.0.0.1/", PageProblem.ADDRESS_CHARACTERS),
    ("http://example.com/\r\nHost: x", PageProblem.ADDRESS_CHARACTERS),
    ("http://example.com/a b", PageProblem.ADDRESS_CHARACTERS),
    ("http://exam\u200bple.com/", PageProblem.ADDRESS_CHARACTERS),
    ("http://example.com:8080/", PageProblem.PORT),
    ("http://example.com:080/", PageProblem.PORT),
    ("http://example.com:22/", PageProblem.PORT),
    ("ftp://example.com/", PageProblem.SCHEME),
    ("file:///etc/passwd", PageProblem.SCHEME),
    ("javascript:alert(1)", PageProblem.SCHEME),
    ("gopher://127.0.0.1:70/", PageProblem.SCHEME),
    ("http:///path", PageProblem.ADDRESS_MALFORMED),
    ("//example.com", PageProblem.ADDRESS_MALFORMED),
    ("http:example.com", PageProblem.ADDRESS_MALFORMED),
    ("http://example.com:", PageProblem.ADDRESS_MALFORMED),
    ("", PageProblem.ADDRESS_MALFORMED),
    ("http://example.com/" + "a" * MAX_ADDRESS_CHARS, PageProblem.ADDRESS_TOO_LONG),
]


@pytest.mark.parametrize(("text", "problem"), REFUSED, ids=[text[:40] for text, _ in REFUSED])
def test_bad_addresses_are_refused_with_their_reason_and_no_socket_is_touched(
    text: str, problem: PageProblem, connections: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    fetcher = PageFetcher("test")
    with pytest.raises(PageError) as refusal:
        fetcher.fetch(fetcher.parse(text))
    assert refusal.value.problem is problem
    assert refusal.value.refused
    assert connections == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("example.com", "https://example.com/"),
        ("HTTP://Example.COM:80/a?b=c#d", "http://example.com/a?b=c"),
        ("https://example.com:443", "https://example.com/"),
        ("http://例子.中国/路径?q=词", "http://xn--fsqu00a.xn--fiqs8s/%E8%B7%AF%E5%BE%84?q=%E8%AF%8D"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("https://example.com./", "https://example.com/"),
    ],
)
def test_public_addresses_pass_in_one_spelling(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


IPV4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
SPECIAL = st.sampled_from(
    [block for text in ("127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "172.16.0.0/12",
                        "100.64.0.0/10", "224.0.0.0/4", "0.0.0.0/8", "240.0.0.0/4", "198.18.0.0/15",
                        "192.0.0.0/24", "203.0.113.0/24")
     for block in [ipaddress.IPv4Network(text)]]
).flatmap(lambda block: st.integers(0, block.num_addresses - 1).map(lambda at: block[at]))  # fmt: skip
_DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")


def spellings(address: ipaddress.IPv4Address) -> list[str]:
    """An IPv4 address in the ways that some parser somewhere takes for it."""
    number, parts = int(address), address.packed
    return [
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(part) for part in parts),
        ".".join(f"0{part:03o}" for part in parts),
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        str(address).translate(_DIGITS),
        str(address).replace(".", "。"),
        f"{address}.",
        f"0{address}",
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::]",
        f"[2001:0:{number >> 16:x}:{number & 0xFFFF:x}::]",
        f"[2001:0:1:1::{(number ^ 0xFFFFFFFF) >> 16:x}:{(number ^ 0xFFFFFFFF) & 0xFFFF:x}]",
        f"[2606:4700::5efe:{address}]",
    ]


@given(IPV4 | SPECIAL, st.data())
def test_no_unusual_spelling_of_an_ipv4_address_passes_not_even_of_a_public_one(
    address: ipaddress.IPv4Address, data: st.DataObject
) -> None:
    with pytest.raises(PageError) as refusal:
        parse_address(f"http://{data.draw(st.sampled_from(spellings(address)))}/")
    assert refusal.value.refused


@given(IPV4 | SPECIAL | st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
@example(ipaddress.IPv6Address("2000::"))
def test_only_addresses_that_ipaddress_calls_global_unicast_pass(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if network_problem(address) is None:
        assert address.is_global
        assert not (address.is_private or address.is_multicast or address.is_reserved or address.is_loopback)
        assert not (address.is_link_local or address.is_unspecified)
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        assert network_problem(address) is PageProblem.NETWORK_EMBEDDED


BLOCKS = st.sampled_from(
    ["64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48",
     "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "::/96", "::ffff:0:0/96", "2000::/3"]
).map(ipaddress.IPv6Network).flatmap(
    lambda block: st.integers(0, block.num_addresses - 1).map(lambda at: block[at])
)  # fmt: skip
SSRFGUARD = Policy()
ANTISSRF = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)


@given(IPV4 | SPECIAL | BLOCKS | st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
def test_whatever_network_address_two_other_guards_refuse_is_refused(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    refused = not SSRFGUARD.permits_address(address) or not ANTISSRF._is_str_ip_address_connection_allowed(str(address))
    assert network_problem(address) is not None or not refused


HOSTS = (
    st.sampled_from(["example.com", "LOCALHOST", "a.localhost", "x.internal", "8.8.8.8", "[2606:4700::1111]", "ⓔ.com"])
    | (IPV4 | SPECIAL).flatmap(lambda address: st.sampled_from([str(address), *spellings(address)]))
    | st.from_regex(r"[a-z0-9.%-]{1,20}", fullmatch=True)
)


@given(
    st.sampled_from(["http", "https", "HTTP", "ftp", "file"]),
    st.sampled_from(["", "user@", "user:pass@"]),
    HOSTS,
    st.sampled_from(["", ":80", ":443", ":22", ":0", ":99999", ":"]),
    st.sampled_from(["/", "", "/a\\b", "/a\tb", "/\x00", "/a?b#c"]),
)
def test_whatever_address_another_guard_refuses_is_refused(
    scheme: str, user: str, host: str, port: str, path: str
) -> None:
    text = f"{scheme}://{user}{host}{port}{path}"
    try:
        parse_address(text)
    except PageError:
        return
    try:
        target = SSRFGUARD.check_url(text)
    except SSRFGuardError as error:
        pytest.fail(f"{text}: {error}")
    assert target.host.lower().strip("[]") == parse_address(text).host


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_is_refused_with_both_texts(text: str) -> None:
    try:
        address = parse_address(text)
    except PageError as error:
        assert error.refused
        assert error.text_en
        assert error.text_zh
        return
    assert str(parse_address(str(address))) == str(address)
    assert address.scheme in ("http", "https")
    assert str(address).isascii()


def test_every_problem_has_texts_in_both_languages_that_say_what_to_do() -> None:
    for problem in PageProblem:
        texts = PROBLEM_TEXTS[problem]
        assert all(texts)
        assert any("\u4e00" <= character <= "\u9fff" for character in texts[2] + texts[3])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://example.com", True),
        ("www.example.com", True),
        ("example.com/shoes", True),
        ("file:///etc/passwd", True),
        ("鲜花", False),
        ("node.js", False),
        ("tcp/ip", False),
        ("red, example.com/shoes", False),
        ("1.5/2.0", False),
    ],
)
def test_what_is_typed_into_the_search_box_is_an_address_or_keywords(text: str, address: bool) -> None:
    assert looks_like_address(text) is address


def test_the_test_switch_lets_loopback_pass_and_nothing_else() -> None:
    assert str(parse_address("http://127.0.0.1:9/", allow_loopback=True)) == "http://127.0.0.1:9/"
    assert str(parse_address("http://[::1]:9/", allow_loopback=True)) == "http://[::1]:9/"
    for text, problem in REFUSED:
        if problem not in (PageProblem.NETWORK_LOOPBACK, PageProblem.HOST_LOCAL) and "127.0.0.1" not in text:
            with pytest.raises(PageError):
                parse_address(text, allow_loopback=True)
    for text in ("http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/", "http://a.localhost/"):
        with pytest.raises(PageError):
            parse_address(text, allow_loopback=True)
