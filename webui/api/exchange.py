"""How the endpoints read their parameters and bodies and send their documents."""

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from flask import Response, request
from pydantic import BaseModel, ValidationError

from indexes.errors import KRError, Message
from webui.api.problems import INVALID_JSON, INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, ApiProblem, mistakes
from webui.languages import body_asks_for

# What the API adds to every reply; the names are used by the endpoints and by the OpenAPI document.
REQUEST_ID_HEADER = "X-Request-ID"

Question = TypeVar("Question", bound=BaseModel)


def read_parameters(model: type[Question]) -> Question:
    """The parameters of the address, checked. ApiProblem names each mistake by `#/parameter`."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise parameter_problem(repeated[0], Message("{name} is given more than once; give it once.", name=repeated[0]))
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise mistakes(error) from error


def read_body(model: type[Question]) -> Question:
    """The JSON body, checked. ApiProblem for what is no JSON, or names each mistake by its JSON pointer."""
    if not request.is_json:
        kind = request.content_type or Message("missing")
        raise ApiProblem(UNSUPPORTED_MEDIA_TYPE, Message("Content-Type is {kind}; send application/json.", kind=kind))
    try:
        fields = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise ApiProblem(
            INVALID_JSON,
            Message("Line {line}, column {column}: {error}.", line=error.lineno, column=error.colno, error=error.msg),
        ) from error
    if isinstance(fields, dict):
        body_asks_for(fields.get("language"))
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise mistakes(error) from error


def parameter_problem(name: str, detail: KRError | Message) -> ApiProblem:
    """The problem of one parameter."""
    return ApiProblem(INVALID_REQUEST, detail, [(f"#/{name}", detail)])


def send_model(reply: BaseModel, status: int = 200) -> Response:
    """A reply that is a model."""
    return Response(reply.model_dump_json(), status, mimetype="application/json")


def send(document: Mapping[str, Any], took_ms: float) -> Response:
    """The reply; the time that the online path took stands in a header, so that the body stays the same."""
    response = Response(orjson.dumps(document), mimetype="application/json")
    response.headers["Server-Timing"] = f"path;dur={took_ms}"
    response.headers[REQUEST_ID_HEADER] = document["meta"]["request_id"]
    return response
