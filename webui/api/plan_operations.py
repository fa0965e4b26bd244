"""The part of the OpenAPI document about keyword files: import and export."""

from typing import Any

from pydantic import BaseModel

from kr.planning.exporting import CSV_MEDIA_TYPE, FORMATS, MEDIA_TYPES
from webui.api.plan_models import KeywordIdeasExportRequest, PlanImportReply, option_schemas


def plan_models() -> list[tuple[type[BaseModel], Any]]:
    """The models of these operations, for the document's schemas."""
    return [(KeywordIdeasExportRequest, "validation"), (PlanImportReply, "serialization")]


def plan_paths(reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    """The paths of the document; `reference` is where schemas lie, with `{model}` for the name."""
    return {
        "/api/v1/keyword-ideas/export": {
            "get": _export_by_address(problems),
            "post": _export_by_question(reference, problems),
        },
        "/api/v1/plan/import": {"post": _plan_import(reference, problems)},
    }


def _export_by_address(problems: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "exportSearch",
        "summary": "The search that an address of the search page describes, as a file",
        "description": "Takes every parameter of the search page's address beside these.",
        "parameters": [
            {
                "name": "q",
                "in": "query",
                "required": False,
                "description": "Seed keywords, a page's address and site:host, separated by commas; or `list` names a "
                "list of the key's organisation.",
                "schema": {"type": "string"},
            },
            {
                "name": "format",
                "in": "query",
                "required": False,
                "description": "What is written.",
                "schema": {"type": "string", "enum": list(FORMATS), "default": "csv"},
            },
            {
                "name": "lang",
                "in": "query",
                "required": False,
                "description": "Of headings and reasons; by default that of Accept-Language.",
                "schema": {"type": "string", "enum": ["en", "zh"]},
            },
        ],
        "responses": _file_responses(problems),
    }


def _export_by_question(reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "exportKeywordIdeas",
        "summary": "Keywords for one or more seed keywords, as a file",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": reference.format(model="KeywordIdeasExportRequest")}}},
        },
        "responses": _file_responses(problems),
    }


def _file_responses(problems: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"type": "string", "format": "binary"}}
    return {
        "200": {
            "description": "The file, sent while it is made.",
            "headers": {"Content-Disposition": {"description": "The file's name.", "schema": {"type": "string"}}},
            "content": dict.fromkeys((CSV_MEDIA_TYPE, *MEDIA_TYPES.values()), content),
        },
        **problems,
    }


def _plan_import(reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": ["file"], "properties": {"file": binary}}
    return {
        "operationId": "importPlan",
        "summary": "Read a file of keywords, whatever its format, and account for every row",
        "description": "Nothing is stored. The format is told by the content: Google Ads Editor, Microsoft bulk, "
        "Keyword Planner, keyword reports, SEMrush, plain CSV, XLSX, XLS; gzipped or not.",
        "parameters": option_schemas(),
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form}, "application/octet-stream": {"schema": binary}},
        },
        "responses": {
            "200": {
                "description": "The accounting, a page of the rows, and the first rows that were not taken.",
                "content": {"application/json": {"schema": {"$ref": reference.format(model="PlanImportReply")}}},
            },
            **problems,
        },
    }
