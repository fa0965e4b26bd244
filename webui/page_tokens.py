"""The opaque `page_token`: where the next page starts, in which snapshot, of which question.

A token of another snapshot or another question is refused rather than answered with rows that do not follow on.
"""

import base64
import binascii
from dataclasses import dataclass, replace

import orjson

from indexes.errors import Message, UsageError
from kr.envelope import request_hash
from kr.types import Request

_VERSION = 1
_START_AGAIN = "Send the request without page_token to start at the first page."


@dataclass(frozen=True)
class PageToken:
    """Offset of the first row, id of the snapshot, hash of the request without its offset."""

    offset: int
    snapshot: str
    question: str

    @staticmethod
    def after(request: Request, rows: int, snapshot: str) -> "PageToken":
        """The token of the page after one of so many rows."""
        return PageToken(request.offset + rows, snapshot, _question(request))

    def encode(self) -> str:
        """URL-safe text without padding."""
        packed = orjson.dumps([_VERSION, self.offset, self.snapshot, self.question])
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    def check_request(self, request: Request) -> None:
        """Refuse a token that came with the answer to another request (UsageError)."""
        if self.question != _question(request):
            raise UsageError(
                "page_token belongs to a request with other fields.",
                "Repeat every field of that request but page_token. {start_again}",
                start_again=Message(_START_AGAIN),
            )

    def check_snapshot(self, snapshot: str) -> None:
        """Refuse a token of another snapshot (UsageError)."""
        if self.snapshot != snapshot:
            raise UsageError(
                "page_token belongs to snapshot {snapshot}, but {served} is served now.",
                _START_AGAIN,
                snapshot=self.snapshot,
                served=snapshot,
            )


def decode_page_token(text: str) -> PageToken:
    """Read a token that `encode` wrote; anything else is a UsageError."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        version, offset, snapshot, question = orjson.loads(packed)
        valid = (
            version == _VERSION
            and type(offset) is int
            and offset > 0
            and isinstance(snapshot, str)
            and isinstance(question, str)
        )
    except (binascii.Error, ValueError, TypeError):
        valid = False
    if not valid:
        raise UsageError(
            "page_token is not one that this service gave out.",
            "Use next_page_token of the last reply. {start_again}",
            start_again=Message(_START_AGAIN),
        )
    return PageToken(offset, snapshot, question)


def _question(request: Request) -> str:
    return request_hash(replace(request, offset=0), "")
