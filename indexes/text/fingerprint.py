"""Which keywords are close variants of each other."""

from indexes.text.segment import words

# Words after which order carries meaning: 北京到上海 is not 上海到北京, "usd to eur" not "eur to usd".
_DIRECTED = frozenset({"到", "至", "飞", "飞往", "往", "去", "转", "换", "改", "to", "from", "into", "than", "vs"})


def fingerprint(keyword: str, parts: tuple[str, ...] | None = None) -> str:
    """A text that is equal for close variants: order of words, plural, full-width, traditional characters, spacing.

    Order is kept where a word such as 到 or `to` makes it matter. A keyword of symbols only is its own fingerprint.
    `parts` are the keyword's words, where the caller has them already.
    """
    parts = words(keyword) if parts is None else parts
    if not parts:
        return keyword
    return " ".join(parts if _DIRECTED.intersection(parts) else sorted(parts))
