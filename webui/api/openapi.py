"""The OpenAPI 3.1 document of the API, written from the models.

`python -m webui.api.openapi` writes webui/openapi.json; a test fails when the file and the models differ.
"""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

from webui.api.account_models import AccountReply
from webui.api.models import KeywordIdeasReply, KeywordIdeasRequest, Problem
from webui.api.problems import PROBLEM_TYPES, ProblemType

OPENAPI_FILE = Path(__file__).parent.parent / "openapi.json"
_REFERENCE = "#/components/schemas/{model}"
# What the API adds to every reply; the names are used by the endpoint and by the document.
REQUEST_ID_HEADER = "X-Request-ID"


def openapi_document() -> dict[str, Any]:
    """The document as plain data."""
    _, definitions = models_json_schema(
        [
            (KeywordIdeasRequest, "validation"),
            (KeywordIdeasReply, "serialization"),
            (AccountReply, "serialization"),
            (Problem, "serialization"),
        ],
        ref_template=_REFERENCE,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KR keyword API",
            "version": "1",
            "description": "Keyword recommendations with reasons, mined from a search platform's own logs. "
            "Unknown values are null, never zero; money is in micros of the platform's currency. The same request on "
            "the same snapshot gives the same bytes.",
        },
        "paths": {"/api/v1/keyword-ideas": {"post": _keyword_ideas()}, "/api/v1/account": {"get": _account()}},
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "Made on /account."}},
        },
        # Where the operator lets everybody search, a key may be left out; /account always needs one.
        "security": [{"apiKey": []}, {}],
    }


def _keyword_ideas() -> dict[str, Any]:
    return {
        "operationId": "generateKeywordIdeas",
        "summary": "Keywords for one or more seed keywords",
        "parameters": [
            {
                "name": REQUEST_ID_HEADER,
                "in": "header",
                "required": False,
                "description": "Taken over into meta.request_id; without it a hash of the request and the snapshot.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model="KeywordIdeasRequest")}}},
        },
        "responses": {
            "200": {
                "description": "The keywords of one page.",
                "headers": {
                    "Server-Timing": {
                        "description": "Milliseconds that the online path took.",
                        "schema": {"type": "string"},
                    }
                },
                "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model="KeywordIdeasReply")}}},
            },
            **_problems(),
        },
    }


def _account() -> dict[str, Any]:
    return {
        "operationId": "getAccount",
        "summary": "Who an API key acts for",
        "security": [{"apiKey": []}],
        "responses": {
            "200": {
                "description": "The organisation and the user.",
                "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model="AccountReply")}}},
            },
            **_problems(),
        },
    }


def _problems() -> dict[str, Any]:
    by_status: dict[int, list[ProblemType]] = {}
    for kind in PROBLEM_TYPES:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        str(status): {
            "description": "; ".join(kind.title for kind in kinds),
            "content": {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
        }
        for status, kinds in sorted(by_status.items())
        if status not in (404, 405)  # of addresses and methods that this document does not list
    }


@cache
def openapi_bytes() -> bytes:
    """The document as it is served and committed."""
    return orjson.dumps(openapi_document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    OPENAPI_FILE.write_bytes(openapi_bytes())
