"""Which characters the bytes of a page are, as browsers find out, with what Chinese sites get wrong set right.

Order: a byte order mark; what the header or the page itself declares, if the bytes fit it; UTF-8 if they fit that; and
GB18030, the superset of GBK and GB2312, where they are mostly pairs of it. GB2312 and GBK are always read as GB18030.
"""

import codecs
import re

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE
)
_NEVER_MEANT = re.compile("[\ufffd\x80-\x9f]")
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_SUPERSETS = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "hz": "gb18030",
    "iso8859-1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252", "big5": "big5hkscs", "shift_jis": "cp932",
    "euc_kr": "cp949", "iso8859-9": "cp1254",
}  # fmt: skip
_UNPACKING = frozenset(("base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "idna", "punycode", "unicode_escape",
                        "raw_unicode_escape", "undefined", "mbcs", "oem"))  # fmt: skip
DECLARED_WITHIN = 4096
"""Bytes of the page in which a declaration is looked for; browsers look in 1,024, many pages need more."""
MOST_WRONG = 0.03
"""Share of characters beyond ASCII that may be wrong before a charset is not believed: a page is often put together
from parts of which one is broken."""


def decode_page(body: bytes, content_type: str = "") -> tuple[str, str]:
    """The text of a page and the name of the charset that it was read as. Never fails: what fits nothing is marked."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace"), name
    for declared in _declarations(body, content_type):
        text = body.decode(declared, "replace")
        if _wrong(text) <= MOST_WRONG:
            return text, declared
    candidates = [(body.decode(name, "replace"), name) for name in ("utf-8", "gb18030", "cp1252")]
    text, name = min(candidates[:2], key=lambda candidate: _wrong(candidate[0]))
    return (text, name) if _wrong(text) <= MOST_WRONG else candidates[2]


def _declarations(body: bytes, content_type: str) -> list[str]:
    """The charsets that the header and the page declare, in that order, by Python's names; unknown ones left out."""
    names = [match[1] for match in [_HEADER.search(content_type)] if match]
    names += [match.decode("ascii") for match in _DECLARED.findall(body[:DECLARED_WITHIN])]
    found = []
    for name in names:
        try:
            canonical = codecs.lookup(name).name
        except LookupError:
            continue
        if canonical not in _UNPACKING and not canonical.startswith("utf-16"):
            found.append(_SUPERSETS.get(canonical, canonical))
    return list(dict.fromkeys(found))


def _wrong(text: str) -> float:
    """The share of characters that no page of this charset would hold: what did not decode, and control characters."""
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return len(_NEVER_MEANT.findall(text)) / beyond_ascii if beyond_ascii else 0.0
