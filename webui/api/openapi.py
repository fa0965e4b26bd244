"""The OpenAPI 3.1 document of the API, written from the models.

`python -m webui.api.openapi` writes webui/openapi.json; a test fails when the file and the models differ.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from webui.api.account_operations import account_models, account_paths, models_of, paths_of
from webui.api.exchange import REQUEST_ID_HEADER
from webui.api.forecast_operations import forecast_models, forecast_paths
from webui.api.industries_models import IndustriesQuestion, IndustriesReply, IndustryQuestion, IndustryReply
from webui.api.keyword_models import KeywordQuestion, KeywordReply, KeywordScoresReply, KeywordScoresRequest
from webui.api.models import KeywordIdeasReply, KeywordIdeasRequest, Problem
from webui.api.operator_operations import OPERATOR_OPERATIONS
from webui.api.plan_operations import plan_models, plan_paths
from webui.api.plans_operations import plans_models, plans_paths
from webui.api.problems import (
    ACCOUNT_KEY,
    INVALID_JSON,
    PAGE_TOKEN,
    PROBLEM_TYPES,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemType,
)
from webui.api.recommendations_models import RecommendationsQuestion, RecommendationsReply
from webui.api.related_models import RelatedQuestion, RelatedReply
from webui.api.seeds_models import SeedsQuestion, SeedsReply
from webui.api.suggestion_models import SuggestionsQuestion, SuggestionsReply

OPENAPI_FILE = Path(__file__).parent.parent / "openapi.json"
_REFERENCE = "#/components/schemas/{model}"
_OF_BODIES = (INVALID_JSON, PAGE_TOKEN, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)
"""Problems that a request without a body cannot have."""

_REQUEST_ID = {
    "name": REQUEST_ID_HEADER,
    "in": "header",
    "required": False,
    "description": "Taken over into meta.request_id; without it a hash of the request and the snapshot.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
}


@dataclass(frozen=True)
class ReadOperation:
    """A GET operation: its parameters are the fields of `question`."""

    path: str
    operation_id: str
    summary: str
    question: type[BaseModel]
    reply: type[BaseModel]
    told: str
    """What a reply of status 200 is."""


READ_OPERATIONS = (
    ReadOperation(
        "/api/v1/suggestions",
        "suggestKeywords",
        "Keywords that begin with what was typed",
        SuggestionsQuestion,
        SuggestionsReply,
        "The keywords, best first.",
    ),
    ReadOperation(
        "/api/v1/related",
        "listRelatedSearches",
        "Searches to show beside the results of a search",
        RelatedQuestion,
        RelatedReply,
        "The related searches, best first; none rather than a wrong one.",
    ),
    ReadOperation(
        "/api/v1/recommendations",
        "listRecommendations",
        "Keywords for the key's organisation, without a query",
        RecommendationsQuestion,
        RecommendationsReply,
        "The keywords, best first, none that the organisation has or dismissed.",
    ),
    ReadOperation(
        "/api/v1/seeds",
        "listSeedQueries",
        "Searches to offer before a word is typed",
        SeedsQuestion,
        SeedsReply,
        "The seeds of the narrowest context of which something is known, best first.",
    ),
    ReadOperation(
        "/api/v1/industries",
        "listIndustries",
        "The operator's industry tree",
        IndustriesQuestion,
        IndustriesReply,
        "The industries above which there is none, or those that were found.",
    ),
    ReadOperation(
        "/api/v1/industries/{industry_id}",
        "getIndustry",
        "What the advertisers of an industry buy, and what is rising",
        IndustryQuestion,
        IndustryReply,
        "The industry with its keywords.",
    ),
)


def openapi_document() -> dict[str, Any]:
    """The document as plain data."""
    _, definitions = models_json_schema(
        [
            (KeywordIdeasRequest, "validation"),
            (KeywordIdeasReply, "serialization"),
            (KeywordScoresRequest, "validation"),
            (KeywordScoresReply, "serialization"),
            (KeywordReply, "serialization"),
            *account_models(),
            *models_of(OPERATOR_OPERATIONS),
            *plan_models(),
            *plans_models(),
            *forecast_models(),
            (Problem, "serialization"),
            *((operation.reply, "serialization") for operation in READ_OPERATIONS),
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
        "paths": {
            "/api/v1/keyword-ideas": {"post": _keyword_ideas()},
            "/api/v1/keyword-scores": {"post": _keyword_scores()},
            "/api/v1/keywords/{text}": {"get": _keyword()},
            **{operation.path: {"get": _read(operation)} for operation in READ_OPERATIONS},
            **account_paths(_REFERENCE, _problems((ACCOUNT_KEY,))),
            **paths_of(OPERATOR_OPERATIONS, _REFERENCE, _problems((ACCOUNT_KEY,))),
            **plan_paths(_REFERENCE, _problems((ACCOUNT_KEY,))),
            **plans_paths(_REFERENCE, _problems((ACCOUNT_KEY,))),
            **forecast_paths(_REFERENCE, _problems((ACCOUNT_KEY,))),
        },
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "Made on /account."}},
        },
        # Where the operator lets everybody search, a key may be left out, but not where an account is at stake.
        "security": [{"apiKey": []}, {}],
    }


def _keyword_ideas() -> dict[str, Any]:
    return {
        "operationId": "generateKeywordIdeas",
        "summary": "Keywords for seed keywords, for a page, for industries, or for several of them",
        "parameters": [_REQUEST_ID],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model="KeywordIdeasRequest")}}},
        },
        "responses": _responses("KeywordIdeasReply", "The keywords of one page.", without=(ACCOUNT_KEY,)),
    }


def _keyword_scores() -> dict[str, Any]:
    return {
        "operationId": "scoreKeywords",
        "summary": "The caller's own keywords, scored in their order; none is added or left out",
        "parameters": [_REQUEST_ID],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model="KeywordScoresRequest")}}},
        },
        "responses": _responses(
            "KeywordScoresReply", "A row a keyword that was sent.", without=(ACCOUNT_KEY, PAGE_TOKEN)
        ),
    }


def _keyword() -> dict[str, Any]:
    text = {"name": "text", "in": "path", "required": True, "description": "A keyword.", "schema": {"type": "string"}}
    responses = _responses("KeywordReply", "The keyword.", without=(*_OF_BODIES, ACCOUNT_KEY))
    problem = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}
    return {
        "operationId": "getKeyword",
        "summary": "Everything that is known of one keyword",
        "parameters": [text, *_parameters(KeywordQuestion), _REQUEST_ID],
        "responses": {**responses, "404": {"description": "Nobody searched it, or it is unsafe.", "content": problem}},
    }


def _parameters(question: type[BaseModel]) -> list[dict[str, Any]]:
    schema = question.model_json_schema(ref_template=_REFERENCE)
    parameters = []
    for name, field in schema["properties"].items():
        described = {key: value for key, value in field.items() if key not in ("description", "title")}
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": field["description"],
                "schema": described,
            }
        )
    return parameters


def _read(operation: ReadOperation) -> dict[str, Any]:
    identifiers = [
        {"name": name, "in": "path", "required": True, "description": "An id.", "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    responses = _responses(operation.reply.__name__, operation.told, without=_unmet(operation))
    if "{" in operation.path:
        responses["404"] = {
            "description": "There is nothing of this id",
            "content": {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
        }
    return {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "parameters": [*identifiers, *_parameters(operation.question), _REQUEST_ID],
        "responses": responses,
    }


def _unmet(operation: ReadOperation) -> tuple[ProblemType, ...]:
    """Problems that this operation never has."""
    return _OF_BODIES if "account" in operation.question.model_fields else (*_OF_BODIES, ACCOUNT_KEY)


def _responses(reply: str, told: str, without: Sequence[ProblemType] = ()) -> dict[str, Any]:
    return {
        "200": {
            "description": told,
            "headers": {
                "Server-Timing": {
                    "description": "Milliseconds that the online path took.",
                    "schema": {"type": "string"},
                }
            },
            "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model=reply)}}},
        },
        **_problems(without),
    }


def _problems(without: Sequence[ProblemType]) -> dict[str, Any]:
    by_status: dict[int, list[ProblemType]] = {}
    for kind in PROBLEM_TYPES:
        if kind in without:
            continue
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
