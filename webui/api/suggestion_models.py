"""What `GET /api/v1/suggestions` accepts and answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from webui.api.models import Meta
from webui.limits import DEFAULT_SUGGESTIONS, MAX_SUGGESTIONS


class SuggestionsQuestion(BaseModel):
    """The parameters of the address. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field("", description="What was typed so far; empty for the most searched keywords.")
    limit: int = Field(DEFAULT_SUGGESTIONS, ge=1, le=MAX_SUGGESTIONS, description="Rows of the reply.")


class Suggestion(BaseModel):
    """One keyword to go on with."""

    text: str
    avg_monthly_searches: float | None
    kind: Literal["string", "pinyin", "initials", "mixed", "typo", "popular"] = Field(
        description="How the keyword matches what was typed; popular if nothing was."
    )
    highlights: list[tuple[int, int]] = Field(
        description="What of the text matches: offsets in characters (Unicode code points), the end not included."
    )


class Suggestions(BaseModel):
    """The rows, best first: exact matches before those with one mistake."""

    query: str
    suggestions: list[Suggestion]


class SuggestionsReply(BaseModel):
    """The envelope."""

    data: Suggestions
    meta: Meta
