"""The source that finds what the advertisers of an industry buy, and the stage by which relevance learns of it."""

from collections.abc import Mapping, Sequence

import numpy as np

from indexes.opened import Indexes
from kr.types import Candidates, ColumnSpec, Request, StageResult

LEAST_RELEVANCE, RANGE = 0.4, 0.5
"""What several advertisers of an industry buy is relevant to it: at least so much, and more the more of them do."""


class IndustrySource:
    """The keywords of the request's industries; silent without one.

    Adds `industry_share` float32, the keyword's score relative to the industry's greatest, of several industries the
    greatest one's; `industry_place` int32, that industry's position in the request, and `industry_row` int32, the
    keyword's place in its list, -1 where absent.
    """

    name = "industry"
    adds: Mapping[str, ColumnSpec] = {
        "industry_share": ColumnSpec("float32", 0.0),
        "industry_place": ColumnSpec("int32", -1),
        "industry_row": ColumnSpec("int32", -1),
    }

    def __init__(self, indexes: Indexes) -> None:
        self._industries = indexes.industries

    def retrieve(self, request: Request) -> Candidates:
        found: dict[int, tuple[float, int, int]] = {}
        for place, industry in enumerate(request.industry_seed if self._industries else ()):
            assert self._industries is not None
            number = self._industries.find(industry)
            columns = self._industries.keywords(number) if number >= 0 else {}
            if not columns or not len(columns["keyword"]):
                continue
            shares = (columns["score"] / columns["score"][0]).tolist()
            for row, (keyword, share) in enumerate(zip(columns["keyword"].tolist(), shares, strict=True)):
                if keyword not in found or share > found[keyword][0]:
                    found[keyword] = (share, place, row)
        ids = np.array(sorted(found), np.int32)
        values = [found[keyword] for keyword in ids.tolist()]
        columns = {
            name: np.array([value[at] for value in values], spec.dtype)
            for at, (name, spec) in enumerate(self.adds.items())
        }
        return Candidates(ids, np.zeros(len(ids), np.uint32), columns)


class IndustryRelevance:
    """Relevance is at least what an industry's advertisers say of a keyword by buying it; replaces `relevance`."""

    name = "industry_relevance"
    needs: Sequence[str] = ("relevance", "industry_share")
    adds: Sequence[str] = ("relevance",)

    def run(self, request: Request, candidates: Candidates) -> StageResult:
        share = candidates["industry_share"]
        bought = np.where(share > 0, LEAST_RELEVANCE + RANGE * np.sqrt(share), 0.0)
        relevance = np.maximum(candidates["relevance"], bought).astype(np.float32)
        return StageResult.keeping_all(candidates.with_columns(relevance=relevance))
