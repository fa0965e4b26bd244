"""What people say of recommended keywords.

"Irrelevant" and thumbs up speak of the pair of query and keyword, and become training pairs. "Not my business" speaks
of the organisation alone: the keyword is no longer shown to it, and nobody else is affected.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from indexes.text import normalise
from kr.store.accounts import NoSuchRecord
from kr.store.schema import KEYWORD_CHARS, KeywordVerdict, User, Verdict

MOST_AT_ONCE = 1_000
MOST_QUERY_CHARS = 2_000


def give_verdict(
    session: Session, user: User, query: str, keywords: Iterable[str], verdict: str, now: datetime
) -> list[int]:
    """Record a verdict on each keyword; return the numbers by which it can be taken back.

    UsageError for an unknown verdict, for no keyword, or for what is none.
    """
    if verdict not in set(Verdict):
        raise UsageError(f"There is no verdict {verdict[:30]!r}.", f"Use one of {', '.join(Verdict)}.")
    identities = list(dict.fromkeys(map(normalise, keywords)))
    if not identities or len(identities) > MOST_AT_ONCE:
        raise UsageError(f"{len(identities)} keywords were sent.", f"Send 1 to {MOST_AT_ONCE}.")
    if not all(0 < len(identity) <= KEYWORD_CHARS for identity in identities) or len(query) > MOST_QUERY_CHARS:
        raise UsageError("A keyword or the query is empty or too long.", "Send what the search page showed.")
    rows = [
        KeywordVerdict(
            ts=now,
            organisation_id=user.organisation_id,
            user_id=user.id,
            query=query,
            keyword=identity,
            verdict=verdict,
        )
        for identity in identities
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def take_back(session: Session, organisation_id: str, numbers: Iterable[int], now: datetime) -> int:
    """Undo verdicts of the organisation; return how many. NoSuchRecord for one that is another's or does not exist."""
    wanted = set(numbers)
    rows = session.scalars(
        select(KeywordVerdict).where(
            KeywordVerdict.organisation_id == organisation_id, KeywordVerdict.id.in_(sorted(wanted))
        )
    ).all()
    if len(rows) != len(wanted) or not wanted:
        raise NoSuchRecord("There is no such verdict.")
    for row in rows:
        row.undone_at = row.undone_at or now
    return len(rows)


def dismissed_keywords(session: Session, organisation_id: str) -> set[str]:
    """The keywords of which the organisation last said that they are not its business, whatever it had searched for."""
    living = (KeywordVerdict.organisation_id == organisation_id, KeywordVerdict.undone_at.is_(None))
    last = select(func.max(KeywordVerdict.id)).where(*living).group_by(KeywordVerdict.keyword)
    rows = session.scalars(
        select(KeywordVerdict.keyword).where(
            KeywordVerdict.id.in_(last), KeywordVerdict.verdict == Verdict.NOT_MY_BUSINESS
        )
    )
    return set(rows)


def all_verdicts(session: Session) -> Iterator[KeywordVerdict]:
    """Every verdict that was not taken back, in the order in which they were given."""
    yield from session.scalars(
        select(KeywordVerdict)
        .where(KeywordVerdict.undone_at.is_(None))
        .order_by(KeywordVerdict.id)
        .execution_options(yield_per=1_000)
    )
