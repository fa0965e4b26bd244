"""Why a keyword is recommended to an account: who else buys it, what it is near to, what the site says."""

from collections.abc import Iterator
from copy import copy
from datetime import date
from typing import Any

import numpy as np

from indexes.account_recall import LEAST_COSINE, AccountRecall
from indexes.arrays import Array
from indexes.neighbors import FUSION
from indexes.opened import Indexes
from kr.marketing.rules import Rule
from kr.rank.account_blend import TOLD_FROM
from kr.reasons import Reason
from kr.retrieval.recommended import AccountRecalled
from kr.row_reasons import EPOCH, ReasonWriter, Row, reason, span_en, span_zh
from kr.types import Candidates

MOST_SITE_WORDS = 4
LEAST_SITE_SHARE = 0.34


class AccountReasonWriter:
    """Writes the reasons of the rows of one page, what people did first."""

    def __init__(self, indexes: Indexes, recall: AccountRecall, rules: tuple[Rule, ...]) -> None:
        self._indexes, self._recall = indexes, recall
        self._miners = tuple(name for name in indexes.neighbors.miners if name != FUSION)
        self._writer = ReasonWriter(indexes, self._miners, rules)

    def with_rules(self, rules: tuple[Rule, ...]) -> "AccountReasonWriter":
        """The same writer for rows that other rules touched."""
        other = copy(self)
        other._writer = self._writer.with_rules(rules)
        return other

    def of_page(self, found: AccountRecalled, candidates: Candidates) -> list[list[Row]]:
        """A list of reasons a row."""
        ids = candidates.keyword_id
        if not len(ids):
            return []
        rows = np.searchsorted(found.recalled.keyword_id, ids)
        known = {name: column[rows] for name, column in found.recalled.known.items()}
        asked = found.profile.owned
        together = self._together(asked, ids)
        reasons: list[list[Row]] = []
        for place in range(len(ids)):
            its = {name: float(column[place]) for name, column in known.items()}
            told = list(self._of_buyers(its))
            told += [together[place]] if place in together else []
            told += self._of_words(found, int(ids[place]), its)
            told += self._of_feedback(found, int(ids[place]), its)
            if not told:
                told.append(reason(Reason.NEAR_PURCHASES, "buyer_walks", None, {}, {}, {}))
            reasons.append(told)
        self._writer.add_rules(candidates["rules"], reasons)
        return reasons

    def _of_buyers(self, its: dict[str, float]) -> Iterator[Row]:
        """Counts below what the log was mined with are not told: they would say what one advertiser buys."""
        window = self._indexes.window
        dates = {"first_date": window.first_day.isoformat(), "last_date": window.last_day.isoformat()}
        english = {"dates": span_en(window.first_day, window.last_day)}
        chinese = {"dates": span_zh(window.first_day, window.last_day)}
        similar, industry, size = (int(its[name]) for name in ("similar_buyers", "industry_count", "industry_size"))
        if similar >= self._recall.least_buyers:
            count = {"count": f"{similar:,}"}
            english_count = {"count": f"{similar:,} account{'' if similar == 1 else 's'}"}
            evidence = {"count": similar, **dates}
            yield reason(
                Reason.SEED_ACCOUNT, "same_buyers", None, evidence, english | english_count, chinese | count
            )  # fmt: skip
        if industry >= self._recall.least_buyers:
            words = {"count": f"{industry:,}", "of": f"{size:,}"}
            evidence = {"count": industry, "of": size, **dates}
            yield reason(Reason.SEED_INDUSTRY, "industry", None, evidence, english | words, chinese | words)

    def _together(self, asked: Array, ids: Array) -> dict[int, Row]:
        """By row the strongest mined relation to what the account has."""
        told: dict[int, Row] = {}
        best = np.zeros(len(ids))
        order = np.argsort(ids, kind="stable")
        for miner, each in self._indexes.neighbors.of(asked, len(self._indexes.keywords)).items():
            if miner == FUSION or not len(each.neighbor):
                continue
            place = np.minimum(np.searchsorted(ids[order], each.neighbor), len(ids) - 1)
            hits = np.flatnonzero(ids[order][place] == each.neighbor)
            rows = order[place[hits]]
            for hit, row in zip(hits.tolist(), rows.tolist(), strict=True):
                if each.strength[hit] > best[row]:
                    best[row] = each.strength[hit]
                    anchor = self._indexes.keywords[int(asked[each.position[hit]])]
                    evidence = self._indexes.neighbors.evidence(miner, each.row[hit : hit + 1])
                    told[row] = self._writer.mined_reason(
                        miner, anchor, {name: column[0].item() for name, column in evidence.items()}
                    )
        return told

    def _of_words(self, found: AccountRecalled, keyword: int, its: dict[str, float]) -> Iterator[Row]:
        if its["content"] >= LEAST_COSINE:
            nearest = self._recall.nearest_of(keyword, found.profile.owned)
            seed = self._indexes.keywords[nearest]
            shown = {"similarity": f"{its['content']:.2f}"}
            evidence = {"similarity": round(its["content"], 2)}
            yield reason(Reason.NEAR_OWNED, "content", seed, evidence, shown, shown)
        if its["site"] >= LEAST_SITE_SHARE:
            _, terms = self._indexes.forward.tokens_of(np.array([keyword]))
            said = np.unique(terms[np.isin(terms, found.profile.site_terms)])[:MOST_SITE_WORDS]
            words = self._indexes.terms.take(said)
            english = {"words": ", ".join(f"“{word}”" for word in words)}
            chinese = {"words": "、".join(f"“{word}”" for word in words)}
            yield reason(Reason.SITE_SAYS, "site", None, {"words": words}, english, chinese)
        if its["rising"] > 0:
            rising = self._recall.accounts.rising
            _, observed, expected, first, last = rising[np.searchsorted(rising[:, 0], keyword)].tolist()
            first_day, last_day = (date.fromordinal(EPOCH.toordinal() + day) for day in (first, last))
            shown = {"count": f"{observed:,}", "of": f"{expected:,}"}
            evidence_of_burst: dict[str, Any] = {"count": observed, "of": expected}
            evidence_of_burst |= {"first_date": first_day.isoformat(), "last_date": last_day.isoformat()}
            yield reason(
                Reason.SEED_BURST,
                "rising",
                None,
                evidence_of_burst,
                shown | {"dates": span_en(first_day, last_day)},
                shown | {"dates": span_zh(first_day, last_day)},
            )

    def _of_feedback(self, found: AccountRecalled, keyword: int, its: dict[str, float]) -> Iterator[Row]:
        for name, code, others in (
            ("liked", Reason.NEAR_LIKED, found.profile.liked),
            ("disliked", Reason.NEAR_DISMISSED, found.profile.disliked),
        ):
            if its[name] >= TOLD_FROM:
                seed = self._indexes.keywords[self._recall.nearest_of(keyword, others)]
                yield reason(code, "feedback", seed, {"nearness": round(its[name], 2)}, {}, {})
