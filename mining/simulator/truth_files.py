"""Writes the planted truth: what the log's queries mean, which of them belong together, and what was planted in it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from indexes.text import normalise
from mining.simulator import columns
from mining.simulator.grammar import INTENTS, kind_names
from mining.simulator.market import LANGUAGES
from mining.simulator.raw_files import write_parquet
from mining.simulator.setting import Setting
from mining.simulator.shards import USER_DIGITS, Shard
from mining.simulator.sizes import FIRST_DAY, LAST_DAY
from mining.simulator.spellings import CANONICAL, KINDS
from mining.simulator.truth import FORMAT_VERSION, LOOSE, SAME_NEED, SAME_PRODUCT, Truth
from mining.simulator.walk import MOVES, relations

# related_pairs.parquet is an excerpt to read and to test by: so many head keywords with so many neighbours each.
_HEAD_KEYWORDS, _HEAD_NEIGHBORS = 300, 200
_PAIR_KINDS = {SAME_NEED: "same_need", SAME_PRODUCT: "same_product", LOOSE: "loose"}

_DOCUMENTATION = {
    "keywords.parquet": "every keyword (normalised text) of the log: product_id, industry_id, intent, language, "
    "need_id (its cluster), facets (attribute, place, brand), kind (canonical or how it came about), "
    "variant_of (the keyword that a variant or misspelling stands for), unsafe, searches by people and by scripts",
    "queries.parquet": "every raw query text of the log with its keyword, kind and searches",
    "needs.parquet": "the latent needs (clusters) that occur: product, intent, language and facet",
    "product_relations.parquet": "complements and substitutes among products, both directions",
    "related_pairs.parquet": "an excerpt: the neighbours of the most searched keywords with their grades; any pair's "
    "grade follows from keywords.parquet and product_relations.parquet (mining.simulator.truth)",
    "searches-*.parquet": "for every search (search_number; the log's search_id is s and ten digits): session (-1: a "
    "script), user_need, need_id, move (how it came from the search before), made_by person, robot or fraud",
    "bursts.parquet": "planted rises in demand: of a product, or of one keyword; days, both included; factor",
    "robots.parquet": "users that are robots, with their kind",
    "fraud.parquet": "the key of every fraudulent row of ad_events, its ring and reason",
    "fraud_rings.parquet": "the rings: reason, the advertiser that they are after, their users",
    "unsafe.parquet": "keywords that an audit must remove, with their category",
    "advertisers.parquet": "daily budget and quality of every advertiser, which the log doesn't tell",
    "users.parquet": "language, interest and activity of every user, which the log doesn't tell",
    "grades": "3 same need: product, intent and language are equal and no facet that both name differs; 2 same product "
    "and language; 1 same product in the other language, or a related product in the same language; 0 else",
}


class TruthFiles:
    """Collects the truth shard by shard and writes it at the end."""

    def __init__(self, setting: Setting, folder: Path) -> None:
        self._setting, self._folder = setting, folder
        self._by_people = np.zeros(len(setting.raw_text), dtype=np.int64)
        self._by_scripts = np.zeros(len(setting.raw_text), dtype=np.int64)
        self._fraud: list[pa.Table] = []
        self._shards = 0

    @property
    def searches_by_text(self) -> np.ndarray:
        """Searches of each raw text so far (int64), by people and scripts."""
        return self._by_people + self._by_scripts

    def _write(self, name: str, rows: pa.Table) -> None:
        write_parquet(rows, self._folder / name)

    def add_shard(self, shard: Shard) -> None:
        """Count the shard's searches and write what each was made by and for."""
        searches, people = shard.searches, shard.searches.by_people
        self._by_people += np.bincount(searches.raw[people], minlength=len(self._by_people))
        self._by_scripts += np.bincount(searches.raw[~people], minlength=len(self._by_scripts))
        self._fraud.append(shard.fraud)
        self._shards += 1
        sessions = self._setting.sessions
        user_need = np.where(people, sessions.need[searches.session], -1)
        made_by = np.where(searches.ring >= 0, 2, np.where(searches.robot >= 0, 1, 0))
        rows = {
            "search_number": pa.array(searches.number),
            "session": pa.array(searches.session.astype(np.int64)),
            "user_need": pa.array(user_need.astype(np.int32)),
            "need_id": pa.array(self._setting.catalogue.group[searches.query]),
            "move": columns.chosen(searches.move, MOVES),
            "made_by": columns.chosen(made_by, ("person", "robot", "fraud")),
        }
        self._write(f"searches-{self._shards:04d}.parquet", pa.table(rows))

    def finish(self, summary: dict[str, Any]) -> None:
        """Write all that is known once the log is complete."""
        self._write_queries()
        setting = self._setting
        market, users = setting.market, setting.users
        pairs = [(one, other) for one, others in enumerate(relations(market)) for other in others]
        ids = [product.id for product in market.products]
        self._write(
            "product_relations.parquet",
            pa.table({"product_id": [ids[one] for one, _ in pairs], "related_id": [ids[other] for _, other in pairs]}),
        )
        self._write("bursts.parquet", self._bursts())
        robots = setting.cast.robot_users
        user_ids = columns.numbered("u", users.number, USER_DIGITS)
        self._write(
            "robots.parquet",
            pa.table({"user_id": user_ids.take(pa.array(robots)), "kind": setting.cast.robot_kinds}).sort_by("user_id"),
        )
        self._write("fraud.parquet", pa.concat_tables(self._fraud).combine_chunks())
        self._write(
            "fraud_rings.parquet",
            pa.table(
                {
                    "ring": pa.array(range(len(setting.cast.ring_kinds)), pa.int32()),
                    "reason": setting.cast.ring_kinds,
                    "advertiser_id": setting.advertiser_ids.take(pa.array(setting.cast.ring_targets)),
                    "user_ids": [sorted(user_ids.take(pa.array(own)).to_pylist()) for own in setting.cast.ring_users],
                }
            ),
        )
        self._write(
            "advertisers.parquet",
            pa.table(
                {
                    "advertiser_id": setting.advertiser_ids,
                    "daily_budget_micros": setting.advertisers.daily_budget_micros,
                    "quality": setting.advertisers.quality,
                }
            ),
        )
        people = np.argsort(users.number[: users.people])
        self._write(
            "users.parquet",
            pa.table(
                {
                    "user_id": columns.numbered("u", users.number[people], USER_DIGITS),
                    "language": columns.chosen(users.language[people], LANGUAGES),
                    "interest": columns.chosen(users.interest[people], [industry.id for industry in market.industries]),
                    "activity": users.activity[people],
                }
            ),
        )
        # The description comes last: a folder with it is whole, and the pairs below are read by it.
        document = {"format_version": FORMAT_VERSION, **summary, "files": _DOCUMENTATION}
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        (self._folder / "truth.json").write_text(text, encoding="utf-8")
        self._write("related_pairs.parquet", self._related_pairs())

    def _write_queries(self) -> None:
        """queries, keywords, needs and unsafe: what occurs in the log, and what it means."""
        setting = self._setting
        catalogue, groups, market = setting.catalogue, setting.catalogue.groups, setting.market
        canonical = len(catalogue)
        raw = np.flatnonzero(self.searches_by_text)
        texts = setting.raw_text.take(pa.array(raw)).to_pylist()
        is_form = raw >= canonical
        base, kind = raw.copy(), np.full(len(raw), CANONICAL)
        base[is_form] = setting.spellings.base[raw[is_form] - canonical]
        kind[is_form] = setting.spellings.kind[raw[is_form] - canonical]
        keywords = [normalise(text) if form else text for text, form in zip(texts, is_form.tolist(), strict=True)]
        queries = pa.table(
            {
                "query": texts,
                "keyword": keywords,
                "kind": columns.chosen(kind, KINDS),
                "searches": self._by_people[raw],
                "script_searches": self._by_scripts[raw],
            }
        )
        self._write("queries.parquet", queries.sort_by("query"))

        # One row a keyword: the first raw text that gives it, canonical ones first.
        first: dict[str, int] = {}
        for row, keyword in enumerate(keywords):
            first.setdefault(keyword, row)
        slot = {keyword: index for index, keyword in enumerate(sorted(first))}
        slots = np.array([slot[keyword] for keyword in keywords])
        rows = np.array([first[keyword] for keyword in sorted(first)])
        group, row_base = catalogue.group[base[rows]], base[rows]
        # A spelling keeps its keyword: where only spellings of it occur, the keyword itself is canonical.
        same_keyword = np.array([keywords[row] == catalogue.text[base[row]] for row in rows.tolist()])
        row_kind = np.where(same_keyword, CANONICAL, kind[rows])
        products = [product.id for product in market.products]
        industries = [industry.id for industry in market.industries]
        industry = np.array([product.industry for product in market.products])[groups.product[group]]
        unsafe = np.array([item.unsafe for item in market.industries])[industry]
        attribute = self._attributes(row_base)
        variant_of = [
            None if same else catalogue.text[query]
            for same, query in zip(same_keyword.tolist(), row_base.tolist(), strict=True)
        ]
        table = pa.table(
            {
                "keyword": sorted(first),
                "language": columns.chosen(groups.language[group], LANGUAGES),
                "product_id": columns.chosen(groups.product[group], products),
                "industry_id": columns.chosen(industry, industries),
                "intent": columns.chosen(groups.intent[group], INTENTS),
                "need_id": group,
                "attribute": pa.array(attribute, pa.string()),
                "place": columns.chosen(groups.place[group], [place.region for place in market.places]),
                "brand": columns.chosen(groups.brand[group], [brand.names[1] for brand in market.brands]),
                "kind": columns.chosen(row_kind, KINDS),
                "variant_of": pa.array(variant_of, pa.string()),
                "unsafe": unsafe,
                "searches": np.bincount(slots, self._by_people[raw], len(rows)).astype(np.int64),
                "script_searches": np.bincount(slots, self._by_scripts[raw], len(rows)).astype(np.int64),
            }
        )
        self._write("keywords.parquet", table)
        self._write("unsafe.parquet", self._unsafe(table))
        needs = np.unique(group)
        self._write(
            "needs.parquet",
            pa.table(
                {
                    "need_id": needs,
                    "product_id": columns.chosen(groups.product[needs], products),
                    "intent": columns.chosen(groups.intent[needs], INTENTS),
                    "language": columns.chosen(groups.language[needs], LANGUAGES),
                    "place": columns.chosen(groups.place[needs], [place.region for place in market.places]),
                    "brand": columns.chosen(groups.brand[needs], [brand.names[1] for brand in market.brands]),
                }
            ),
        )

    def _attributes(self, query: np.ndarray) -> list[str | None]:
        """The kind that each query names, by the plainest name of it; None for none."""
        catalogue = self._setting.catalogue
        group = catalogue.group[query]
        names = {
            (product.number, language): [names[0] for names in kind_names(product, language)]
            for product in self._setting.market.products
            for language in range(len(LANGUAGES))
        }
        keys = zip(
            catalogue.groups.product[group].tolist(),
            catalogue.groups.language[group].tolist(),
            catalogue.kind[query].tolist(),
            strict=True,
        )
        return [names[product, language][kind] if kind >= 0 else None for product, language, kind in keys]

    @staticmethod
    def _unsafe(keywords: pa.Table) -> pa.Table:
        rows = keywords.filter(keywords["unsafe"])
        return pa.table({"keyword": rows["keyword"], "category": rows["product_id"]})

    def _bursts(self) -> pa.Table:
        setting = self._setting
        bursts = setting.demand.bursts
        catalogue, products = setting.catalogue, setting.market.products
        return pa.table(
            {
                "kind": ["product" if burst.query < 0 else "keyword" for burst in bursts],
                "product_id": [products[burst.product].id for burst in bursts],
                "keyword": pa.array([None if b.query < 0 else catalogue.text[b.query] for b in bursts], pa.string()),
                "first_date": [FIRST_DAY + timedelta(days=burst.first) for burst in bursts],
                "last_date": [FIRST_DAY + timedelta(days=burst.last) for burst in bursts],
                "factor": [burst.factor for burst in bursts],
            }
        )

    def _related_pairs(self) -> pa.Table:
        truth = Truth.load(self._folder)
        safe = np.flatnonzero(~truth.unsafe)
        heads = safe[np.lexsort((safe, -truth.searches[safe]))][:_HEAD_KEYWORDS]
        left: list[str] = []
        right: list[str] = []
        grades: list[int] = []
        for keyword in sorted(truth.keywords[row] for row in heads.tolist()):
            for other, grade in truth.neighbors(keyword, 2, _HEAD_NEIGHBORS):
                left.append(keyword)
                right.append(other)
                grades.append(grade)
        kinds = [_PAIR_KINDS[grade] for grade in grades]
        return pa.table({"keyword": left, "neighbor": right, "grade": pa.array(grades, pa.int8()), "kind": kinds})


def window_description() -> dict[str, str]:
    """The days of the log, both included, UTC."""
    return {"first_date": FIRST_DAY.isoformat(), "last_date": LAST_DAY.isoformat()}
