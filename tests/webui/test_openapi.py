"""The OpenAPI document: committed, served and made are one."""

import re
from typing import Any

from flask.testing import FlaskClient

from webui.api.openapi import OPENAPI_FILE, openapi_bytes, openapi_document
from webui.api.problems import ACCOUNT_KEY, PROBLEM_TYPES


def test_the_committed_document_is_what_the_models_say() -> None:
    assert OPENAPI_FILE.read_bytes() == openapi_bytes(), "run python -m webui.api.openapi and look at the difference"


def test_the_served_document_is_the_committed_one(client: FlaskClient) -> None:
    reply = client.get("/api/v1/openapi.json")
    assert reply.data == OPENAPI_FILE.read_bytes() and reply.mimetype == "application/json"
    assert reply.json["openapi"].startswith("3.1")


def test_every_reference_in_the_document_resolves() -> None:
    document = openapi_document()

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for item in node for found in references(item)] if isinstance(node, list) else []

    found = references(document)
    assert len(found) > 10
    for reference in found:
        name = reference.removeprefix("#/components/schemas/")
        assert name in document["components"]["schemas"], reference


def test_every_route_of_the_api_is_documented(app: Any) -> None:
    routes = {
        re.sub("<(?:[a-z]+:)?([^>]*)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
    }
    assert routes - {"/api/v1/openapi.json"} == set(openapi_document()["paths"])


def test_every_status_of_a_problem_is_documented() -> None:
    operations = [operation for path in openapi_document()["paths"].values() for operation in path.values()]
    documented = {status for operation in operations for status in operation["responses"]}
    assert {str(kind.status) for kind in PROBLEM_TYPES} - documented == {"405"}


def test_only_what_can_happen_is_documented() -> None:
    paths = openapi_document()["paths"]
    keyed = [
        path
        for path, operations in paths.items()
        for each in operations.values()
        if ACCOUNT_KEY.title in each["responses"].get("403", {}).get("description", "")
    ]
    assert keyed == ["/api/v1/seeds"]
    assert "415" in paths["/api/v1/keyword-ideas"]["post"]["responses"]
    assert "415" not in paths["/api/v1/related"]["get"]["responses"]
