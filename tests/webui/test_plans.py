"""Plans by forms alone, as without JavaScript, and the same by the API."""

import html
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask

from kr.planning.plan import Plan
from kr.settings import Settings
from kr.store import Database, open_database, passwords
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.api_keys import create_key
from kr.store.lists import add_keywords, create_list
from kr.store.migrating import upgrade
from kr.store.plans import find_plan, plans_of, read_plan
from kr.store.schema import Role
from webui.application import create_app
from webui.settings import WebSettings

PASSWORD = "correct horse battery"
FORM = {"Sec-Fetch-Site": "same-origin"}
KEYWORDS = ["鲜花", "鲜花速递", "鲜花店", "flower delivery", "flowers", "生日蛋糕"]
ACCOUNT = (
    "Campaign,Ad Group,Keyword,Criterion Type,Max CPC,Final URL,Status,Labels\r\n"
    "花,速递,鲜花速递,Phrase,9.00,https://shop.example/,Enabled,a;b\r\n"
    "花,速递,鲜花速递,Phrase,1.00,,Paused,\r\n"
    "花,速递,flowers,Broad,,,Enabled,\r\n"
    "花,店,鲜花店,Exact,0.50,,Enabled,\r\n"
    "花,店,在线赌博,Exact,0.50,,Enabled,\r\n"
    "花,店,店,Negative Phrase,,,,\r\n"
    "花,,免费,Campaign Negative Broad,,,,\r\n"
)


@pytest.fixture(scope="module", autouse=True)
def quick_hasher() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", cache(lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
        yield


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/kr.db")
    upgrade(opened)
    yield opened
    opened.close()


class Advertiser:
    """Somebody who is signed in, and their key."""

    def __init__(self, web: Flask, database: Database, name: str = "one") -> None:
        self.database = database
        with database.writing() as session:
            home = create_organisation(session, name, utc_now())
            user = create_user(session, home, f"{name}@example.com", name, Role.ADVERTISER, PASSWORD, utc_now())
            self.home = home.id
            self.key = create_key(session, user, "key", utc_now())[1]
        self.browser = web.test_client()
        self.post("/sign-in", "/sign-in", email=f"{name}@example.com", password=PASSWORD)

    def post(self, address: str, seen: str, **fields: Any) -> Any:
        html = self.browser.get(seen).get_data(as_text=True)
        token = re.search(r'name="csrf_token" value="([^"]+)"', html)
        assert token, html
        found = re.search(r'name="version" value="(\d+)"', html)
        version = {"version": found[1]} if found else {}
        kind = "multipart/form-data" if "file" in fields else None
        data = {"csrf_token": token[1], **version, **fields}
        return self.browser.post(address, data=data, headers=FORM, content_type=kind)

    def change(self, plan_id: str, act: str, **fields: Any) -> Any:
        reply = self.post(f"/plans/{plan_id}/change", f"/plans/{plan_id}", act=act, **fields)
        assert reply.status_code == 303, reply.get_data(as_text=True)
        return self.plan(plan_id)

    def call(self, method: str, path: str, **body: Any) -> Any:
        options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self.key}"}}
        if body:
            options["json"] = body
        return self.browser.application.test_client().open(f"/api/v1/plans{path}", method=method, **options)

    def plan(self, plan_id: str) -> Plan:
        with self.database.reading() as session:
            return read_plan(session, find_plan(session, self.home, plan_id))

    def only_plan(self) -> str:
        with self.database.reading() as session:
            (summary,) = plans_of(session, self.home)
            return summary.plan.id


@pytest.fixture
def web(tiny_store: Path, database: Database) -> Flask:
    url = database.engine.url.render_as_string(hide_password=False)
    return create_app(Settings(store=tiny_store, database=url), WebSettings())


@pytest.fixture
def advertiser(web: Flask, database: Database) -> Advertiser:
    return Advertiser(web, database)


@pytest.fixture
def uploaded(advertiser: Advertiser) -> str:
    file = (io.BytesIO(ACCOUNT.encode()), "account.csv")
    reply = advertiser.post("/plans/upload", "/plans", file=file)
    assert reply.status_code == 303, reply.get_data(as_text=True)
    assert "kept=7" in reply.headers["Location"]
    return advertiser.only_plan()


def ids(plan: Plan, *texts: str) -> list[str]:
    return [str(item.id) for item in plan.keywords.values() if item.text in texts]


def group(plan: Plan, name: str) -> int:
    return next(item.id for item in plan.ad_groups.values() if item.name == name)


def test_a_list_becomes_a_plan_with_match_types(advertiser: Advertiser) -> None:
    with advertiser.database.writing() as session:
        made = create_list(session, advertiser.home, "Spring", utc_now())
        add_keywords(session, advertiser.home, made.id, KEYWORDS, "鲜花", utc_now())
    reply = advertiser.post("/plans", "/plans", list=made.id)
    assert reply.status_code == 303
    plan = advertiser.plan(advertiser.only_plan())
    assert sorted(item.text for item in plan.positive()) == sorted(KEYWORDS)
    assert all(item.match_type for item in plan.positive())
    assert [item.name for item in plan.ad_groups.values()] == ["Spring"]


def test_ticked_keywords_of_a_search_go_to_a_plan_and_back(advertiser: Advertiser) -> None:
    fields = {"search": "q=鲜花", "act": "plan", "keyword": ["鲜花店", "鲜花速递"], "plan": "new", "name": "Spring"}
    reply = advertiser.post("/search/act", "/search?q=鲜花", **fields)
    page = advertiser.browser.get(reply.headers["Location"]).get_data(as_text=True)
    assert "2 keywords were added to the plan “Spring”." in page
    plan_id = advertiser.only_plan()
    assert {item.text for item in advertiser.plan(plan_id).positive()} == {"鲜花店", "鲜花速递"}
    again = advertiser.post("/search/act", "/search?q=鲜花", **{**fields, "plan": plan_id, "keyword": ["鲜花店"]})
    assert "0 keywords" in advertiser.browser.get(again.headers["Location"]).get_data(as_text=True)
    undo = re.search(r'name="undo" value="([^"]+)"', page)
    assert undo
    advertiser.post("/search/undo", "/search?q=鲜花", search="q=鲜花", undo=undo[1])
    assert not advertiser.plan(plan_id).keywords


def test_a_file_becomes_a_plan_and_the_same_file_again(advertiser: Advertiser, uploaded: str) -> None:
    reply = advertiser.browser.get(f"/plans/{uploaded}/export?format=google_ads_editor")
    assert reply.status_code == 200
    again = reply.get_data(as_text=True).lstrip("\ufeff")
    amounts = ACCOUNT.replace("9.00", "9").replace("1.00", "1").replace("0.50", "0.5")
    assert again.splitlines()[0] == amounts.splitlines()[0]
    assert {
        line.replace("0.50", "0.5").replace("9.00", "9").replace("1.00", "1") for line in again.splitlines()
    } == set(amounts.splitlines())


@pytest.mark.parametrize("name", ["", "empty.csv"])
def test_a_file_without_keywords_makes_no_plan(advertiser: Advertiser, name: str) -> None:
    reply = advertiser.post("/plans/upload", "/plans", file=(io.BytesIO(b"Keyword\r\n"), name))
    assert reply.status_code == 400
    with advertiser.database.reading() as session:
        assert not plans_of(session, advertiser.home)


def test_a_plan_is_edited_by_menus_and_undone(advertiser: Advertiser, uploaded: str) -> None:
    before = plan = advertiser.plan(uploaded)
    shop = group(plan, "店")
    plan = advertiser.change(uploaded, "rename_ad_group", ad_group=shop, name="shop")
    assert plan.ad_groups[shop].name == "shop"
    plan = advertiser.change(uploaded, "split_ad_group", keyword=ids(plan, "flowers"), new_name="english")
    assert [item.text for item in plan.keywords_of(group(plan, "english"))] == ["flowers"]
    plan = advertiser.change(uploaded, "move_keywords", keyword=ids(plan, "flowers"), to=shop)
    assert "english" not in {item.name for item in plan.ad_groups.values()}, "an empty group goes"
    plan = advertiser.change(uploaded, "match_type", keyword=ids(plan, "flowers"), match_type="EXACT")
    plan = advertiser.change(uploaded, "bid", keyword=ids(plan, "flowers"), bid="1.25")
    (flowers,) = (item for item in plan.positive() if item.text == "flowers")
    assert (flowers.match_type, flowers.bid_micros) == ("EXACT", 1_250_000)
    plan = advertiser.change(uploaded, "suggested_bid", keyword=ids(plan, "鲜花速递"))
    assert {item.bid_micros for item in plan.positive() if item.text == "鲜花速递"} == {2_380_000}
    plan = advertiser.change(uploaded, "merge_ad_groups", ad_groups=[str(shop)], into=group(plan, "速递"))
    assert len(plan.ad_groups) == 1
    plan = advertiser.change(uploaded, "add_negatives", keywords="招聘\n二手", match_type="BROAD", scope="all")
    assert len(plan.negative()) == 4
    for _ in range(8):
        assert advertiser.post(f"/plans/{uploaded}/undo", f"/plans/{uploaded}").status_code == 303
    after = advertiser.plan(uploaded)
    assert (after.campaigns, after.ad_groups, after.keywords) == (before.campaigns, before.ad_groups, before.keywords)


def test_an_older_page_is_refused_and_says_so(advertiser: Advertiser, uploaded: str) -> None:
    plan = advertiser.plan(uploaded)
    advertiser.change(uploaded, "rename_ad_group", ad_group=group(plan, "店"), name="shop")
    reply = advertiser.post(
        f"/plans/{uploaded}/change",
        f"/plans/{uploaded}",
        version="2",
        act="remove_keywords",
        keyword=ids(plan, "flowers"),
    )
    assert reply.status_code == 409
    assert "changed by somebody else" in reply.get_data(as_text=True)
    assert advertiser.call("PATCH", f"/{uploaded}", version=2, name="x").status_code == 409
    assert advertiser.call("POST", f"/{uploaded}/undo", version=2).get_json()["type"] == "/problems#conflict"
    assert ids(advertiser.plan(uploaded), "flowers")


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("remove_keywords", {}, "Nothing was ticked."),
        ("bid", {"keyword": "3", "bid": "much"}, "not an amount"),
        ("bid", {"keyword": "99", "bid": "1"}, "no keyword 99"),
        ("move_keywords", {"keyword": "3"}, "Nothing was chosen."),
        ("add_keywords", {"ad_group": "2", "keywords": " \n"}, "no keyword in the box"),
        ("match_type", {"keyword": "3", "match_type": "NEAR"}, "has a mistake"),
        ("suggested_negatives", {"suggestion": "x"}, "not there any more"),
        ("dance", {}, "unknown"),
    ],
)
def test_a_form_that_cannot_be_done_says_why_and_changes_nothing(
    advertiser: Advertiser, uploaded: str, act: str, fields: dict[str, str], said: str
) -> None:
    before = advertiser.plan(uploaded)
    reply = advertiser.post(f"/plans/{uploaded}/change", f"/plans/{uploaded}", act=act, **fields)
    assert reply.status_code == 400
    assert said in reply.get_data(as_text=True)
    assert advertiser.plan(uploaded) == before


@pytest.mark.parametrize("way", ["stem", "meaning", "both", "intent"])
def test_a_grouping_is_looked_at_taken_and_undone(advertiser: Advertiser, uploaded: str, way: str) -> None:
    before = advertiser.plan(uploaded)
    page = advertiser.browser.get(f"/plans/{uploaded}/groupings?by={way}").get_data(as_text=True)
    assert "Silhouette" in page and advertiser.plan(uploaded) == before
    reply = advertiser.post(f"/plans/{uploaded}/regroup", f"/plans/{uploaded}/groupings", by=way)
    assert reply.status_code == 303
    after = advertiser.plan(uploaded)
    assert sorted(item.id for item in after.positive()) == sorted(item.id for item in before.positive())
    languages = {
        number: {item.text.isascii() for item in after.keywords_of(number) if not item.negative}
        for number in after.ad_groups
    }
    assert all(len(found) == 1 for found in languages.values())
    advertiser.post(f"/plans/{uploaded}/undo", f"/plans/{uploaded}")
    assert advertiser.plan(uploaded).keywords == before.keywords


def test_findings_are_shown_mended_and_undone(advertiser: Advertiser, uploaded: str) -> None:
    before = advertiser.plan(uploaded)
    data = advertiser.call("GET", f"/{uploaded}/diagnosis").get_json()["data"]
    codes = [finding["code"] for finding in data["findings"]]
    assert codes[:2] == ["unsafe", "conflicting_negative"]
    assert {"duplicate_in_group", "bid_above_range", "no_bid"} <= set(codes)
    page = advertiser.browser.get(f"/plans/{uploaded}/diagnosis").get_data(as_text=True)
    for finding in data["findings"]:
        if finding["code"] in ("unsafe", "conflicting_negative"):
            assert finding["key"] in page
            reply = advertiser.post(f"/plans/{uploaded}/fix", f"/plans/{uploaded}/diagnosis", one=finding["key"])
            assert reply.status_code == 303, reply.get_data(as_text=True)
    after = advertiser.plan(uploaded)
    assert not ids(after, "在线赌博", "店")
    left = [item["code"] for item in advertiser.call("GET", f"/{uploaded}/diagnosis").get_json()["data"]["findings"]]
    assert "unsafe" not in left and "conflicting_negative" not in left
    gone = advertiser.post(f"/plans/{uploaded}/fix", f"/plans/{uploaded}/diagnosis", one=data["findings"][0]["key"])
    assert gone.status_code == 400
    for _ in range(2):
        advertiser.post(f"/plans/{uploaded}/undo", f"/plans/{uploaded}")
    assert advertiser.plan(uploaded).keywords == before.keywords


def test_every_finding_can_be_mended_and_undone_over_the_api(advertiser: Advertiser, uploaded: str) -> None:
    before = advertiser.plan(uploaded)
    data = advertiser.call("GET", f"/{uploaded}/diagnosis").get_json()["data"]
    for finding in data["findings"]:
        version = advertiser.call("GET", f"/{uploaded}").get_json()["data"]["version"]
        fixed = advertiser.call("POST", f"/{uploaded}/fixes", version=version, keys=[finding["key"]])
        assert fixed.status_code == 200, fixed.get_data(as_text=True)
        assert fixed.get_json()["data"]["version"] == version + 1, finding
        undone = advertiser.call("POST", f"/{uploaded}/undo", version=version + 1)
        assert undone.status_code == 200
        assert advertiser.plan(uploaded).keywords == before.keywords, finding


def test_suggested_negatives_are_added_from_the_page(advertiser: Advertiser) -> None:
    made = advertiser.call(
        "POST",
        "",
        name="x",
        operations=[
            {
                "op": "add_keywords",
                "keywords": ["鲜花"],
                "campaign_name": "c",
                "ad_group_name": "a",
                "match_type": "BROAD",
            },
            {
                "op": "add_keywords",
                "keywords": ["鲜花店"],
                "campaign_name": "c",
                "ad_group_name": "b",
                "match_type": "EXACT",
            },
        ],
    )
    plan_id = made.get_json()["data"]["id"]
    found = advertiser.call("GET", f"/{plan_id}/negatives").get_json()["data"]["negatives"]
    assert [(item["text"], item["match_type"], item["reason"]) for item in found if item["ad_group"]] == [
        ("鲜花店", "PHRASE", "sibling")
    ], "what another ad group bids on"
    page = advertiser.browser.get(f"/plans/{plan_id}/negatives").get_data(as_text=True)
    keys = re.findall(r'name="suggestion" value="([^"]+)"', page)
    assert keys
    reply = advertiser.post(
        f"/plans/{plan_id}/change",
        f"/plans/{plan_id}/negatives",
        act="suggested_negatives",
        suggestion=[html.unescape(key) for key in keys],
    )
    assert reply.status_code == 303
    assert [item.text for item in advertiser.plan(plan_id).negative()] == [item["text"] for item in found]
    assert advertiser.call("GET", f"/{plan_id}/negatives").get_json()["data"]["negatives"] == []


def test_the_api_does_what_the_pages_do(advertiser: Advertiser) -> None:
    made = advertiser.call("POST", "", name="x").get_json()["data"]
    plan_id = made["id"]
    headers = {"Authorization": f"Bearer {advertiser.key}"}
    program = advertiser.browser.application.test_client()
    imported = program.post(f"/api/v1/plans/{plan_id}/import", data=ACCOUNT.encode(), headers=headers).get_json()[
        "data"
    ]
    assert (imported["read"], imported["kept"], imported["rejected"], imported["version"]) == (7, 7, 0, 2)
    groupings = advertiser.call("GET", f"/{plan_id}/groupings?lang=zh").get_json()["data"]
    assert [grouping["by"] for grouping in groupings["groupings"]] == ["stem", "meaning", "both", "intent"]
    for grouping in groupings["groupings"]:
        numbers = [number for group in grouping["groups"] for number in group["keywords"]]
        assert sorted(numbers) == sorted(item.id for item in advertiser.plan(plan_id).positive())
    regrouped = advertiser.call("POST", f"/{plan_id}/groupings", version=2, by="stem").get_json()["data"]
    assert regrouped["version"] == 3 and regrouped["can_undo"] == "regroup"
    renamed = advertiser.call("PATCH", f"/{plan_id}", version=3, name="y").get_json()["data"]
    assert (renamed["name"], renamed["version"]) == ("y", 4)
    exported = advertiser.call("GET", f"/{plan_id}/export?format=jsonl")
    assert len(exported.get_data(as_text=True).splitlines()) == 7
    assert [item["name"] for item in advertiser.call("GET", "").get_json()["data"]["plans"]] == ["y"]
    assert advertiser.call("DELETE", f"/{plan_id}?version=3").status_code == 409
    assert advertiser.call("DELETE", f"/{plan_id}?version=4").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {"name": ""}),
        ("POST", "", {"name": "x", "operations": [{"op": "dance"}]}),
        ("PATCH", "/{id}", {"version": 1, "operations": [{"op": "remove_keywords", "keywords": [99]}]}),
        ("POST", "/{id}/groupings", {"version": 1, "by": "colour"}),
        ("POST", "/{id}/fixes", {"version": 1, "keys": ["x"]}),
        ("GET", "/{id}/export?format=doc", {}),
        ("GET", "/{id}/groupings?lang=fr", {}),
        ("DELETE", "/{id}", {}),
        ("GET", "/{id}/budget", {}),
        ("GET", "/{id}/forecast?weeks=99", {}),
    ],
)
def test_what_cannot_be_done_is_a_problem(advertiser: Advertiser, method: str, path: str, body: dict[str, Any]) -> None:
    plan_id = advertiser.call("POST", "", name="plan").get_json()["data"]["id"]
    reply = advertiser.call(method, path.format(id=plan_id), **body)
    assert reply.status_code == 400, reply.get_data(as_text=True)
    assert reply.mimetype == "application/problem+json"


def test_without_auctions_the_forecast_says_so(advertiser: Advertiser, uploaded: str) -> None:
    page = advertiser.browser.get(f"/plans/{uploaded}/forecast")
    assert page.status_code == 200
    assert "nothing to forecast from" in page.get_data(as_text=True)


def test_the_best_set_under_a_budget_is_shown_and_taken(
    small_store: Path, database: Database, parse: Callable[[str], Any]
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    one = Advertiser(create_app(Settings(store=small_store, database=url), WebSettings()), database)
    operation = {"op": "add_keywords", "keywords": ["鲜花", "鲜花速递", "玫瑰花", "flowers", "flower delivery"],
                 "campaign_name": "c", "ad_group_name": "g", "match_type": "EXACT"}  # fmt: skip
    plan_id = one.call("POST", "", name="x", operations=[operation]).get_json()["data"]["id"]
    page = parse(one.browser.get(f"/plans/{plan_id}/forecast?budget=50&weeks=4&goal=clicks").get_data(as_text=True))
    assert page.one("input", type="range").attributes["max"]
    assert page.all("polyline") and len(page.all("svg", role="img")) == 1
    choice = one.call("GET", f"/{plan_id}/budget?budget_micros=50000000&weeks=4&goal=clicks").get_json()["data"]
    chosen = {row["text"]: row["bid_micros"] for row in choice["keywords"] if row["bid_micros"]}
    assert chosen and choice["expected"]["cost_micros"] <= 50_000_000
    reply = one.post(
        f"/plans/{plan_id}/use-set", f"/plans/{plan_id}/forecast?budget=50", budget="50", goal="clicks", weeks="4"
    )
    assert reply.status_code == 303, reply.get_data(as_text=True)
    plan = one.plan(plan_id)
    assert {item.text: item.bid_micros for item in plan.positive() if item.status == "ENABLED"} == chosen
    assert {item.status for item in plan.positive() if item.text not in chosen} <= {"PAUSED"}
    forecast = one.call("GET", f"/{plan_id}/forecast?weeks=4").get_json()["data"]
    assert len(forecast["keywords"]) == len(chosen)
    one.change(plan_id, "set_budget", campaign=1, budget="0.01")
    findings = one.call("GET", f"/{plan_id}/diagnosis").get_json()["data"]["findings"]
    assert "over_budget" in [finding["code"] for finding in findings]
    wrong = one.browser.get(f"/plans/{plan_id}/forecast?weeks=99")
    assert wrong.status_code == 400 and "not a number of weeks" in wrong.get_data(as_text=True)


CONFLICT = "计划“plan”刚被别人修改过，现在是版本 3。请再看一遍，然后重做。"


def stale_plan(advertiser: Advertiser) -> str:
    made = advertiser.call("POST", "", name="plan").json["data"]["id"]
    renamed = advertiser.call("PATCH", f"/{made}", version=1, name="plan 2")
    assert (
        renamed.status_code == 200 and advertiser.call("PATCH", f"/{made}", version=2, name="plan").status_code == 200
    )
    return str(made)


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [("", "zh-CN,zh;q=0.9", "zh-Hans"), ("?lang=zh", "en", "zh-Hans"), ("?lang=en", "zh", "en"), ("", "fr", "en")],
)
def test_a_conflict_is_told_to_programs_in_the_language_that_they_ask_for(
    advertiser: Advertiser, query: str, header: str, language: str
) -> None:
    made = stale_plan(advertiser)
    reply = advertiser.browser.application.test_client().patch(
        f"/api/v1/plans/{made}{query}",
        json={"version": 1, "name": "other"},
        headers={"Authorization": f"Bearer {advertiser.key}", "Accept-Language": header},
    )
    assert reply.status_code == 409 and reply.mimetype == "application/problem+json"
    assert reply.headers["Content-Language"] == language and "Accept-Language" in reply.headers["Vary"]
    if language == "en":
        assert "was changed by somebody else" in reply.json["detail"] and reply.json["title"].startswith("Somebody")
    else:
        assert reply.json["detail"] == CONFLICT
        assert reply.json["title"] == "其间已被别人修改"


def test_pages_say_in_chinese_what_the_store_and_a_file_refuse(advertiser: Advertiser) -> None:
    advertiser.call("POST", "", name="plan")
    twice = advertiser.post("/plans?lang=zh", "/plans?lang=zh", name="plan")
    assert "已有计划“plan”。请换一个名称。" in twice.get_data(as_text=True)
    empty = advertiser.post("/plans/upload?lang=zh", "/plans?lang=zh", file=(io.BytesIO(b""), "empty.csv"))
    assert "empty.csv 是空的。请给出每行一个关键词的文件。" in empty.get_data(as_text=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("keywords.txt", "flowers")
    archive.seek(0)
    none = advertiser.post("/plans/upload?lang=zh", "/plans?lang=zh", file=(archive, "book.xlsx"))
    assert "book.xlsx 是 zip 文件，但不是 XLSX 工作簿。请存为 .xlsx 或 .csv。" in none.get_data(as_text=True)
    assert "There is a plan &#39;plan&#39; already." in advertiser.post("/plans", "/plans", name="plan").get_data(
        as_text=True
    )
