"""The operator's rules on pages and over the API, and that nobody else reaches the operator's pages."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webui.access import ACCESS, Access

People = dict[str, tuple[FlaskClient, str]]
Post = Callable[..., Any]
FORM = {"Sec-Fetch-Site": "same-origin"}


def test_only_operators_reach_any_of_the_operators_pages(web: Flask, people: People) -> None:
    rules = [rule for rule in web.url_map.iter_rules() if ACCESS[rule.endpoint] is Access.OPERATORS]
    assert len(rules) >= 20
    for rule in rules:
        address = re.sub("<[^>]*>", "1", rule.rule)
        assert address.startswith(("/operator/", "/api/v1/operator/"))
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            for name, wanted in (("analyst", 403), ("advertiser", 404), ("boss", 404)):
                browser, key = people[name]
                if address.startswith("/api/"):
                    client, headers, data = web.test_client(), {"Authorization": f"Bearer {key}"}, {}
                else:
                    page = browser.get("/account").get_data(as_text=True)
                    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
                    assert token
                    client, headers, data = browser, FORM, {"csrf_token": token[1]}
                reply = client.open(address, method=method, headers=headers, data=data)
                assert reply.status_code == wanted, (name, method, address)
    for name in ("operator", "admin"):
        assert people[name][0].get("/operator/rules").status_code == 200
    assert "/operator/" not in people["boss"][0].get("/account").get_data(as_text=True)
    assert "/operator/rules" in people["admin"][0].get("/account").get_data(as_text=True)


def test_a_rule_is_made_previewed_put_live_and_undone_without_script(
    operator: FlaskClient, parse: Callable[[str], Any], post: Post, served: Post
) -> None:
    before = served()
    assert "flowers" in before
    form = {"action": "block", "name": "No English", "equals": "FLOWERS", "enabled": "1"}
    assert post(operator, "/operator/rules/new", "/operator/rules/new?action=block", **form).status_code == 303
    assert served() == before, "nothing goes live by keeping a rule"
    preview = parse(operator.get("/operator/rules/preview?q=鲜花").get_data(as_text=True))
    (removed,) = preview.all("li", class_="change-removed")
    assert removed.text.startswith("flowers") and "No English" in removed.text
    assert post(operator, "/operator/rules/live", "/operator/rules").status_code == 303
    assert served() == [text for text in before if text != "flowers"]
    page = operator.get("/operator/rules").get_data(as_text=True)
    assert "Version 1 is in force" in page
    rule_id = re.findall(r'/operator/rules/([\w-]{22})"', page)[0]
    assert post(operator, f"/operator/rules/{rule_id}/switch", "/operator/rules", enabled="0").status_code == 303
    assert served() != before
    assert post(operator, "/operator/rules/live", "/operator/rules").status_code == 303
    assert served() == before
    assert post(operator, "/operator/rules/restore/1", "/operator/rules", live="1").status_code == 303
    assert served() == [text for text in before if text != "flowers"]


@pytest.mark.parametrize(
    ("action", "fields", "wrong"),
    [
        ("boost", {"factor": "0.5"}, ["factor"]),
        ("boost", {"factor": "viel", "name": ""}, ["factor", "name"]),
        ("bury", {"factor": "2"}, ["factor"]),
        ("bury", {"factor": "nan"}, ["factor"]),
        ("pin", {"position": "0", "equals": "x"}, ["position"]),
        ("pin", {"position": "1"}, ["equals"]),
        ("block", {}, ["equals"]),
        ("block", {"equals": "\u200b"}, ["equals"]),
        ("quota", {"source": "magic", "most": "-1"}, ["most", "source"]),
        ("floor", {"attribute": "searches", "least": "inf"}, ["least"]),
        ("block", {"equals": "x", "from": "31.12.2026"}, ["from"]),
        ("block", {"equals": "x", "from": "2026-02-02", "until": "2026-02-01"}, ["until"]),
        ("block", {"equals": "x", "time_zone": "Mars/Olympus"}, ["time_zone"]),
    ],
)
def test_every_mistake_is_told_at_its_field_and_what_was_typed_stays(
    operator: FlaskClient,
    post: Post,
    parse: Callable[[str], Any],
    action: str,
    fields: dict[str, str],
    wrong: list[str],
) -> None:
    fields = {"name": "mine", **fields}
    for language in ("en", "zh"):
        address = f"/operator/rules/new?action={action}&lang={language}"
        reply = post(operator, f"/operator/rules/new?lang={language}", address, action=action, **fields)
        assert reply.status_code == 400
        page = parse(reply.get_data(as_text=True))
        told = sorted(
            element.attributes["id"].removesuffix("-error") for element in page.all("p", class_="field-error")
        )
        assert told == wrong
        typed = {element.attributes.get("name"): element.attributes.get("value") for element in page.all("input")}
        assert typed["name"] == fields["name"]


def test_a_rule_comes_back_into_its_form_as_it_was(
    operator: FlaskClient, post: Post, parse: Callable[[str], Any]
) -> None:
    fields = {
        "name": "Whole",
        "action": "floor",
        "attribute": "bid",
        "least": "1234567.5",
        "seeds": "鲜花\nflower",
        "contains": "花",
        "from": "2026-01-01",
        "until": "2026-12-31",
        "time_zone": "Asia/Shanghai",
        "languages": ["zh", "other"],
        "enabled": "1",
    }
    post(operator, "/operator/rules/new", "/operator/rules/new?action=floor", **fields)
    page = operator.get("/operator/rules").get_data(as_text=True)
    (rule_id,) = set(re.findall(r'/operator/rules/([\w-]{22})"', page))
    form = parse(operator.get(f"/operator/rules/{rule_id}").get_data(as_text=True))
    inputs = {
        element.attributes["name"]: element.attributes for element in form.all("input") if "name" in element.attributes
    }
    for name in ("name", "least", "from", "until", "time_zone"):
        assert inputs[name]["value"] == fields[name]
    areas = {element.attributes["name"]: element.text for element in form.all("textarea")}
    assert areas == {"equals": "", "contains": "花", "seeds": "鲜花 flower"}
    ticked = [e.attributes["value"] for e in form.all("input", name="languages") if "checked" in e.attributes]
    assert ticked == ["zh", "other"]


def test_two_operators_on_one_rule_the_second_is_told_and_keeps_what_was_typed(
    people: People, post: Post, parse: Callable[[str], Any]
) -> None:
    one, two = people["operator"][0], people["admin"][0]
    post(one, "/operator/rules/new", "/operator/rules/new?action=block", action="block", name="x", equals="a")
    (rule_id,) = set(re.findall(r'/operator/rules/([\w-]{22})"', one.get("/operator/rules").get_data(as_text=True)))
    address = f"/operator/rules/{rule_id}"
    seen = re.search(r'name="version" value="(\d+)"', two.get(address).get_data(as_text=True))
    assert seen
    assert post(one, address, address, name="from one", equals="a").status_code == 303
    late = post(two, address, address, name="from two", equals="b", version=seen[1])
    assert late.status_code == 409
    page = parse(late.get_data(as_text=True))
    assert "somebody else" in page.one("p", class_="bad").text
    assert page.one("input", id="name").attributes["value"] == "from two"
    assert "from one" in one.get("/operator/rules").get_data(as_text=True)
    again = post(two, address, address, name="from two", equals="b")
    assert again.status_code == 303, "sent again with what is the latest now"


def test_rules_leave_and_come_back_as_a_file(operator: FlaskClient, post: Post) -> None:
    text = '[[rule]]\nname = "a \\"b\\""\naction = "boost"\nfactor = 1.5\nkeywords.equals = ["鲜花"]\n'
    upload = {"file": (BytesIO(text.encode()), "rules.toml")}
    assert post(operator, "/operator/rules/upload", "/operator/rules", **upload).status_code == 303
    assert operator.get("/operator/rules/rules.toml").get_data(as_text=True) == text
    for bad in (b"\xff\xfe", b"[[rule]]\n", b"x = 1", b""):
        upload = {"file": (BytesIO(bad), "rules.toml")}
        assert post(operator, "/operator/rules/upload", "/operator/rules", **upload).status_code == 400
    assert operator.get("/operator/rules/rules.toml").get_data(as_text=True) == text


def test_programs_do_what_the_pages_do(call: Callable[..., Any], served: Post) -> None:
    block = {"name": "b", "action": "block", "keywords": {"equals": ["flowers"]}}
    plain = served()
    shown = call("POST", "rules/preview", queries=["鲜花"], rules=[block]).get_json()["data"]["previews"][0]
    assert [row["text"] for row in shown["before"]] == plain
    made = call("POST", "rules", version=0, rule=block)
    assert made.status_code == 201
    book = made.get_json()["data"]
    assert book["version"] == 1 and book["live_version"] == 0 and book["rules"][0]["state"] == "new"
    rule_id = book["rules"][0]["id"]
    assert call("POST", "rules/live", version=0).status_code == 409
    assert call("POST", "rules/live", version=1).get_json()["data"]["live_version"] == 1
    assert served() == [row["text"] for row in shown["after"]]
    assert call("PATCH", f"rules/{rule_id}", version=1, enabled=False).get_json()["data"]["version"] == 2
    stale = call("PATCH", f"rules/{rule_id}", version=1, place=1)
    assert stale.status_code == 409 and stale.get_json()["type"] == "/problems#conflict"
    assert call("PATCH", f"rules/{rule_id}", version=2, place=1, enabled=True).status_code == 400
    assert call("PATCH", "rules/unknown", version=2, place=1).status_code == 404
    wrong = call("POST", "rules", version=2, rule={**block, "action": "quota", "source": "magic", "most": 1})
    assert wrong.status_code == 400 and "token_match" in wrong.get_json()["detail"]
    assert call("POST", "rules/undo", version=2).get_json()["data"]["rules"] == [{**book["rules"][0], "state": "same"}]
    assert call("DELETE", f"rules/{rule_id}?version=3").get_json()["data"]["rules"] == []
    numbers = [row["number"] for row in call("GET", "rules/versions").get_json()["data"]["versions"]]
    assert numbers == [4, 3, 2, 1]
    restored = call("POST", "rules/restore", version=4, number=2, live=True).get_json()["data"]
    assert restored["live_version"] == 5 and served() == plain
    assert call("PUT", "rules", version=5, rules=[block, block]).get_json()["data"]["version"] == 6
    assert len(call("GET", "rules").get_json()["data"]["rules"]) == 2
