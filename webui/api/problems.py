"""Errors of the API as RFC 9457 `application/problem+json`. Every type is explained on the page /problems."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from indexes.errors import KRError, Message
from kr.mistakes import message_of
from webui.languages import PROBLEM, said


@dataclass(frozen=True)
class ProblemType:
    """A kind of error: a word for its address, HTTP status, title, and what the caller should do."""

    code: str
    status: int
    title: str
    remedy: str

    @property
    def uri(self) -> str:
        """The reference that identifies the type and leads to its explanation."""
        return f"/problems#{self.code}"


INVALID_JSON = ProblemType(
    "invalid-json", 400, "The body is not valid JSON", "Send one JSON object in UTF-8; the detail names the place."
)
INVALID_REQUEST = ProblemType(
    "invalid-request",
    400,
    "The request has mistakes",
    "Each entry of errors points to a field and says what is wrong with it; correct them all and send again.",
)
UNAUTHENTICATED = ProblemType(
    "unauthenticated",
    401,
    "The request has no valid API key",
    "Make a key on the page /account and send it with each request: Authorization: Bearer kr_….",
)
FORBIDDEN = ProblemType(
    "forbidden", 403, "The key's user may not do this", "Use the key of a user whose role may; admins give roles."
)
CONFLICT = ProblemType(
    "conflict",
    409,
    "Somebody changed it meanwhile",
    "Get it again, decide whether the change still holds, and send it with the new version.",
)
PAGE_TOKEN = ProblemType(
    "page-token",
    400,
    "The page token does not fit this request",
    "Page tokens hold for one question on one snapshot. Send the request without page_token to start again.",
)
ACCOUNT_KEY = ProblemType(
    "account-key",
    403,
    "The account's key is missing or wrong",
    "Send key: the HMAC-SHA256 of the account's id under the operator's KR_WEB_ACCOUNT_SECRET, in hexadecimal digits.",
)
NOT_FOUND = ProblemType(
    "not-found", 404, "There is nothing at this address", "The addresses of the API are in /api/v1/openapi.json."
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "This address does not take this method", "Use a method that the Allow header names."
)
TOO_LARGE = ProblemType("too-large", 413, "The body is too large", "Ask for fewer keywords or words at once.")
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type", 415, "The body is not declared as JSON", "Send Content-Type: application/json."
)
TOO_MANY = ProblemType(
    "too-many-requests", 429, "Too many requests", "Wait as many seconds as the Retry-After header says."
)
PAGE_REFUSED = ProblemType(
    "page-refused",
    422,
    "The page's address is refused",
    "Only pages on the public internet are read, over http or https on the usual ports; the detail names the reason. "
    "Nothing was opened.",
)
PAGE_UNREADABLE = ProblemType(
    "page-unreadable",
    422,
    "The page cannot be read",
    "The detail says what the site answered and what to do; keyword_seed needs no page.",
)
INTERNAL = ProblemType(
    "internal-error",
    500,
    "The service failed",
    "The failure was logged under the request_id; quote it to whoever runs the service.",
)
NO_SNAPSHOT = ProblemType(
    "no-snapshot",
    503,
    "There is no snapshot to answer from",
    "The operator publishes one with `manage.py build`; `manage.py demo` makes one from simulated logs.",
)
TRY_AGAIN = ProblemType("try-again", 503, "The service cannot answer at the moment", "Send the same request again.")

Text = KRError | Message | str
"""What a reply says: a message that can be translated, or a text as it is."""

PROBLEM_TYPES = (
    INVALID_JSON,
    INVALID_REQUEST,
    UNAUTHENTICATED,
    FORBIDDEN,
    CONFLICT,
    PAGE_TOKEN,
    ACCOUNT_KEY,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    TOO_MANY,
    PAGE_REFUSED,
    PAGE_UNREADABLE,
    INTERNAL,
    NO_SNAPSHOT,
    TRY_AGAIN,
)


class ApiProblem(Exception):
    """Raised inside the API; becomes the reply, in the language that is asked for.

    `errors` are the pointers and details of single mistakes.
    """

    def __init__(self, kind: ProblemType, detail: Text, errors: Sequence[tuple[str, Text]] = ()) -> None:
        super().__init__(str(detail))
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)

    def response(self) -> Response:
        """The problem document."""
        document: dict[str, Any] = {
            "type": self.kind.uri,
            "title": said(Message(self.kind.title)),
            "status": self.kind.status,
            "detail": said(self.detail),
            "instance": request.path,
        }
        if self.errors:
            document["errors"] = [{"pointer": pointer, "detail": said(detail)} for pointer, detail in self.errors]
        response = Response(orjson.dumps(document), self.kind.status, mimetype=PROBLEM)
        if self.kind is UNAUTHENTICATED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


def mistakes(error: ValidationError) -> ApiProblem:
    """The problem that lists every mistake of a request with a JSON pointer to its place."""
    errors = [(_pointer(mistake["loc"]), _detail(mistake)) for mistake in error.errors(include_url=False)]
    if len(errors) > 1:
        return ApiProblem(INVALID_REQUEST, Message("{count} fields have mistakes.", count=len(errors)), errors)
    pointer, detail = errors[0]
    return ApiProblem(INVALID_REQUEST, Message("{pointer}: {detail}", pointer=pointer, detail=detail), errors)


def _detail(mistake: ErrorDetails) -> Message:
    if mistake["type"] == "extra_forbidden":
        return Message("Unknown field; the fields that exist are in /api/v1/openapi.json")
    return message_of(mistake)


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901 pointer as a URI fragment."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
