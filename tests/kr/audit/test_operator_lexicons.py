"""The operators' lists of unsafe terms: live at the next request, for queries and rows, and never off by a failure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexes.errors import TryAgainError, UsageError
from indexes.unsafe_explanation import disguises
from kr.audit.lexicon_book import (
    add_term,
    caught_in,
    effect_of,
    put_lexicons_live,
    read_lexicon_book,
    remove_list,
    save_list,
)
from kr.audit.lexicons import LexiconsInForce, terms_of
from kr.audit.stored_lists import StoredList
from kr.operator_commands import lexicon, rules
from kr.reasons import Notice
from kr.service import KeywordService
from kr.settings import Settings
from kr.store import Database, open_database
from kr.store.accounts import create_organisation
from kr.store.control_versions import Author, StaleControl, undo
from kr.store.live_controls import LiveControls
from kr.store.migrating import upgrade
from kr.store.operator_schema import Control
from kr.types import Request

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
HEADER = "format: 1\nname: own\nlanguage: any\n"
CAKES = HEADER + "[sweets severity=2]\n蛋糕\n[gambling severity=1]\nflower\n"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/kr.db")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def author(database: Database) -> Author:
    with database.writing() as session:
        return Author(create_organisation(session, "platform", NOW, is_platform=True).id, None, NOW)


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def put(database: Database, author: Author, name: str, text: str) -> None:
    with database.writing() as session:
        save_list(session, read_lexicon_book(session).version, name, text, author)
    with database.writing() as session:
        put_lexicons_live(session, (), read_lexicon_book(session).version, author)


def texts(service: KeywordService, seed: str = "鲜花") -> list[str]:
    return [row["text"] for row in service.keyword_ideas(Request((seed,))).rows]


def test_a_list_that_goes_live_holds_for_rows_and_queries_at_once_and_is_undone_at_once(
    tiny_store: Path, database: Database, author: Author
) -> None:
    service = KeywordService(Settings(store=tiny_store, database=url_of(database)))
    before = texts(service)
    assert "生日蛋糕" in before and "flowers" in before
    put(database, author, "own", CAKES)
    assert texts(service) == [
        text for text in before if text not in ("生日蛋糕", "flowers", "flower delivery", "flower")
    ]
    reply = service.keyword_ideas(Request(("生日蛋 糕",)))
    assert not reply.rows and [note.code for note in reply.notices] == [Notice.QUERY_UNSAFE]
    assert service.related(Request(("生日蛋糕",))).notices[0].code is Notice.QUERY_UNSAFE
    with database.writing() as session:
        remove_list(session, 1, "own", author)
    assert "生日蛋糕" not in texts(service), "not before it goes live"
    with database.writing() as session:
        put_lexicons_live(session, (), 2, author)
    assert texts(service) == before


def test_an_exception_of_an_own_list_allows_what_kr_ships_as_unsafe(
    tiny_store: Path, database: Database, author: Author
) -> None:
    service = KeywordService(Settings(store=tiny_store, database=url_of(database)))
    assert "在线赌博" not in texts(service, "鲜花")
    put(database, author, "allowed", HEADER + "[exceptions]\n赌博\n在线赌博\n")
    reply = service.keyword_ideas(Request(("在线赌博",)))
    assert Notice.QUERY_UNSAFE not in [note.code for note in reply.notices]


def test_when_the_lists_cannot_be_read_nothing_is_shown_until_they_can(database: Database, author: Author) -> None:
    followed = LexiconsInForce((), operators=LiveControls(url_of(database)))
    put(database, author, "own", CAKES)
    assert followed.terms().matches("蛋糕")
    with database.connection(writing=True) as connection:
        connection.exec_driver_sql("UPDATE control_versions SET content = 'no json', live_sequence = 9")
    for _ in range(2):
        with pytest.raises(TryAgainError):
            followed.terms()
    assert followed.problem and "damaged" in followed.problem
    with database.connection(writing=True) as connection:
        connection.exec_driver_sql("UPDATE control_versions SET content = '[]', live_sequence = 10")
    assert not followed.terms().matches("蛋糕")
    with database.connection(writing=True) as connection:
        connection.exec_driver_sql("ALTER TABLE control_versions RENAME TO gone")
    with pytest.raises(TryAgainError):
        followed.terms()
    with database.connection(writing=True) as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO control_versions")
    assert followed.problem is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADER + "[sweets]\n蛋糕", "severity"),
        (HEADER + "[sweets severity=2]\n蛋糕\n[exceptions]\n蛋糕", "both a term and an exception"),
        ("蛋糕", "neither a header line"),
        (HEADER, "no term"),
        (HEADER + "[sweets severity=2]\n" + "x" * 101, "line 5"),
    ],
)
def test_a_list_with_a_mistake_never_goes_live(database: Database, author: Author, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        put(database, author, "own", text)
    with database.reading() as session:
        assert read_lexicon_book(session).live_lists == ()


def test_terms_are_added_in_their_section_and_taken_back(database: Database, author: Author) -> None:
    for seen, (term, category) in enumerate([("电子烟", "tobacco"), ("烟弹", "tobacco"), ("烟花", "exceptions")]):
        with database.writing() as session:
            add_term(session, seen, "own", term, category, 2, author)
    with database.reading() as session:
        (made,) = read_lexicon_book(session).lists
    parsed = made.parsed()
    assert {(term.text, term.category, term.severity) for term in parsed.terms} == {
        ("电子烟", "tobacco", 2),
        ("烟弹", "tobacco", 2),
    }
    assert set(parsed.exceptions) == {"烟花"}
    with pytest.raises(StaleControl), database.writing() as session:
        add_term(session, 2, "own", "x1y2", "tobacco", 2, author)
    for bad in ("", "# x", "[gambling severity=3]"):
        with pytest.raises(UsageError), database.writing() as session:
            add_term(session, 3, "own", bad, "tobacco", 2, author)
    with database.writing() as session:
        undo(session, Control.LEXICONS, 3, author)
        assert set(read_lexicon_book(session).lists[0].parsed().exceptions) == set()


def test_the_effect_is_what_happens_to_every_keyword(tiny_store: Path) -> None:
    service = KeywordService(Settings(store=tiny_store, database="sqlite:////nonexistent/kr.db"))
    own = StoredList("own", CAKES + "[exceptions]\n在线赌博\n赌博\n")
    before, after = terms_of((), ()), terms_of((), (own,))
    found = effect_of(service.indexes, before, after, 2)
    everything = service.indexes.keywords.take(range(len(service.indexes.keywords)))
    unsafe = [{text for text in everything if terms.scan([text])[1][0] >= 2} for terms in (before, after)]
    assert found.scanned == found.keywords == len(everything)
    assert set(found.removed_samples) == unsafe[1] - unsafe[0] == {"生日蛋糕"} and found.removed == 1
    assert set(found.shown_samples) == unsafe[0] - unsafe[1] == {"在线赌博"} and found.shown == 1


@pytest.mark.parametrize(
    ("term", "where", "wanted"),
    [
        ("赌博", "赌博", ()),
        ("赌博", "賭博", ("traditional",)),
        ("赌博", "赌*博", ("split",)),
        ("赌博", "dubo", ("pinyin",)),
        ("赌博", "赌\u200b博", ("invisible",)),
        ("casino", "ｃａｓｉｎｏ", ("full_width",)),
        ("casino", "CASINO", ("case",)),
        ("casino", "c@sin0", ("leetspeak",)),
        ("casino", "саsinо", ("look_alikes",)),
        ("casino", "cäsino", ("accents",)),
        ("casino", "c a s i n o", ("split",)),
        ("online casino", "online casino", ()),
    ],
)
def test_the_disguise_of_a_term_is_named(term: str, where: str, wanted: tuple[str, ...]) -> None:
    assert disguises(term, where) == wanted


def test_a_text_is_explained_with_term_place_disguise_and_list() -> None:
    own = StoredList("own", CAKES)
    found = {each.term: each for each in caught_in("生日蛋*糕 和 賭博", (), [own])}
    assert found["蛋糕"].lists == ("own",) and found["蛋糕"].disguises == ("split",) and found["蛋糕"].severity == 2
    assert found["赌博"].where == "賭博" and found["赌博"].category == "gambling" and "own" not in found["赌博"].lists
    assert caught_in("鲜花", (), [own]) == []


def test_rules_and_lists_are_kept_from_the_command_line(database: Database, author: Author, tmp_path: Path) -> None:
    run, url = CliRunner(), url_of(database)
    rule_file, list_file, out = tmp_path / "r.toml", tmp_path / "own.txt", tmp_path / "out.toml"
    rule_file.write_text('[[rule]]\nname = "x"\naction = "block"\nkeywords.equals = ["a"]\n', encoding="utf-8")
    list_file.write_text(CAKES, encoding="utf-8")

    def done(command: object, *arguments: str) -> str:
        result = run.invoke(command, [*arguments, "--database", url], catch_exceptions=False)  # type: ignore[arg-type]
        assert result.exit_code == 0, result.output
        return result.output

    done(rules, "import", str(rule_file), "--live")
    assert '"live_version": 1' in done(rules, "list", "--json")
    done(rules, "export", str(out))
    assert out.read_text(encoding="utf-8") == rule_file.read_text(encoding="utf-8")
    done(lexicon, "import", str(list_file), "--live")
    assert '"terms": 2' in done(lexicon, "list", "--json")
    assert done(lexicon, "export", "own") == CAKES
    assert '"split"' in done(lexicon, "test", "蛋 糕", "--json")
