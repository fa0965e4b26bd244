"""The operators' lists of unsafe terms on pages and over the API."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

Post = Callable[..., Any]
HEADER = "format: 1\nname: own\nlanguage: any\n"


def test_a_term_is_added_tried_put_live_and_undone_without_script(
    operator: FlaskClient, post: Post, served: Post, parse: Callable[[str], Any]
) -> None:
    before = served()
    page = "/operator/lexicons"
    sent = {"term": "蛋糕", "own_category": "sweets", "severity": "2", "list": "own"}
    assert post(operator, f"{page}/term", page, **sent).status_code == 303
    tried = parse(operator.get(f"{page}?text=生日蛋 糕&lang=en").get_data(as_text=True))
    row = next(element.text for element in tried.all("tr") if "sweets" in element.text)
    assert "split up" in row and "own" in row
    effect = operator.get(f"{page}/effect?lang=en").get_data(as_text=True)
    assert "1 keyword would no longer be shown" in effect and "生日蛋糕" in effect
    assert served() == before
    assert post(operator, f"{page}/live", page).status_code == 303
    assert served() == [text for text in before if text != "生日蛋糕"]
    assert "生日蛋糕" not in operator.get("/").get_data(as_text=True), "nor among the examples of the home page"
    assert post(operator, f"{page}/list/own/remove", page).status_code == 303
    assert post(operator, f"{page}/live", page).status_code == 303
    assert served() == before
    assert post(operator, f"{page}/restore/1", page, live="1").status_code == 303
    assert served() != before


def test_a_long_list_is_uploaded_edited_and_a_mistake_keeps_what_was_typed(
    operator: FlaskClient, post: Post, parse: Callable[[str], Any]
) -> None:
    page = "/operator/lexicons"
    text = HEADER + "[sweets severity=2]\n" + "".join(f"sweetword{number}\n" for number in range(20_000))
    upload = {"file": (BytesIO(text.encode()), "long.txt")}
    assert post(operator, f"{page}/upload", page, **upload).status_code == 303
    assert "20,000" in operator.get(page).get_data(as_text=True)
    address = f"{page}/list/long"
    assert post(operator, address, address, text=text + "one more\n").status_code == 303
    assert "20,001" in operator.get(page).get_data(as_text=True)
    wrong = post(operator, address, address, text="[sweets severity=2]\nx1y2\n")
    assert wrong.status_code == 400
    shown = parse(wrong.get_data(as_text=True))
    assert "line 1" in shown.one("p", class_="bad").text and "x1y2" in shown.one("textarea").text
    for bad in (b"\xff", b"", b"no header"):
        assert post(operator, f"{page}/upload", page, file=(BytesIO(bad), "bad.txt")).status_code == 400
    assert "20,001" in operator.get(page).get_data(as_text=True)


def test_programs_do_what_the_pages_do(call: Callable[..., Any], served: Post, web: Flask) -> None:
    before = served()
    text = HEADER + "[sweets severity=2]\n蛋糕\n"
    made = call("PUT", "lexicons/lists/own", version=0, text=text).get_json()["data"]
    assert made["lists"] == [{"name": "own", "text": text, "terms": 1, "exceptions": 0}]
    assert call("PUT", "lexicons/lists/own", version=0, text=text).status_code == 409
    wrong = call("PUT", "lexicons/lists/own", version=1, text="x")
    assert wrong.status_code == 400 and "line 1" in wrong.get_json()["detail"]
    added = call("POST", "lexicons/terms", version=1, list="own", term="tart", category="sweets", severity=3)
    assert added.get_json()["data"]["lists"][0]["terms"] == 2
    (caught,) = call("POST", "lexicons/try", text="T A R T").get_json()["data"]["caught"]
    assert caught["term"] == "tart" and caught["disguises"] == ["split", "case"]
    effect = call("GET", "lexicons/effect").get_json()["data"]
    assert effect["removed"] == 1 and effect["removed_samples"] == ["生日蛋糕"]
    assert call("POST", "lexicons/live", version=2).get_json()["data"]["differs"] is False
    assert served() == [each for each in before if each != "生日蛋糕"]
    assert call("DELETE", "lexicons/lists/own").status_code == 400
    assert call("DELETE", "lexicons/lists/other?version=2").status_code == 404
    assert call("DELETE", "lexicons/lists/own?version=2").get_json()["data"]["lists"] == []
    assert call("POST", "lexicons/undo", version=3).get_json()["data"]["lists"][0]["terms"] == 2
    assert call("POST", "lexicons/restore", version=4, number=3, live=True).status_code == 200
    assert served() == before
    assert len(call("GET", "lexicons/versions").get_json()["data"]["versions"]) == 5
