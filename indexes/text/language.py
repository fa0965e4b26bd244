"""Which language a keyword is in, as far as its script tells."""

import re

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af\u1100-\u11ff]")
_LATIN = re.compile(r"[a-z]")


def language(keyword: str) -> str:
    """`zh` if a normalised keyword has Chinese characters, `en` if only Latin letters, else `other`.

    A mixed keyword such as `iphone 手机壳` is `zh`: who reads it reads Chinese. Kana or hangul make it `other`.
    """
    if _KANA_OR_HANGUL.search(keyword):
        return "other"
    if _HAN.search(keyword):
        return "zh"
    if _LATIN.search(keyword):
        return "en"
    return "other"
