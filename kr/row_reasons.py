"""The reasons of each row: words in common and what people did, with evidence that recomputes from the log."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from indexes.arrays import Array
from indexes.industries import Industry
from indexes.opened import Indexes
from kr.industry_seeds import industries_of
from kr.marketing.rules import Rule
from kr.page_reasons import with_page_reasons
from kr.reasons import REASON_TEXTS, VARIANT_TEXTS, Reason
from kr.relevance.match import Match
from kr.row_matches import SeedMatch
from kr.types import Candidates, Request

EPOCH = date(1970, 1, 1)
MOST_SHARED_WORDS = 4
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS_BEFORE_MONTHS_ARE_ENOUGH = 60
COUNTED_EN = {"sessions": "session", "users": "user", "shared_urls": "page", "clicks": "click"}
RULE_REASONS = {"boost": Reason.RULE_BOOST, "bury": Reason.RULE_BURY, "pin": Reason.RULE_PIN}

Row = dict[str, Any]


class ReasonWriter:
    """Writes the reasons of the rows of one page: shared words first, then mined evidence, the strongest first."""

    def __init__(self, indexes: Indexes, miners: tuple[str, ...], rules: tuple[Rule, ...]) -> None:
        self.indexes = indexes
        self.miners = miners
        self._rules = rules

    def with_rules(self, rules: tuple[Rule, ...]) -> "ReasonWriter":
        """The same writer for rows that other rules touched."""
        return ReasonWriter(self.indexes, self.miners, rules)

    def of_page(self, request: Request, candidates: Candidates, matches: Sequence[SeedMatch]) -> list[list[Row]]:
        """A list of reasons a row; `matches` say how each stands to its closest seed."""
        reasons: list[list[Row]] = [[] for _ in matches]
        exact = candidates["exact_seed"].tolist()
        told: dict[tuple[Any, ...], Row | None] = {}
        for row, (place, match) in enumerate(matches):
            if exact[row] >= 0 and request.seeds[exact[row]] in request.industry_keywords:
                continue
            if exact[row] >= 0:
                reasons[row].append(reason(Reason.EXACT, "exact", request.seeds[exact[row]], {}, {}, {}))
                continue
            # Most rows of a page share the same words with the seed.
            key = (place, match.matched, match.missed, match.variant)
            if key not in told:
                told[key] = literal_reason(request, request.seeds[place], match)
            if (shared := told[key]) is not None:
                reasons[row].append({**shared, "evidence": dict(shared["evidence"])})
        mined: list[list[tuple[float, Row]]] = [[] for _ in matches]
        for miner in self.miners:
            self._add_mined(miner, candidates, mined)
        self._add_industries(request, candidates, reasons)
        for row, found in enumerate(mined):
            found.sort(key=lambda pair: -pair[0])
            reasons[row] += [reason for _, reason in found]
        _add_likeness(request.seeds, candidates, reasons)
        if request.page_topics:
            texts = self.indexes.keywords.take(candidates.keyword_id)
            reasons = with_page_reasons(request.page_topics, texts, reasons)
        self.add_rules(candidates["rules"], reasons)
        return reasons

    def _add_industries(self, request: Request, candidates: Candidates, reasons: list[list[Row]]) -> None:
        if not request.industry_seed or self.indexes.industries is None:
            return
        found = [
            (industry, self.indexes.industries.keywords(industry.number))
            for industry in industries_of(self.indexes, request.industry_seed)
        ]
        places, rows = candidates["industry_place"].tolist(), candidates["industry_row"].tolist()
        for row, (place, at) in enumerate(zip(places, rows, strict=True)):
            if place >= 0:
                industry, columns = found[place]
                evidence = {name: columns[name][at].item() for name in ("advertisers", "of", "first_day", "last_day")}
                reasons[row].append(industry_reason(industry, evidence))

    def _add_mined(self, miner: str, candidates: Candidates, mined: list[list[tuple[float, Row]]]) -> None:
        at = candidates[f"{miner}_row"]
        # That a seed is also its own anchors' neighbour tells the caller nothing.
        rows = ((at >= 0) & (candidates["exact_seed"] < 0)).nonzero()[0]
        if not len(rows):
            return
        strengths = candidates[f"{miner}_strength"][rows].tolist()
        anchors = self.indexes.keywords.take(candidates[f"{miner}_anchor"][rows])
        told = self._of_rows(miner, anchors, at[rows])
        for row, strength, reason in zip(rows.tolist(), strengths, told, strict=True):
            mined[row].append((strength, reason))

    def of_neighbors(self, miner: str, keyword: str, rows: Array) -> list[Row]:
        """What links a keyword to its neighbours of a miner, whose evidence stands in these rows int64 (n,)."""
        return self._of_rows(miner, [keyword] * len(rows), rows)

    def _of_rows(self, miner: str, anchors: Sequence[str], rows: Array) -> list[Row]:
        columns = self.indexes.neighbors.evidence(miner, rows)
        evidence = {name: column.tolist() for name, column in columns.items()}
        return [
            self.mined_reason(miner, anchor, {name: values[place] for name, values in evidence.items()})
            for place, anchor in enumerate(anchors)
        ]

    def mined_reason(self, miner: str, anchor: str, found: Row) -> Row:
        """What a miner's evidence (a row's columns by name) says of a keyword and this one."""
        writers: dict[str, Callable[[str, str, Row], Row]] = {
            "cooccurrence": _together,
            "association_rules": _follows,
            "click_clusters": self._clicked,
            "page_terms": _alike,
        }
        return writers[miner](miner, anchor, found)

    def _clicked(self, miner: str, anchor: str, found: Row) -> Row:
        if found["path"] >= 0:
            path = {"path": self.indexes.click_paths[found["path"]]}
            return reason(Reason.CLUSTER_PATH, miner, anchor, path, path, path)
        counts = {name: found[name] for name in ("shared_urls", "clicks", "users")}
        return _dated_reason(Reason.CLUSTER, miner, anchor, counts, counts, found)

    def add_rules(self, touched: Array, reasons: list[list[Row]]) -> None:
        """Tell which rules touched each row."""
        for row in touched.nonzero()[0].tolist():
            for bit, rule in enumerate(self._rules):
                if int(touched[row]) >> bit & 1:
                    words = {"rule": rule.name}
                    code = RULE_REASONS[rule.action]
                    reasons[row].append(reason(code, "marketing_rules", None, {}, words, words))


def _add_likeness(seeds: Sequence[str], candidates: Candidates, reasons: list[list[Row]]) -> None:
    seed_places = candidates["semantic_seed"]
    for row in ((seed_places >= 0) & (candidates["exact_seed"] < 0)).nonzero()[0].tolist():
        similarity = round(float(candidates["semantic_similarity"][row]), 2)
        shown = {"similarity": f"{similarity:.2f}"}
        seed = seeds[int(seed_places[row])]
        reasons[row].append(reason(Reason.SEMANTIC, "semantic", seed, {"similarity": similarity}, shown, shown))


def _together(miner: str, anchor: str, found: Row) -> Row:
    counts = {"sessions": found["sessions"], "users": found["users"]}
    return _dated_reason(Reason.COOCCURRENCE, miner, anchor, counts, counts, found)


def _alike(miner: str, anchor: str, found: Row) -> Row:
    evidence = {"similarity": found["similarity"], "users": found["users"]}
    words = {"similarity": f"{found['similarity']:.2f}", "users": found["users"]}
    return _dated_reason(Reason.PAGE_TERMS, miner, anchor, evidence, words, found)


def _follows(miner: str, anchor: str, found: Row) -> Row:
    confidence, lift = found["confidence"], found["lift"]
    counts = {"sessions": found["sessions"], "users": found["users"]}
    evidence = {**counts, "confidence": round(confidence, 4), "lift": round(lift, 2)}
    words = {**counts, "confidence": f"{confidence:.1%}", "lift": f"{lift:,.1f}"}
    return _dated_reason(Reason.RULE, miner, anchor, evidence, words, found)


def literal_reason(request: Request, seed: str, match: Match) -> Row | None:
    """What a keyword has of the seed's spelling or words, and which of these it misses; None if it has none."""
    if seed in request.industry_keywords and match.matched:
        return reason(Reason.INDUSTRY_WORDS, "token_match", seed, {"words": list(match.matched)}, {}, {})
    if match.variant is not None:
        english, chinese = VARIANT_TEXTS[match.variant]
        kind = {"kind": match.variant.value}
        return reason(Reason.SPELLING, "close_variants", seed, kind, {"kind": english}, {"kind": chinese})
    if not match.matched:
        return None
    shown = list(match.matched[:MOST_SHARED_WORDS])
    if not match.missed:
        return reason(Reason.CONTAINS_ALL, "token_match", seed, {"words": shown}, {}, {})
    english = ", ".join(f"“{word}”" for word in shown)
    chinese = "、".join(f"“{word}”" for word in shown)
    evidence = {"words": shown, "missed": list(match.missed[:MOST_SHARED_WORDS])}
    return reason(Reason.CONTAINS, "token_match", seed, evidence, {"words": english}, {"words": chinese})


def _dated_reason(code: Reason, source: str, seed: str, evidence: Row, words: Row, found: Row) -> Row:
    first, last = day_of(found["first_day"]), day_of(found["last_day"])
    dates = {"first_date": first.isoformat(), "last_date": last.isoformat()}
    english = {**words, **counted_en(words), "dates": span_en(first, last)}
    return reason(code, source, seed, evidence | dates, english, {**words, "dates": span_zh(first, last)})


def industry_reason(industry: Industry, found: Row) -> Row:
    """That so many of an industry's advertisers buy a keyword; `found` has advertisers, of, first_day, last_day."""
    first, last = day_of(found["first_day"]), day_of(found["last_day"])
    counts = {"advertisers": found["advertisers"], "of": found["of"]}
    dates = {"first_date": first.isoformat(), "last_date": last.isoformat()}
    evidence = {"industry": industry.id, **counts, **dates}
    shown = {name: f"{value:,}" for name, value in counts.items()}
    english = {**shown, "industry": f"“{name_of(industry, 'en')}”", "dates": span_en(first, last)}
    chinese = {**shown, "industry": f"“{name_of(industry, 'zh')}”", "dates": span_zh(first, last)}
    return reason(Reason.INDUSTRY, "industry", None, evidence, english, chinese)


def name_of(industry: Industry, language: str) -> str:
    """An industry's name in a language, else in the other one, else its id."""
    names = (industry.name_zh, industry.name_en) if language == "zh" else (industry.name_en, industry.name_zh)
    return next((name for name in names if name), industry.id)


def reason(code: Reason, source: str, seed: str | None, evidence: Row, english: Row, chinese: Row) -> Row:
    """One reason with its texts filled in; `english` and `chinese` are the values of their placeholders."""
    text_en, text_zh = REASON_TEXTS[code]
    return {
        "code": code.value,
        "source": source,
        "seed": seed,
        "text_en": text_en.format(seed=seed, **english),
        "text_zh": text_zh.format(seed=seed, **chinese),
        "evidence": evidence,
    }


def counted_en(evidence: Row) -> dict[str, str]:
    """Counts with their English nouns: 1 session, 1,200 users."""
    return {name: counted_noun(evidence[name], noun) for name, noun in COUNTED_EN.items() if name in evidence}


def counted_noun(count: int, noun: str) -> str:
    """A count with its English noun: 1 session, 1,200 users."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@lru_cache(maxsize=4096)
def span_en(first: date, last: date) -> str:
    """A span of days in English: days if it is short, months if it is long."""
    if first == last:
        return f"{first.day} {MONTHS_EN[first.month - 1]} {first.year}"
    if (last - first).days <= DAYS_BEFORE_MONTHS_ARE_ENOUGH:
        return f"{first.day} {MONTHS_EN[first.month - 1]}–{last.day} {MONTHS_EN[last.month - 1]} {last.year}"
    start = MONTHS_EN[first.month - 1] + (f" {first.year}" if first.year != last.year else "")
    return f"{start}–{MONTHS_EN[last.month - 1]} {last.year}"


@lru_cache(maxsize=4096)
def span_zh(first: date, last: date) -> str:
    """A span of days in Chinese: days if it is short, months if it is long."""
    if first == last:
        return f"{first.year}年{first.month}月{first.day}日"
    same_year = first.year == last.year
    if (last - first).days <= DAYS_BEFORE_MONTHS_ARE_ENOUGH:
        end = f"{last.month}月{last.day}日" if same_year else f"{last.year}年{last.month}月{last.day}日"
        return f"{first.year}年{first.month}月{first.day}日至{end}"
    end = f"{last.month}月" if same_year else f"{last.year}年{last.month}月"
    return f"{first.year}年{first.month}月至{end}"


@lru_cache(maxsize=4096)
def day_of(days: int) -> date:
    """The date so many days after 1970-01-01."""
    return EPOCH + timedelta(days=days)
