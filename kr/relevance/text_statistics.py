"""What a relevance model knows about language before it sees a label: fitted on unlabelled text, kept with the model.

Fitted on the distinct texts of the training pairs and on corpora. A token seen in fewer than `LEAST_TEXTS` texts counts
as unknown, so that training meets unknown tokens as often as serving does. No pickle: `.npy` arrays and JSON.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.arrays import Array, ArrayFolder, write_array, write_json
from indexes.text import normalise, tokens
from indexes.vocabulary import StringList, write_strings
from kr.relevance.encoding import CODE_POINTS, encode_characters

LEAST_TEXTS = 2
NO_PINYIN = 0


@dataclass(frozen=True)
class TextStatistics:
    """Statistics by token row (the last row: unknown tokens) and by 16-bit code point.

    `idf` and `log_probability` float32 (V + 1,); `char_idf` float32 (65536,); `pinyin` uint16 (65536,), the syllable
    without tone of each Chinese character, 0 for other characters.
    """

    vocabulary: dict[str, int]
    texts: int
    mean_tokens: float
    mean_chars: float
    idf: Array
    log_probability: Array
    char_idf: Array
    pinyin: Array

    def write(self, folder: Path) -> None:
        """Write below `folder/text`."""
        write_strings(folder, "text/vocabulary", list(self.vocabulary))
        for name in ("idf", "log_probability", "char_idf", "pinyin"):
            write_array(folder, f"text/{name}.npy", getattr(self, name))
        facts = {"texts": self.texts, "mean_tokens": self.mean_tokens, "mean_chars": self.mean_chars}
        write_json(folder, "text/facts.json", facts)

    @staticmethod
    def read(folder: Path) -> "TextStatistics":
        """Read what `write` wrote."""
        reader = ArrayFolder(folder)
        facts = reader.json("text/facts.json")
        words = list(StringList(reader, "text/vocabulary"))
        names = ("idf", "log_probability", "char_idf", "pinyin")
        arrays = {name: np.ascontiguousarray(reader.array(f"text/{name}.npy")) for name in names}
        return TextStatistics(
            vocabulary={word: row for row, word in enumerate(words)},
            texts=int(facts["texts"]),
            mean_tokens=float(facts["mean_tokens"]),
            mean_chars=float(facts["mean_chars"]),
            **arrays,
        )


def fit_text_statistics(texts: Iterable[str]) -> TextStatistics:
    """Statistics of these texts, which need not be normalised or distinct; repeats count once."""
    distinct = sorted({normalise(text) for text in texts} - {""})
    holders: Counter[str] = Counter()
    occurrences: Counter[str] = Counter()
    char_holders = np.zeros(CODE_POINTS, np.int64)
    token_total = 0
    offsets, chars = encode_characters(distinct)
    for place, text in enumerate(distinct):
        found = tokens(text)
        occurrences.update(found)
        holders.update(set(found))
        char_holders[np.unique(chars[offsets[place] : offsets[place + 1]])] += 1
        token_total += len(found)
    count = max(len(distinct), 1)
    known = sorted(token for token, seen in holders.items() if seen >= LEAST_TEXTS)
    seen_in = np.array([holders[token] for token in known] + [1], np.float64)
    rare = sum(number for token, number in occurrences.items() if holders[token] < LEAST_TEXTS)
    kinds_rare = max(len(occurrences) - len(known), 1)
    times = np.array([occurrences[token] for token in known] + [max(rare / kinds_rare, 1)], np.float64)
    return TextStatistics(
        vocabulary={token: row for row, token in enumerate(known)},
        texts=len(distinct),
        mean_tokens=max(token_total / count, 1.0),
        mean_chars=max(len(chars) / count, 1.0),
        idf=np.log1p(count / seen_in).astype(np.float32),
        log_probability=np.log(times / max(token_total, 1)).astype(np.float32),
        char_idf=np.log1p(count / np.maximum(char_holders, 1)).astype(np.float32),
        pinyin=pinyin_table(),
    )


def pinyin_table() -> Array:
    """The syllable of each 16-bit code point without its tone, as a number; uint16 (65536,)."""
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    table = np.full(CODE_POINTS, NO_PINYIN, np.uint16)
    numbers: dict[str, int] = {}
    syllables: dict[str, str] = {}
    for code in sorted(PINYIN_DICT):
        if code < CODE_POINTS:
            toned = PINYIN_DICT[code].split(",")[0]
            syllable = syllables.get(toned) or syllables.setdefault(toned, to_normal(toned))
            table[code] = numbers.setdefault(syllable, len(numbers) + 1)
    return table
