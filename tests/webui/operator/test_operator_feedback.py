"""The queue of feedback and the audit log, on pages and over the API."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from kr.store import Database
from kr.store.accounts import create_organisation, create_user, record, utc_now
from kr.store.audit_log import AuditLogIsAppendOnly
from kr.store.schema import AuditEntry, Organisation, Role
from kr.store.verdict_export import export_verdicts
from kr.store.verdicts import give_verdict

Post = Callable[..., Any]
People = dict[str, tuple[FlaskClient, str]]
SAID = {
    "one": [("鲜花", "生日蛋糕", "irrelevant"), ("鲜花", "flowers", "up"), ("鲜花", "鲜花店", "saved")],
    "two": [("鲜花", "生日蛋糕", "up"), ("鲜花", "生日蛋糕", "irrelevant"), ("鲜花", "flowers", "not_my_business")],
    "three": [("鲜花", "生日蛋糕", "up"), ("FLOWER ", "在线赌博", "irrelevant")],
}


@pytest.fixture
def said(database: Database, people: People) -> None:
    """Three organisations said something of the same keywords."""
    with database.writing() as session:
        for name, verdicts in SAID.items():
            home = create_organisation(session, f"shop {name}", utc_now())
            user = create_user(
                session, home, f"{name}@shop.example", name, Role.ADVERTISER, "three good words", utc_now()
            )
            for query, keyword, verdict in verdicts:
                give_verdict(session, user, query, [keyword], verdict, utc_now())


def test_the_queue_counts_each_organisation_once_by_its_last_word(said: None, call: Callable[..., Any]) -> None:
    data = call("GET", "feedback").get_json()["data"]
    rows = {row["keyword"]: row for row in data["queue"]}
    assert data["total"] == 3 and list(rows) == ["生日蛋糕", "flowers", "在线赌博"], "saving alone is no question"
    assert rows["生日蛋糕"]["organisations"] == {"irrelevant": ["shop one", "shop two"], "up": ["shop three"]}
    assert rows["生日蛋糕"]["agreement"] == pytest.approx(2 / 3)
    assert rows["flowers"]["agreement"] == 1 and rows["在线赌博"]["query"] == "flower"


def test_decisions_empty_the_queue_and_decide_what_is_exported(
    said: None, operator: FlaskClient, post: Post, call: Callable[..., Any], database: Database, tmp_path: Path
) -> None:
    def exported(name: str) -> list[tuple[str, str, str]]:
        export_verdicts(database, tmp_path / name)
        rows = pq.read_table(tmp_path / name / "feedback" / "verdicts.parquet").to_pylist()
        return sorted((row["keyword"], row["verdict"], "operator" * (row["account_id"] == "operator")) for row in rows)

    everything = exported("before")
    assert len(everything) == 8
    page = "/operator/feedback"
    for keyword, decision in (("生日蛋糕", "irrelevant"), ("flowers", "rejected")):
        assert post(operator, page, page, query="鲜花", keyword=keyword, decision=decision).status_code == 303
    left = call("GET", "feedback").get_json()["data"]
    assert [row["keyword"] for row in left["queue"]] == ["在线赌博"]
    assert [(row["keyword"], row["decision"], row["person"]) for row in left["decisions"]] == [
        ("flowers", "rejected", "operator@example.com"),
        ("生日蛋糕", "irrelevant", "operator@example.com"),
    ]
    assert exported("after") == [
        ("flowers", "not_my_business", ""),
        ("在线赌博", "irrelevant", ""),
        ("生日蛋糕", "irrelevant", ""),
        ("生日蛋糕", "irrelevant", ""),
        ("生日蛋糕", "irrelevant", "operator"),
        ("鲜花店", "saved", ""),
    ]
    again = post(operator, page, page, query="鲜花", keyword="flowers", decision="relevant")
    assert again.status_code == 409, "another operator was faster"
    for decision in left["decisions"]:
        assert post(operator, f"{page}/{decision['id']}/undo", page).status_code == 303
    assert call("GET", "feedback").get_json()["data"]["total"] == 3
    assert exported("undone") == everything


def test_blocking_makes_a_rule_and_an_unsafe_keyword_a_term_that_wait_to_go_live(
    said: None, call: Callable[..., Any], served: Post
) -> None:
    before = served()
    decide = {"query": "鲜花", "keyword": "flowers"}
    assert call("POST", "feedback", **decide, decision="blocked").status_code == 201
    decide = {"query": "鲜花", "keyword": "生日蛋糕"}
    assert call("POST", "feedback", **decide, decision="unsafe", category="gambling").status_code == 201
    assert served() == before
    assert call("POST", "rules/live", version=1).status_code == 200
    assert call("POST", "lexicons/live", version=1).status_code == 200
    assert served() == [text for text in before if text not in ("flowers", "生日蛋糕")]


@pytest.mark.parametrize(
    "fields",
    [
        {"query": "鲜花", "keyword": "flowers", "decision": "destroy"},
        {"query": "other", "keyword": "flowers", "decision": "relevant"},
        {"query": "鲜花", "keyword": "", "decision": "relevant"},
        {"query": "鲜花", "keyword": "flowers", "decision": "unsafe", "category": "Not A Category"},
    ],
)
def test_what_cannot_be_decided_is_told_and_leaves_the_queue_as_it_was(
    said: None, operator: FlaskClient, post: Post, call: Callable[..., Any], fields: dict[str, str]
) -> None:
    assert post(operator, "/operator/feedback", "/operator/feedback", **fields).status_code == 400
    assert call("POST", "feedback", **fields).status_code == 400
    assert call("GET", "feedback").get_json()["data"]["total"] == 3


def test_advertisers_see_nothing_of_what_others_said(said: None, people: People) -> None:
    browser = people["advertiser"][0]
    for address in ("/account", "/lists", "/search?q=鲜花"):
        assert "shop " not in browser.get(address).get_data(as_text=True)


def test_the_audit_log_is_filtered_by_person_kind_and_day(call: Callable[..., Any], operator: FlaskClient) -> None:
    block = {"name": "b", "action": "block", "keywords": {"equals": ["flowers"]}}
    call("POST", "rules", version=0, rule=block)
    call("POST", "rules/live", version=1)
    call("POST", "lexicons/terms", "admin", version=0, list="own", term="tart", category="sweets")

    def found(query: str) -> list[tuple[str, str | None]]:
        rows = call("GET", f"audit?{query}").get_json()["data"]["entries"]
        return [(row["action"], row["person"]) for row in rows]

    assert found("action=rules") == [
        ("rules.live", "operator@example.com"),
        ("rules.edited", "operator@example.com"),
    ]
    assert found("action=rules.live&person=OPERATOR") == [("rules.live", "operator@example.com")]
    assert found("person=admin@&action=lexicons") == [("lexicons.edited", "admin@example.com")]
    today = utc_now().date().isoformat()
    assert found(f"action=rules&from={today}&until={today}") == found("action=rules")
    assert found("until=2000-01-01") == found("from=9999-12-31") == []
    assert call("GET", "audit?from=yesterday").status_code == 400
    (live,) = call("GET", "audit?action=rules.live").get_json()["data"]["entries"]
    assert live["before"] is None and '"flowers"' in live["after"]
    page = operator.get("/operator/audit?action=rules").get_data(as_text=True)
    assert "rules.live" in page and "lexicons.edited" not in page.split("<section")[1]
    assert operator.get("/operator/audit?from=yesterday").status_code == 400
    assert operator.get("/operator/audit/audit.csv?from=yesterday").status_code == 400


def test_the_log_goes_on_page_after_page_and_its_file_runs_nothing(
    operator: FlaskClient, database: Database, parse: Callable[[str], Any]
) -> None:
    with database.writing() as session:
        home = session.scalars(select(Organisation)).first()
        assert home
        for number in range(250):
            record(session, home.id, None, "test.made", f'=HYPERLINK("{number}")', utc_now(), "+1", "a,\n@b")
    seen, address = [], "/operator/audit?action=test"
    while address:
        page = parse(operator.get(address).get_data(as_text=True))
        seen += [element.text for element in page.all("bdi") if "HYPERLINK" in element.text]
        address = next((str(a.attributes["href"]) for a in page.all("a", rel="next")), "")
    assert seen == [f'=HYPERLINK("{number}")' for number in range(249, -1, -1)]
    text = operator.get("/operator/audit/audit.csv?action=test").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 251
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@")]


def test_no_code_can_change_or_remove_an_entry(database: Database, people: People) -> None:
    for change in (
        lambda session, entry: setattr(entry, "subject", "other"),
        lambda session, entry: session.delete(entry),
        lambda session, entry: session.execute(update(AuditEntry).values(subject="other")),
        lambda session, entry: session.execute(delete(AuditEntry)),
    ):
        with pytest.raises(AuditLogIsAppendOnly), database.writing() as session:
            entry = session.scalars(select(AuditEntry)).first()
            assert entry
            change(session, entry)
