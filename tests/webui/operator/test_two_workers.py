"""What operators put in force reaches every worker process of a real server with its next request."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from kr.store import open_database
from kr.store.accounts import create_organisation, utc_now
from kr.store.migrating import upgrade
from kr.store.serving_workers import serving_workers

PROJECT = Path(__file__).parents[3]
REQUESTS = 40


def ask(address: str) -> tuple[str, list[str]]:
    """The process that answered a search, and its keywords; a new connection each time, so that both take turns."""
    body = json.dumps({"keyword_seed": {"keywords": ["鲜花"]}}).encode()
    request = urllib.request.Request(
        f"{address}/api/v1/keyword-ideas", body, {"Content-Type": "application/json", "Connection": "close"}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        document: dict[str, Any] = json.loads(reply.read())
    return document["meta"]["snapshot"], [row["text"] for row in document["data"]["keyword_ideas"]]


def manage(url: str, *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments, "--database", url]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=300)


def test_both_workers_apply_rules_and_lists_at_once(tiny_store: Path, tmp_path: Path, free_port: int) -> None:
    url = f"sqlite:///{tmp_path}/kr.db"
    database = open_database(url)
    upgrade(database)
    with database.writing() as session:
        create_organisation(session, "platform", utc_now(), is_platform=True)
    (tmp_path / "rules.toml").write_text(
        '[[rule]]\nname = "x"\naction = "block"\nkeywords.equals = ["flowers"]\n', encoding="utf-8"
    )
    (tmp_path / "own.txt").write_text(
        "format: 1\nname: own\nlanguage: zh\n[sweets severity=2]\n蛋糕\n", encoding="utf-8"
    )
    command = [sys.executable, "manage.py", "serve", "--store", str(tiny_store), "--database", url]
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    process = subprocess.Popen(
        [*command, "--port", str(free_port), "--workers", "2"],
        cwd=PROJECT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        address = None
        while address is None and (line := process.stderr.readline()):
            address = re.search(r"http://[\d.:]+", line)
        assert address
        before = {tuple(ask(address[0])[1]) for _ in range(REQUESTS)}
        assert len(before) == 1 and {"flowers", "生日蛋糕"} <= set(next(iter(before)))
        manage(url, "rules", "import", str(tmp_path / "rules.toml"), "--live")
        after = {tuple(ask(address[0])[1]) for _ in range(REQUESTS)}
        assert after == {tuple(text for text in next(iter(before)) if text != "flowers")}
        manage(url, "lexicon", "import", str(tmp_path / "own.txt"), "--live")
        audited = {tuple(ask(address[0])[1]) for _ in range(REQUESTS)}
        assert audited == {tuple(text for text in next(iter(after)) if text != "生日蛋糕")}
        with database.writing() as session:
            workers = serving_workers(session, utc_now())
            assert [(row.rules_sequence, row.lexicons_sequence) for row in workers] == [(1, 1), (1, 1)]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        database.close()
