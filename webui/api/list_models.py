"""What the API accepts and answers of keyword lists and verdicts."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kr.store.schema import NAME_CHARS
from kr.store.verdicts import MOST_AT_ONCE, MOST_QUERY_CHARS

Keywords = Annotated[list[str], Field(max_length=MOST_AT_ONCE)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NewKeywordList(_Body):
    """A list to make."""

    name: str = Field(min_length=1, max_length=NAME_CHARS)
    keywords: Keywords = Field(default=[], description="What is on it from the start.")


class KeywordListChange(_Body):
    """A change of a list; everything in it is done, or nothing."""

    version: int = Field(ge=1, description="The version that was seen; a list changed since is a 409.")
    name: str | None = Field(None, min_length=1, max_length=NAME_CHARS)
    add: Keywords = []
    remove: Keywords = []


class ListedKeywordModel(BaseModel):
    """A keyword on a list."""

    keyword: str = Field(description="Normalised.")
    query: str = Field(description="What was searched when it was added; empty if it was not found by a search.")
    added_at: datetime


class KeywordListSummary(BaseModel):
    """A list without its keywords."""

    id: str
    name: str
    version: int
    keywords: int
    created_at: datetime


class KeywordListModel(BaseModel):
    """A list, the latest keyword first."""

    id: str
    name: str
    version: int
    created_at: datetime
    keywords: list[ListedKeywordModel]


class KeywordListReply(BaseModel):
    """The envelope of one list."""

    data: KeywordListModel


class KeywordListsData(BaseModel):
    """The organisation's lists by name."""

    keyword_lists: list[KeywordListSummary]


class KeywordListsReply(BaseModel):
    """The envelope of all lists."""

    data: KeywordListsData


class NewVerdicts(_Body):
    """What is said of keywords that were recommended for a query."""

    query: str = Field(max_length=MOST_QUERY_CHARS)
    keywords: Annotated[list[str], Field(min_length=1, max_length=MOST_AT_ONCE)]
    verdict: Literal["up", "irrelevant", "not_my_business"] = Field(
        description="irrelevant speaks of query and keyword; not_my_business hides the keyword from the organisation."
    )


class VerdictsData(BaseModel):
    """What was said in one go."""

    batch: str = Field(description="DELETE /api/v1/verdicts/{batch} takes it back.")
    keywords: int


class VerdictsReply(BaseModel):
    """The envelope."""

    data: VerdictsData
