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
from kr.store.schema import KEYWORD_CHARS, KeywordVerdict, Organisation, User, Verdict, new_id

MOST_AT_ONCE = 10_000
MOST_QUERY_CHARS = 2_000


def give_verdict(session: Session, user: User, query: str, keywords: Iterable[str], verdict: str, now: datetime) -> str:
    """Record a verdict on each keyword; return the batch by which all can be taken back.

    UsageError for an unknown verdict, for no keyword, or for what is none.
    """
    if verdict not in set(Verdict):
        raise UsageError(
            "There is no verdict {verdict!r}.",
            "Use one of {choices}.",
            verdict=verdict[:30],
            choices=", ".join(Verdict),
        )
    identities = list(dict.fromkeys(map(normalise, keywords)))
    if not identities or len(identities) > MOST_AT_ONCE:
        raise UsageError("{count} keywords were sent.", "Send 1 to {most}.", count=len(identities), most=MOST_AT_ONCE)
    if not all(0 < len(identity) <= KEYWORD_CHARS for identity in identities) or len(query) > MOST_QUERY_CHARS:
        raise UsageError("A keyword or the query is empty or too long.", "Send what the search page showed.")
    batch = new_id()
    session.add_all(
        KeywordVerdict(
            ts=now,
            organisation_id=user.organisation_id,
            user_id=user.id,
            query=query,
            keyword=identity,
            verdict=verdict,
            batch=batch,
        )
        for identity in identities
    )
    session.flush()
    return batch


def take_back(session: Session, organisation_id: str, batch: str, now: datetime) -> int:
    """Undo what the organisation said in one go; return how many verdicts. NoSuchRecord for another's batch."""
    rows = session.scalars(
        select(KeywordVerdict).where(KeywordVerdict.organisation_id == organisation_id, KeywordVerdict.batch == batch)
    ).all()
    if not rows:
        raise NoSuchRecord("There is no such verdict.")
    for row in rows:
        row.undone_at = row.undone_at or now
    return len(rows)


def restore_keyword(session: Session, organisation_id: str, keyword: str, now: datetime) -> None:
    """Show a dismissed keyword again. NoSuchRecord if it was not dismissed."""
    rows = session.scalars(
        select(KeywordVerdict).where(
            KeywordVerdict.organisation_id == organisation_id,
            KeywordVerdict.keyword == normalise(keyword),
            KeywordVerdict.verdict == Verdict.NOT_MY_BUSINESS,
            KeywordVerdict.undone_at.is_(None),
        )
    ).all()
    if not rows:
        raise NoSuchRecord("This keyword was not dismissed.")
    for row in rows:
        row.undone_at = now


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


def liked_keywords(session: Session, organisation_id: str) -> set[str]:
    """The keywords that the organisation last marked as fitting or saved, whatever it had searched for."""
    living = (KeywordVerdict.organisation_id == organisation_id, KeywordVerdict.undone_at.is_(None))
    last = select(func.max(KeywordVerdict.id)).where(*living).group_by(KeywordVerdict.keyword)
    rows = session.scalars(
        select(KeywordVerdict.keyword).where(
            KeywordVerdict.id.in_(last), KeywordVerdict.verdict.in_((Verdict.UP, Verdict.SAVED))
        )
    )
    return set(rows)


def all_verdicts(session: Session) -> Iterator[tuple[KeywordVerdict, str]]:
    """Every verdict that was not taken back, in the order in which they were given, each with its account.

    The account is the advertiser of the logs if the organisation is one, else the organisation.
    """
    rows = session.execute(
        select(KeywordVerdict, func.coalesce(Organisation.advertiser_id, Organisation.id))
        .join(Organisation, Organisation.id == KeywordVerdict.organisation_id)
        .where(KeywordVerdict.undone_at.is_(None))
        .order_by(KeywordVerdict.id)
        .execution_options(yield_per=1_000)
    )
    for row in rows:
        yield row[0], row[1]
