"""Users, sessions and keys: who gets in, for how long, and what ends it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from indexes.errors import NotFoundError, UsageError
from kr.store import Database
from kr.store.accounts import (
    create_organisation,
    create_user,
    disable_user,
    email_identity,
    find_user,
    organisation_named,
    set_password,
    users_of,
)
from kr.store.api_keys import MOST_KEYS, create_key, find_key, living_keys, revoke_key
from kr.store.schema import ApiKey, AuditEntry, Role, SignInSession, User
from kr.store.sign_in import (
    FAILURES_COUNTED_FOR,
    FAILURES_OF_ONE_ADDRESS,
    FAILURES_OF_ONE_USER,
    IDLE_TIME,
    LONGEST_TIME,
    TooManyTries,
    WrongPassword,
    find_session,
    forget_ended_sessions,
    record_failure,
    revoke_session,
    sessions_of,
    sign_in,
)
from tests.kr.store.conftest import Clock

PASSWORD = "correct horse battery"
HERE = "192.0.2.7"


@pytest.fixture
def users(database: Database, clock: Clock) -> tuple[User, User]:
    """One user in each of two organisations."""
    with database.writing() as session:
        made = [
            create_user(
                session,
                create_organisation(session, name, clock.now),
                f"{name}@example.com",
                name,
                Role.ADMIN,
                PASSWORD,
                clock.now,
            )
            for name in ("one", "two")
        ]
    return made[0], made[1]


def enter(database: Database, clock: Clock, email: str = "one@example.com", password: str = PASSWORD) -> str:
    with database.writing() as session:
        return sign_in(session, email, password, HERE, "a browser", clock.now).token


def fail(database: Database, clock: Clock, email: str = "one@example.com", address: str = HERE) -> None:
    with database.writing() as session:
        record_failure(session, email, address, clock.now)


def living(database: Database, token: str, clock: Clock) -> bool:
    with database.reading() as session:
        return find_session(session, token, clock.now) is not None


def test_the_right_password_signs_in_whatever_the_case_of_the_address(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    token = enter(database, clock, " One@EXAMPLE.com ")
    with database.reading() as session:
        found = find_session(session, token, clock.now)
        assert found is not None
        assert found.user.email == "one@example.com"
        assert found.user.organisation.name == "one"


@pytest.mark.parametrize(("email", "password"), [("one@example.com", "wrong"), ("nobody@example.com", PASSWORD)])
def test_a_wrong_password_and_an_unknown_user_are_told_alike(
    database: Database, users: tuple[User, User], clock: Clock, email: str, password: str
) -> None:
    with pytest.raises(WrongPassword) as told:
        enter(database, clock, email, password)
    assert str(told.value) == str(WrongPassword())


def test_neither_token_nor_key_nor_password_is_stored(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    token = enter(database, clock)
    with database.writing() as session:
        key, text = create_key(session, users[0], "a script", clock.now)
    with database.connection() as connection:
        dump = repr([connection.execute(select(model.__table__)).all() for model in (User, SignInSession, ApiKey)])
    assert token not in dump
    assert text not in dump
    assert PASSWORD not in dump
    assert key.beginning in text


def test_too_many_failures_refuse_even_the_right_password_until_they_are_old(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    for _ in range(FAILURES_OF_ONE_USER):
        fail(database, clock)
        clock.pass_by(seconds=10)
    with pytest.raises(TooManyTries) as told:
        enter(database, clock)
    assert enter(database, clock, "two@example.com"), "another user may still sign in"
    clock.pass_by(seconds=told.value.seconds)
    assert enter(database, clock)


def test_failures_of_one_network_address_count_together(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    for number in range(FAILURES_OF_ONE_ADDRESS):
        fail(database, clock, f"{number}@example.com")
    with pytest.raises(TooManyTries):
        enter(database, clock, "two@example.com")


def test_signing_in_forgives_the_users_failures(database: Database, users: tuple[User, User], clock: Clock) -> None:
    for _ in range(FAILURES_OF_ONE_USER - 1):
        fail(database, clock)
    enter(database, clock)
    fail(database, clock)
    assert enter(database, clock)


def test_old_failures_are_forgotten(database: Database, users: tuple[User, User], clock: Clock) -> None:
    from kr.store.schema import FailedSignIn

    fail(database, clock)
    clock.now += FAILURES_COUNTED_FOR + timedelta(seconds=1)
    fail(database, clock, "two@example.com")
    with database.reading() as session:
        assert len(session.scalars(select(FailedSignIn)).all()) == 1


def test_a_session_ends_when_idle_and_at_last_in_any_case(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    token = enter(database, clock)
    clock.now += IDLE_TIME
    assert living(database, token, clock)
    clock.pass_by(seconds=1)
    assert not living(database, token, clock)
    token = enter(database, clock)
    begun = clock.now
    while clock.now - begun < LONGEST_TIME:
        clock.now += IDLE_TIME / 2
        with database.writing() as session:
            if (found := find_session(session, token, clock.now)) is not None:
                found.last_seen_at = clock.now
    clock.pass_by(seconds=1)
    assert not living(database, token, clock)
    clock.now += 2 * LONGEST_TIME
    with database.writing() as session:
        assert forget_ended_sessions(session, clock.now) == 2


def test_a_session_can_be_ended_by_its_user_only(database: Database, users: tuple[User, User], clock: Clock) -> None:
    token = enter(database, clock)
    with database.reading() as session:
        (own,) = sessions_of(session, users[0].id, clock.now)
    with pytest.raises(NotFoundError), database.writing() as session:
        revoke_session(session, users[1].id, own.id, clock.now)
    assert living(database, token, clock)
    with database.writing() as session:
        revoke_session(session, users[0].id, own.id, clock.now)
    assert not living(database, token, clock)


def test_a_new_password_ends_all_sessions(database: Database, users: tuple[User, User], clock: Clock) -> None:
    tokens = [enter(database, clock), enter(database, clock)]
    with database.writing() as session:
        set_password(
            session, find_user(session, users[0].organisation_id, users[0].id), "four new words now", clock.now
        )
    assert not any(living(database, token, clock) for token in tokens)
    with pytest.raises(WrongPassword):
        enter(database, clock)
    assert enter(database, clock, password="four new words now")


def test_a_disabled_user_loses_sessions_and_keys(database: Database, users: tuple[User, User], clock: Clock) -> None:
    token = enter(database, clock)
    with database.writing() as session:
        user = find_user(session, users[0].organisation_id, users[0].id)
        _, key = create_key(session, user, "a script", clock.now)
        disable_user(session, user, clock.now)
    assert not living(database, token, clock)
    with database.reading() as session:
        assert find_key(session, key) is None
    with pytest.raises(WrongPassword):
        enter(database, clock)


def test_a_key_works_until_revoked_and_only_its_organisation_can(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    with database.writing() as session:
        made, text = create_key(session, users[0], "a script", clock.now)
    with database.reading() as session:
        found = find_key(session, text)
        assert found is not None
        assert found.user.organisation_id == users[0].organisation_id
        assert find_key(session, text[:-1]) is None
        assert find_key(session, made.key_sha256) is None
        assert living_keys(session, users[1].organisation_id) == []
    with pytest.raises(NotFoundError), database.writing() as session:
        revoke_key(session, users[1], made.id, clock.now)
    with database.writing() as session:
        revoke_key(session, users[0], made.id, clock.now)
    with database.reading() as session:
        assert find_key(session, text) is None


def test_there_are_not_endlessly_many_keys(database: Database, users: tuple[User, User], clock: Clock) -> None:
    with database.writing() as session:
        for number in range(MOST_KEYS):
            create_key(session, users[0], f"key {number}", clock.now)
        with pytest.raises(UsageError, match="Revoke"):
            create_key(session, users[0], "one more", clock.now)


def test_users_of_other_organisations_are_not_found(database: Database, users: tuple[User, User]) -> None:
    with database.reading() as session:
        assert [user.id for user in users_of(session, users[0].organisation_id)] == [users[0].id]
        with pytest.raises(NotFoundError):
            find_user(session, users[0].organisation_id, users[1].id)


def test_changes_of_users_are_in_the_audit_log(database: Database, users: tuple[User, User], clock: Clock) -> None:
    with database.writing() as session:
        disable_user(session, find_user(session, users[0].organisation_id, users[0].id), clock.now, users[0])
    with database.reading() as session:
        entries = session.execute(
            select(AuditEntry.action, AuditEntry.user_id).where(AuditEntry.organisation_id == users[0].organisation_id)
        ).all()
    assert [tuple(entry) for entry in entries] == [("user.created", None), ("user.disabled", users[0].id)]


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "12 to"), ("aaaaaaaaaaaaaaaa", "easy"), ("x" * 1001, "12 to"), ("longname@example.com", "easy")],
)
def test_weak_passwords_are_refused_with_advice(
    database: Database, users: tuple[User, User], clock: Clock, password: str, why: str
) -> None:
    with pytest.raises(UsageError, match=why), database.writing() as session:
        create_user(session, users[0].organisation, "longname@example.com", "", Role.ADVERTISER, password, clock.now)


@pytest.mark.parametrize("email", ["", "a", "a@b", "a b@c.d", "a@b c.d", "@b.c", "a@b.c\n", "a@" + "b" * 260 + ".c"])
def test_what_is_no_address_is_refused(email: str) -> None:
    if email.strip() == "a@b.c":
        assert email_identity(email) == "a@b.c"
    else:
        with pytest.raises(UsageError, match="e-mail"):
            email_identity(email)


def test_only_the_platform_has_operators_and_analysts(
    database: Database, users: tuple[User, User], clock: Clock
) -> None:
    with pytest.raises(UsageError, match="platform"), database.writing() as session:
        create_user(session, users[0].organisation, "o@example.com", "", Role.OPERATOR, PASSWORD, clock.now)
    with database.writing() as session:
        platform = organisation_named(session, "the platform", clock.now, is_platform=True)
        assert (
            create_user(session, platform, "o@example.com", "", Role.OPERATOR, PASSWORD, clock.now).role == "operator"
        )


def test_names_and_advertisers_are_taken_once(database: Database, users: tuple[User, User], clock: Clock) -> None:
    with database.writing() as session:
        create_organisation(session, "three", clock.now, advertiser_id="a1")
        for name, advertiser in (("one", None), ("four", "a1"), ("", None)):
            with pytest.raises(UsageError):
                create_organisation(session, name, clock.now, advertiser_id=advertiser)
        with pytest.raises(UsageError, match="already"):
            create_user(session, users[1].organisation, "ONE@example.com", "", Role.ADMIN, PASSWORD, clock.now)
        assert organisation_named(session, " one ", clock.now).id == users[0].organisation_id
        with pytest.raises(UsageError, match="advertiser"):
            organisation_named(session, "one", clock.now, is_platform=True)
