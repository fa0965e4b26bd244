"""A page's markup made harmless for the parser: bounded in depth and number of elements, without scripts and styles.

An HTML5 parser takes time quadratic in the depth of the tree (46 s for 100,000 nested elements), and a few hundred
unclosed formatting elements are repeated in every paragraph that follows, so that a small page fills the memory. So
start tags beyond the bounds are left out before parsing; their text stays. One pass, in time linear in the page.
"""

import re
from dataclasses import dataclass

MAX_DEPTH = 200
MAX_FORMATTING_DEPTH = 16
MAX_TAGS = 60_000
_TAG = re.compile(r"<(?:!--|(/?)([A-Za-z][^\s/>]*))")


def _elements(names: str) -> frozenset[str]:
    return frozenset(names.split())


_VOID = _elements("area base br col embed hr img input link meta param source track wbr ")
# A later one ends an earlier one, so that unclosed ones are siblings and not nested.
_CLOSED_BY_NEXT = _elements(
    "p li dt dd option optgroup tr td th thead tbody tfoot colgroup caption rt rp head body html "
)
_FORMATTING = _elements("a b big code em font i nobr s small strike strong tt u ")
_RAW = _elements("script style textarea title iframe noembed noframes xmp plaintext ")
_DROPPED_RAW = _elements("style iframe noembed noframes xmp plaintext textarea ")


@dataclass(frozen=True)
class BoundedMarkup:
    """Markup to parse, the characters of script that were left out, and whether any bound was met."""

    html: str
    script_chars: int
    cut: bool


def bounded_markup(html: str) -> BoundedMarkup:
    """The markup without comments, styles and scripts (but for JSON-LD), within the bounds on depth and number."""
    kept: list[str] = []
    depth = formatting = tags = script_chars = 0
    cut = False
    done = at = 0
    while match := _TAG.search(html, at):
        start = match.start()
        if match[2] is None:
            kept.append(html[done:start])
            end = html.find("-->", start + 2)
            done = at = len(html) if end < 0 else end + 3
            continue
        name = match[2].lower()
        tags += 1
        if tags > MAX_TAGS:
            kept.append(html[done:start])
            return BoundedMarkup("".join(kept), script_chars, True)
        end = html.find(">", match.end())
        at = len(html) if end < 0 else end + 1
        if match[1]:
            if name not in _VOID and name not in _CLOSED_BY_NEXT:
                depth = max(depth - 1, 0)
                formatting = max(formatting - 1, 0) if name in _FORMATTING else formatting
            continue
        if name in _RAW:
            close = re.compile(rf"</{name}", re.IGNORECASE).search(html, at)
            inside = html[at : close.start() if close else len(html)]
            is_data = name == "script" and "ld+json" in html[start:at].lower()
            if name in _DROPPED_RAW or (name == "script" and not is_data):
                script_chars += len(inside) + len(html[start:at]) if name == "script" else 0
                kept.append(html[done:start])
                done = close.start() if close else len(html)
                # The end tag goes too.
                ended = html.find(">", done)
                done = len(html) if ended < 0 else ended + 1
                at = done
            else:
                at = close.start() if close else len(html)
                depth += 1
            continue
        if name in _VOID or name in _CLOSED_BY_NEXT:
            continue
        if depth >= MAX_DEPTH or (name in _FORMATTING and formatting >= MAX_FORMATTING_DEPTH):
            kept.append(html[done:start])
            done = at
            cut = True
            continue
        if html[at - 2 : at] == "/>" and name in ("path", "rect", "circle", "use", "g", "svg"):
            continue
        depth += 1
        formatting += name in _FORMATTING
    kept.append(html[done:])
    return BoundedMarkup("".join(kept), script_chars, cut)
