"""What can go wrong when the API is asked: each error says what is wrong and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldProblem:
    """One mistake: a JSON pointer to its place, and what is wrong there."""

    pointer: str
    detail: str


class KRProblem(Exception):
    """Anything that went wrong."""


class UnreachableError(KRProblem):
    """No reply came: the address is wrong, the server is down, or it took too long."""


class ProblemError(KRProblem):
    """The API's answer to a request that it cannot fulfil (RFC 9457).

    `status` is HTTP's, `code` the last part of the problem's type (`invalid-request`, `page-refused` …), which
    `/problems` of the server explains; `errors` name the fields. The message holds all of it.
    """

    def __init__(self, status: int, code: str, title: str, detail: str, errors: Sequence[FieldProblem] = ()) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        places = "".join(f"\n  {error.pointer}: {error.detail}" for error in self.errors)
        super().__init__(f"{title} ({status} {code}): {detail}{places}")

    @staticmethod
    def of(status: int, document: Any) -> "ProblemError":
        """From a reply's status and its parsed body, None if that was no JSON."""
        problem = document if isinstance(document, dict) else {}
        errors = [
            FieldProblem(str(error.get("pointer", "")), str(error.get("detail", "")))
            for error in problem.get("errors") or ()
            if isinstance(error, dict)
        ]
        return ProblemError(
            status,
            str(problem.get("type", "")).rpartition("#")[2] or "unknown",
            str(problem.get("title", "The server refused the request")),
            str(problem.get("detail", "It gave no reason; look into its log.")),
            errors,
        )
