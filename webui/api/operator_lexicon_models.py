"""What the operator's API accepts and answers of lists of unsafe terms."""

from pydantic import BaseModel, Field

from kr.audit.stored_lists import MOST_LIST_CHARS
from webui.api.operator_rule_models import OperatorBody, SeenVersion


class ListText(SeenVersion):
    """The text of a list, in the format of lexicon files."""

    text: str = Field(max_length=MOST_LIST_CHARS)


class NewTerm(SeenVersion):
    """A term to add; the list is made if there is none of that name."""

    list: str = Field(min_length=1, max_length=80)
    term: str = Field(min_length=1, max_length=100)
    category: str = Field(description="porn, gambling, drugs, weapons, one of your own, or exceptions.")
    severity: int = Field(3, ge=1, le=3)


class TriedText(OperatorBody):
    """A text to try."""

    text: str = Field(min_length=1, max_length=500)


class StoredListModel(BaseModel):
    """A list of the operators."""

    name: str
    text: str
    terms: int
    exceptions: int


class LexiconBookModel(BaseModel):
    """The latest version of all lists, and which is in force."""

    version: int
    live_version: int = Field(description="0 while no version is in force.")
    differs: bool = Field(description="Whether the latest version is not what is in force.")
    lists: list[StoredListModel]


class LexiconBookReply(BaseModel):
    """The envelope."""

    data: LexiconBookModel


class CaughtModel(BaseModel):
    """An unsafe term in the text."""

    term: str
    category: str
    severity: int
    where: str = Field(description="As it stands in the text.")
    disguises: list[str]
    lists: list[str]


class TriedData(BaseModel):
    """What the latest version would catch."""

    caught: list[CaughtModel]


class TriedReply(BaseModel):
    """The envelope."""

    data: TriedData


class EffectModel(BaseModel):
    """What the latest version would do to the snapshot's keywords, against what is in force."""

    scanned: int
    keywords: int
    removed: int
    shown: int
    removed_samples: list[str]
    shown_samples: list[str]


class EffectReply(BaseModel):
    """The envelope."""

    data: EffectModel
