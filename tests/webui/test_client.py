"""The client of README, against a real server on loopback."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from werkzeug.serving import make_server

from kr.client import Client, ProblemError, UnreachableError
from kr.client.replies import KeywordIdea
from kr.client.transport import Transport
from kr.settings import Settings
from kr.store.accounts import create_organisation, create_user, utc_now
from kr.store.api_keys import create_key
from kr.store.database import Database, open_database
from kr.store.migrating import upgrade
from kr.store.schema import Role
from webui.application import create_app
from webui.settings import WebSettings

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('client')}/kr.db"
    opened = open_database(url)
    upgrade(opened)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="module")
def key(database: Database) -> str:
    with database.writing() as session:
        organisation = create_organisation(session, "client", utc_now())
        user = create_user(
            session, organisation, "c@example.com", "c", Role.ADMIN, "a long enough pass phrase", utc_now()
        )
        return create_key(session, user, "tests", utc_now())[1]


@pytest.fixture(scope="module")
def server(tiny_pages_store: Path, database: Database) -> Iterator[str]:
    url = database.engine.url.render_as_string(hide_password=False)
    web = create_app(Settings(store=tiny_pages_store, database=url), WebSettings())
    running = make_server("127.0.0.1", 0, web, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def client(server: str, key: str) -> Client:
    return Client(server, key)


def test_the_lines_of_the_readme_run(server: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(from kr\.client import.*?)```", readme, re.DOTALL)
    assert len(code.strip().splitlines()) <= 10
    exec(code.replace("https://kr.example", server).replace("kr_…", key), {})
    assert "鲜花速递" in capsys.readouterr().out


def test_a_search_of_several_kinds_of_seeds_is_typed(client: Client) -> None:
    page = client.search(
        "生日蛋糕", url="http://shop.example/flowers", site="shoes.example", facets=True, language="en"
    )
    assert {"生日蛋糕", "鲜花速递", "running shoes"} <= {row.text for row in page.rows}
    assert (
        page.page and page.site and page.site["pages_read"] == 2 and page.facets and page.facets["rows"] == page.total
    )
    reason = page.rows[0].reasons[0]
    assert reason.text == reason.text_en


def test_paging_through_a_search_gives_every_row_once_and_in_order(client: Client) -> None:
    whole = [row.text for row in client.search("鲜花", page_size=1000).rows]
    assert [row.text for row in client.search_all("鲜花", page_size=3)] == whole
    assert [row.text for row in client.search_all("鲜花", page_size=3, most=4)] == whole[:4]


def test_filters_that_leave_nothing_are_told(client: Client) -> None:
    page = client.search("鲜花", filters={"min_searches": 10**9})
    assert page.total == 0 and page.relaxations[0]["filter"] == "min_searches"


def test_own_keywords_are_scored_in_their_order(client: Client) -> None:
    given = ["鲜花店", "nobody searches this", "鲜花店", " ", "在线赌博"]
    scores = list(client.score(given, "鲜花", at_once=2))
    assert [score.given for score in scores] == given
    assert [score.status for score in scores] == ["scored", "never_searched", "scored", "without_words", "unsafe"]
    assert scores[0].relevance and scores[1].relevance is None and scores[1].searches is None


def test_the_small_questions_are_answered(client: Client) -> None:
    assert client.keyword("鲜花速递", seed="鲜花")["match"]["direction"] == "narrower"
    assert "鲜花店" in {row.text for row in client.related("鲜花", t=0.5)}
    assert client.suggestions("xianh", limit=3)[0].text == "鲜花"
    assert isinstance(client.seeds(limit=3), list)
    assert client.account()["organisation"]["name"] == "client"


def test_lists_and_verdicts_are_kept(client: Client) -> None:
    made = client.make_list("first", ["鲜花", "生日蛋糕"])
    assert {each.name: each.size for each in client.keyword_lists()}["first"] == 2
    changed = client.change_list(made, name="second", add=["花店"], remove=["生日蛋糕"])
    assert set(client.keyword_list(changed.id).keywords) == {"鲜花", "花店"}
    assert "鲜花速递" in {row.text for row in client.search(list_id=made.id).rows}
    with pytest.raises(ProblemError) as stale:
        client.delete_list(made)
    assert stale.value.status == 409 and stale.value.code == "conflict"
    client.delete_list(changed)
    batch = client.judge("鲜花", ["flowers"], "not_my_business")
    assert "flowers" not in {row.text for row in client.search("鲜花").rows}
    client.take_back(batch)
    assert "flowers" in {row.text for row in client.search("鲜花").rows}


def test_an_export_can_be_imported(client: Client) -> None:
    url = "http://shop.example/flowers"
    exported = client.export("鲜花", url=url, format="google_ads_editor")
    accounting = client.import_file(exported)
    assert accounting["rejected"] == 0 and accounting["kept"] == accounting["read"] == len(
        list(client.search_all("鲜花", url=url))
    )


def test_a_mistake_names_its_field_and_a_wrong_key_the_remedy(server: str, client: Client) -> None:
    with pytest.raises(ProblemError) as mistake:
        client.search("鲜花", sort="price")
    assert mistake.value.code == "invalid-request" and mistake.value.errors[0].pointer == "#/sort"
    assert "#/sort" in str(mistake.value)
    with pytest.raises(ProblemError, match="API key") as wrong:
        Client(server, "kr_wrong").account()
    assert wrong.value.status == 401


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 does not answer"):
        Client("http://127.0.0.1:1", timeout_seconds=2).account()
    with pytest.raises(ValueError, match="https://"):
        Client("kr.example")


class Busy(BaseHTTPRequestHandler):
    """Answers with the statuses of `plan` in turn."""

    plan: ClassVar[list[tuple[int, str | None]]] = []
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        status, wait = self.plan.pop(0)
        body = json.dumps(
            {"type": "/problems#x", "title": "t", "detail": "d"} if status >= 400 else {"data": {}}
        ).encode()
        self.send_response(status)
        if wait is not None:
            self.send_header("Retry-After", wait)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.mark.parametrize(
    ("plan", "asked", "waited", "status"),
    [
        ([(429, "7"), (503, "2"), (200, None)], 3, [7.0, 2.0], 200),
        ([(503, None)], 1, [], 503),
        ([(500, "1")], 1, [], 500),
        ([(429, "999")], 1, [], 429),
        ([(429, "1")] * 3, 3, [1.0, 1.0], 429),
        ([(429, "soon")], 1, [], 429),
    ],
)
def test_a_busy_server_is_asked_again_when_it_says(
    plan: list[tuple[int, str | None]], asked: int, waited: list[float], status: int
) -> None:
    handler = type("Planned", (Busy,), {"plan": list(plan), "asked": 0})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    slept: list[float] = []
    transport = Transport(f"http://127.0.0.1:{server.server_port}", None, 5, 2, 60, slept.append)
    try:
        if status == 200:
            assert transport.json("GET", "/") == {"data": {}}
        else:
            with pytest.raises(ProblemError) as problem:
                transport.json("GET", "/")
            assert problem.value.status == status
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert handler.asked == asked and slept == waited


def test_fields_of_a_newer_server_do_no_harm() -> None:
    assert KeywordIdea.of({"text": "鲜花", "new_field": 1, "reasons": []}).text == "鲜花"


def test_the_client_needs_nothing_but_the_standard_library() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import kr.client\n"
        "known = {*sys.stdlib_module_names, 'kr', '__main__'}\n"
        "outside = sorted({name.split('.')[0] for name in sys.modules} - known)\n"
        "print(outside, sorted(n for n in sys.modules if n.startswith('kr.') and not n.startswith('kr.client')))"
    )
    result = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=300)
    assert result.stdout.split() == ["[]", "[]"], result.stdout + result.stderr
