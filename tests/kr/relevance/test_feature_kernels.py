"""Every feature of the kernels against a plain Python twin on random pairs."""

import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq, Levenshtein

from indexes.arrays import Array
from indexes.text import normalise, tokens
from indexes.text.segment import simplified
from kr.relevance.encoding import LATIN, NUMBER, ONE_CHARACTER, encode_characters, spelling_signature, token_kind
from kr.relevance.feature_list import EXCHANGE_AXES, KERNEL_FEATURES, term_feature_list
from kr.relevance.features import encode_pairs, pair_features
from kr.relevance.lexicons import Lexicons
from kr.relevance.synonyms import PLACE_BITS, RELATION_BITS, SynonymGroup, sense_of
from kr.relevance.terms import NamedTerms
from kr.relevance.text_knowledge import TextKnowledge
from kr.relevance.text_statistics import TextStatistics


def sense_named(code: str) -> int:
    """The sense of a group with this code."""
    return sense_of(re.fullmatch(r"(.)(.)(..)(.)(..)(.)", code))


CORPUS = ["鲜花速递北京", "北京鲜花店", "鲜花价格多少钱", "red running shoes 42", "running shoe sale", "北京英语培训",
          "英语培训价格", "42码跑鞋", "跑鞋价格", "鲜花店价格", "red shoes", "北京跑鞋"]  # fmt: skip
GROUPS = [SynonymGroup(sense, words) for sense, words in (
    (sense_named("Bh02A01="), ("鲜花", "花", "flower")),
    (sense_named("Bh02A07#"), ("跑鞋", "shoe", "鲜花店")),
    (sense_named("Bh02B07@"), ("价格",)),
    (sense_named("Dj06A01="), ("价格", "价", "running")),
    (sense_named("Ca10A07="), ("鲜花",)),
    (9 << PLACE_BITS << RELATION_BITS, ("red", "42")),
    (10 << PLACE_BITS << RELATION_BITS, ("red", "价")),
)]  # fmt: skip
TERMS = (
    NamedTerms("brand", ((("red", "shoe"),), (("red",), ("跑鞋",)), (("鲜花", "42", "跑鞋"), ("4", "42")))),
    NamedTerms("place", ((("北京",), ("shoe",)), (("京北",),), (("red",),))),
)
KNOWLEDGE = TextKnowledge.fit(CORPUS, 4, Lexicons.of(GROUPS, TERMS))
STATISTICS, VECTORS = KNOWLEDGE.statistics, KNOWLEDGE.vectors
FEATURES = (*KERNEL_FEATURES, *term_feature_list(["brand", "place"]))

PIECES = ["鲜花", "北京", "花", "京北", "价格", "价", "跑鞋", "先花", "鮮花", "red", "shoes", "running", "flower",
          "4", "42", "x1", " ", "?"]  # fmt: skip
pieces = st.sampled_from(PIECES)
texts = st.lists(pieces, min_size=0, max_size=30).map("".join)


def runs(flags: list[bool]) -> list[int]:
    """Lengths of the runs of True."""
    lengths, current = [], 0
    for flag in [*flags, False]:
        if flag:
            current += 1
        elif current:
            lengths.append(current)
            current = 0
    return lengths


def share(part: float, whole: float) -> float:
    return part / max(whole, 1)


def longest_common(q: list[int], k: list[int]) -> tuple[int, int]:
    """Length of the longest common substring, and where in q its first occurrence seen in k ends."""
    best, end = 0, 0
    for j in range(len(k)):
        for i in range(len(q) - 1, -1, -1):
            length = 0
            while length <= min(i, j) and q[i - length] == k[j - length]:
                length += 1
            if length > best:
                best, end = length, i
    return best, end


def character_twin(q: list[int], k: list[int], statistics: TextStatistics) -> dict[str, float]:
    whole = q
    q = q[:64]
    idf = statistics.char_idf
    m, n = len(q), len(k)
    in_k, in_q = [c in set(k) for c in q], [c in set(q) for c in k]
    grams = {size: tuple([tuple(some[i : i + size]) for i in range(len(some) - size + 1)] for some in (q, k))
             for size in (2, 3)}  # fmt: skip
    two_q, two_k = ([g in set(grams[2][1]) for g in grams[2][0]], [g in set(grams[2][0]) for g in grams[2][1]])
    three_q, three_k = ([g in set(grams[3][1]) for g in grams[3][0]], [g in set(grams[3][0]) for g in grams[3][1]])
    missed_q = [float(idf[c]) for c, found in zip(q, in_k, strict=True) if not found]
    missed_k = [float(idf[c]) for c, found in zip(k, in_q, strict=True) if not found]
    all_q, all_k = sum(float(idf[c]) for c in q), sum(float(idf[c]) for c in k)
    distance = Levenshtein.distance(q, k)
    common, end = longest_common(q, k)
    sound = [int(statistics.pinyin[c]) or -c for c in q], [int(statistics.pinyin[c]) or -c for c in k]
    sounded = [s in set(sound[1]) for s in sound[0]]
    found = [place for place, flag in enumerate(in_q) if flag]
    shorter = min(len(whole), n)
    prefix = next((i for i in range(shorter) if whole[i] != k[i]), shorter)
    suffix = next((i for i in range(shorter) if whole[-1 - i] != k[-1 - i]), shorter)
    return {
        "q_chars": m,
        "k_chars": n,
        "extra_chars": n - m,
        "char_ratio": share(max(min(m, n), 1), max(m, n)),
        "q_chars_found": sum(in_k),
        "q_char_share": share(sum(in_k), m),
        "k_char_share": share(sum(in_q), n),
        "q_chars_missed": m - sum(in_k),
        "k_chars_missed": n - sum(in_q),
        "bigrams_found": sum(two_k),
        "q_bigram_share": share(sum(two_q), m - 1),
        "k_bigram_share": share(sum(two_k), n - 1),
        "q_trigram_share": share(sum(three_q), m - 2),
        "k_trigram_share": share(sum(three_k), n - 2),
        "q_char_idf_share": 1 - sum(missed_q) / all_q if all_q else 0,
        "k_char_idf_share": 1 - sum(missed_k) / all_k if all_k else 0,
        "q_char_idf_missed": sum(missed_q),
        "k_char_idf_missed": sum(missed_k),
        "q_char_heaviest_missed": max(missed_q, default=0),
        "k_char_heaviest_missed": max(missed_k, default=0),
        "edit_distance": distance,
        "edit_similarity": 1 - share(distance, max(m, n)),
        "subsequence_similarity": share(2 * LCSseq.similarity(q, k), m + n),
        "q_subsequence_share": share(LCSseq.similarity(q, k), m),
        "longest_common": common,
        "longest_common_share": share(common, min(m, n)),
        "longest_ends_q": bool(common) and end + 1 == m,
        "common_prefix": prefix,
        "common_suffix": suffix,
        "equal": whole == k,
        "contained": common == max(min(m, n), 1),
        "first_found": found[0] / n if found else 1,
        "last_found": (found[-1] + 1) / n if found else 0,
        "q_missed_runs": len(runs([not flag for flag in in_k])),
        "k_missed_runs": len(runs([not flag for flag in in_q])),
        "q_longest_missed": max(runs([not flag for flag in in_k]), default=0),
        "k_longest_missed": max(runs([not flag for flag in in_q]), default=0),
        "q_pinyin_share": share(sum(sounded), m),
        "pinyin_similarity": share(2 * LCSseq.similarity(*sound), m + n),
        "homophone_share": share(sum(sounded) - sum(in_k), m),
    }


def token_twin(q: tuple[str, ...], k: tuple[str, ...], statistics: TextStatistics) -> dict[str, float]:
    q, k = q[:64], k[:64]
    m, n = len(q), len(k)
    row = lambda token: statistics.vocabulary.get(token, len(statistics.vocabulary))  # noqa: E731
    idf = lambda token: float(statistics.idf[row(token)])  # noqa: E731
    probability = lambda token: math.exp(statistics.log_probability[row(token)])  # noqa: E731
    count = Counter(k)
    in_k, in_q = [token in k for token in q], [token in q for token in k]
    missed_q = [token for token in q if token not in k]
    missed_k = [token for token in k if token not in q]
    found_idf = sum(idf(token) for token in q if token in k)
    q_idf, k_idf = sum(map(idf, q)), sum(map(idf, k))
    norm = n / statistics.mean_tokens
    bm25 = sum(idf(t) * count[t] * 2.2 / (count[t] + 1.2 * (0.25 + 0.75 * norm)) for t in q if count[t])
    flat = sum(idf(t) * count[t] * 1.6 / (count[t] + 0.6 * (0.7 + 0.3 * norm)) for t in q if count[t])
    squares = sum(idf(t) ** 2 for t in q) * sum(idf(t) ** 2 for t in k)
    places = [q.index(token) for token in k if token in q]
    number, latin, single = (lambda some, bit=bit: sum(bool(token_kind(t) & bit) for t in some)
                             for bit in (NUMBER, LATIN, ONE_CHARACTER))  # fmt: skip
    return {
        "q_tokens": m,
        "k_tokens": n,
        "q_tokens_found": sum(in_k),
        "q_token_share": share(sum(in_k), m),
        "k_token_share": share(sum(in_q), n),
        "q_idf_found": found_idf,
        "q_idf_share": found_idf / q_idf if q else 0,
        "k_idf_share": sum(idf(t) for t in k if t in q) / k_idf if k else 0,
        "q_idf_missed": sum(map(idf, missed_q)),
        "k_idf_missed": sum(map(idf, missed_k)),
        "q_heaviest_missed": max(map(idf, missed_q), default=0),
        "k_heaviest_missed": max(map(idf, missed_k), default=0),
        "tfidf_cosine": sum(idf(t) ** 2 * count[t] for t in q) / math.sqrt(squares) if squares else 0,
        "bm25": bm25,
        "bm25_flat": flat,
        "bm25_share": bm25 / max(q_idf, 1e-9),
        "lm_dirichlet": share(
            sum(math.log((count[t] + 10 * probability(t)) / (n + 10)) - math.log(probability(t)) for t in q), m
        ),
        "lm_jelinek": share(sum(math.log(1 + 9 * share(count[t], n) / probability(t)) for t in q), m),
        "lm_jelinek_long": sum(math.log(1 + 0.3 / 0.7 * share(count[t], n) / probability(t)) for t in q),
        "lm_discount": share(
            sum(math.log(1 + share(max(count[t] - 0.7, 0), n) / (0.7 * probability(t))) for t in q), m
        ),
        "q_numbers_missed": number(missed_q),
        "k_numbers_missed": number(missed_k),
        "q_latin_missed": latin(missed_q),
        "k_latin_missed": latin(missed_k),
        "q_single_missed": single(missed_q),
        "heaviest_found": bool(q) and in_k[max(range(m), key=lambda at: idf(q[at]))],
        "first_token_found": bool(q) and in_k[0],
        "last_token_found": bool(q) and in_k[-1],
        "k_last_token_found": bool(k) and in_q[-1],
        "order_share": share(sum(b > a for a, b in zip([-1, *places], places, strict=False)), len(places)),
        "last_missed_place": share(max((at + 1 for at in range(m) if not in_k[at]), default=0), m),
        "q_mean_idf": share(q_idf, m),
        "k_mean_idf": share(k_idf, n),
        "same_last_token": bool(q) and bool(k) and q[-1] == k[-1],
    }


def alignment_twin(
    q: tuple[str, ...], k: tuple[str, ...], statistics: TextStatistics, vectors: Array
) -> dict[str, float]:
    q, k = q[:64], k[:64]
    row = lambda token: statistics.vocabulary.get(token, len(statistics.vocabulary))  # noqa: E731
    weight = lambda some: [float(statistics.idf[row(token)]) for token in some]  # noqa: E731

    def best(some: tuple[str, ...], others: tuple[str, ...]) -> list[float]:
        similarity = lambda a, b: 1.0 if a == b else min(float(vectors[row(a)] @ vectors[row(b)]), 0.999)  # noqa: E731
        return [max([0.0, *(similarity(token, other) for other in others)]) for token in some]

    def mean(values: list[float], weights: list[float], empty: float) -> float:
        return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights) if weights else empty

    of_q, of_k = best(q, k), best(k, q)
    missed_q, missed_k = [at for at, v in enumerate(of_q) if v < 1], [at for at, v in enumerate(of_k) if v < 1]
    zero = np.zeros(vectors.shape[1])
    sums = [
        sum((w * vectors[row(t)].astype(float) for t, w in zip(some, weight(some), strict=True)), zero)
        for some in (q, k)
    ]
    lengths = [float(np.linalg.norm(total)) for total in sums]
    return {
        "q_aligned": mean(of_q, weight(q), 0),
        "q_aligned_plain": share(sum(of_q), len(q)),
        "q_worst_aligned": min(of_q, default=0),
        "q_missed_aligned": mean([of_q[at] for at in missed_q], [weight(q)[at] for at in missed_q], 1),
        "k_aligned": mean(of_k, weight(k), 0),
        "k_worst_aligned": min(of_k, default=0),
        "k_missed_aligned": mean([of_k[at] for at in missed_k], [weight(k)[at] for at in missed_k], 1),
        "vector_cosine": float(sums[0] @ sums[1]) / (lengths[0] * lengths[1]) if all(lengths) else 0,
        "vector_excess": lengths[0] - lengths[1],
    }


def spelling_twin(q: tuple[str, ...], k: tuple[str, ...], statistics: TextStatistics) -> dict[str, float]:
    q, k = q[:64], k[:64]
    idf = lambda token: float(statistics.idf[statistics.vocabulary.get(token, len(statistics.vocabulary))])  # noqa: E731

    def likeness(a: str, b: str) -> float:
        bits = [{place for place in range(64) if spelling_signature(token) >> place & 1} for token in (a, b)]
        return 1.0 if a == b else len(bits[0] & bits[1]) / len(bits[0] | bits[1])

    def best(some: tuple[str, ...], others: tuple[str, ...]) -> list[tuple[float, float]]:
        return [(idf(token), max((likeness(token, other) for other in others), default=0)) for token in some]

    def mean(values: list[tuple[float, float]], empty: float) -> float:
        return sum(w * v for w, v in values) / sum(w for w, _ in values) if values else empty

    of_q, of_k = best(q, k), best(k, q)
    return {
        "q_spelt": mean(of_q, 0),
        "q_worst_spelt": min((value for _, value in of_q), default=0),
        "q_missed_spelt": mean([item for item in of_q if item[1] < 1], 1),
        "k_spelt": mean(of_k, 0),
        "k_missed_spelt": mean([item for item in of_k if item[1] < 1], 1),
        "last_token_spelt": of_q[-1][1] if of_q else 0,
    }


def exchange_twin(
    q: tuple[str, ...], k: tuple[str, ...], statistics: TextStatistics, vectors: Array
) -> dict[str, float]:
    q, k = q[:64], k[:64]
    vector = lambda token: vectors[statistics.vocabulary.get(token, len(statistics.vocabulary))]  # noqa: E731
    zero = np.zeros(vectors.shape[1])
    missed = sum((vector(token) for token in q if token not in k), zero)
    added = sum((vector(token) for token in k if token not in q), zero)
    topic = sum((vector(token) for token in q), zero) / max(len(q), 1)
    sums = {"missed": missed, "added": added, "exchanged": missed * added, "topic": topic}
    axes = range(EXCHANGE_AXES)
    return {
        f"{name}_{axis}": values[axis] if axis < len(values) else 0 for name, values in sums.items() for axis in axes
    }


def meanings(a: str, b: str) -> tuple[str, int]:
    """How two tokens stand to each other, "=", "#" or "", and how many levels of class they share."""
    relation, depth = "", 0
    for one in GROUPS:
        for other in GROUPS:
            if a in one.words and b in other.words:
                path = [class_path(group.sense) for group in (one, other)]
                levels = next((at for at in range(5) if path[0][: at + 1] != path[1][: at + 1]), 5)
                depth = max(depth, levels)
                if levels == 5:
                    relation = min(relation or "@", "=#@"[one.sense & 3], key="=#@".index)
    return relation.replace("@", ""), depth


def class_path(sense: int) -> list[int]:
    """The five levels of a sense from the top."""
    levels = []
    rest = sense >> RELATION_BITS
    for bits in (7, 5, 7, 5):
        levels.append(rest & (1 << bits) - 1)
        rest >>= bits
    return [rest, *levels[::-1]]


def synonym_twin(q: tuple[str, ...], k: tuple[str, ...], statistics: TextStatistics) -> dict[str, float]:
    q, k = q[:64], k[:64]
    weight = lambda token: float(statistics.idf[statistics.vocabulary.get(token, len(statistics.vocabulary))])  # noqa: E731
    result: dict[str, float] = {}
    for side, some, others in (("q", q, k), ("k", k, q)):
        missed = [token for token in some if token not in others]
        relations = {token: {meanings(token, other)[0] for other in others} for token in missed}
        depths = [max((meanings(token, other)[1] for other in others), default=0) for token in missed]
        synonyms = [token for token in missed if "=" in relations[token]]
        related = [token for token in missed if "#" in relations[token] and "=" not in relations[token]]
        heavy, covered, whole = (sum(map(weight, tokens)) for tokens in (missed, synonyms, some))
        deep = sum(weight(token) * depth for token, depth in zip(missed, depths, strict=True))
        result |= {
            f"{side}_synonym_share": covered / heavy if missed else 0,
            f"{side}_synonyms": len(synonyms),
            f"{side}_synonym_ratio": share(len(synonyms), len(missed)),
            f"{side}_related": len(related),
            f"{side}_class_depth": deep / (5 * heavy) if missed else 1,
            f"{side}_least_class_depth": min(depths, default=5) / 5,
            f"{side}_expanded_share": (whole - heavy + covered) / whole if some else 0,
        }
    return result


def things_named(some: tuple[str, ...], kind: NamedTerms) -> list[int]:
    found: dict[int, None] = {}
    free = 0
    for start in range(len(some)):
        held = (
            []
            if start < free
            else [
                (len(name), -number)
                for number, names in enumerate(kind.things)
                for name in names
                if some[start : start + len(name)] == name
            ]
        )
        if held:
            found[-max(held)[1]] = None
            free = start + max(held)[0]
    return list(found)[:8]


def term_twin(q: tuple[str, ...], k: tuple[str, ...]) -> dict[str, float]:
    result: dict[str, float] = {}
    for kind in TERMS:
        asked, offered = things_named(q[:64], kind), things_named(k[:64], kind)
        same = bool(set(asked) & set(offered))
        result |= {
            f"{kind.kind}_same": same,
            f"{kind.kind}_differs": bool(asked and offered) and not same,
            f"{kind.kind}_only_q": bool(asked) and not offered,
            f"{kind.kind}_only_k": bool(offered) and not asked,
        }
    return result


@settings(max_examples=40)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
@example([("", ""), ("", "鲜花"), ("鲜花", ""), ("?", "!")])
@example([("北京鲜花" * 20, "鲜花" * 40 + "北京"), ("red " * 70, "shoes red " * 60)])
@example([("鲜花", "先花"), ("鲜花", "鮮花"), ("鲜花", "鲜花")])
def test_every_feature_equals_its_twin_on_random_pairs(pairs: list[tuple[str, str]]) -> None:
    queries, keywords = tuple(q for q, _ in pairs), tuple(k for _, k in pairs)
    computed = pair_features(encode_pairs(queries, keywords, KNOWLEDGE), KNOWLEDGE)
    for (query, keyword), row in zip(pairs, computed, strict=True):
        q, k = normalise(query), normalise(keyword)
        twin = {
            **character_twin(encode_characters([q])[1].tolist(), encode_characters([k])[1].tolist(), STATISTICS),
            **token_twin(tokens(q), tokens(k), STATISTICS),
            **alignment_twin(tokens(q), tokens(k), STATISTICS, VECTORS),
            **spelling_twin(tokens(q), tokens(k), STATISTICS),
            **exchange_twin(tokens(q), tokens(k), STATISTICS, VECTORS),
            **synonym_twin(tokens(q), tokens(k), STATISTICS),
            **term_twin(tokens(q), tokens(k)),
        }
        for feature, value in zip(FEATURES, row.tolist(), strict=True):
            assert value == pytest.approx(float(twin.pop(feature.name)), rel=2e-4, abs=2e-4), (query, keyword, feature)
        assert not twin


@given(st.lists(st.text(), max_size=6))
@example(["鮮花 Ünï-ß 42!", "", "𠮷野家", "😀", "乾隆"])
def test_characters_are_letters_and_digits_made_simplified(typed: list[str]) -> None:
    wanted = [normalise(text) for text in typed]
    offsets, chars = encode_characters(wanted)
    for place, text in enumerate(wanted):
        kept = [c for c in text if c.isalnum() and (ord(c) < 1 << 16 or ord(c) >= 0x20000)]
        codes = [ord(simplified(c)) if ord(c) < 1 << 16 and len(simplified(c)) == 1 else ord(c) for c in kept]
        assert chars[offsets[place] : offsets[place + 1]].tolist() == [code & 0xFFFF for code in codes if code & 0xFFFF]


def test_a_pair_has_the_same_features_alone_and_among_others() -> None:
    pairs = [(a, b) for a in CORPUS[:5] for b in CORPUS]
    together = pair_features(encode_pairs(*map(tuple, zip(*pairs, strict=True)), KNOWLEDGE), KNOWLEDGE)
    for place, (query, keyword) in enumerate(pairs):
        alone = pair_features(encode_pairs((query,), (keyword,), KNOWLEDGE), KNOWLEDGE)
        assert np.array_equal(alone[0], together[place])
