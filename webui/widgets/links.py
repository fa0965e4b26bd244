"""The links of a widget: what was shown where, signed, so that nobody makes up clicks on keywords."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import orjson

from indexes.errors import UsageError

SIGNATURE_BYTES = 16
MOST_CHARS = 4_000


@dataclass(frozen=True)
class ShownLink:
    """One row of one view: the widget (seeds or related), the view, who saw it, the keyword, its place from 1, and when
    it was shown, in seconds since 1970.
    """

    widget: str
    view: str
    client: str
    text: str
    position: int
    shown: int

    def encode(self, secret: bytes) -> str:
        """The token that stands in the address."""
        fields = [self.widget, self.view, self.client, self.text, self.position, self.shown]
        content = orjson.dumps(fields)
        return _base64(content) + "." + _base64(_signature(secret, content))

    @staticmethod
    def decode(token: str, secret: bytes) -> "ShownLink":
        """The link of a token. UsageError if it was not made with this secret."""
        problem = UsageError("This link was not made by this service.", "Open the page that showed it again.")
        try:
            content, signature = (_bytes(part) for part in token[:MOST_CHARS].split("."))
        except (ValueError, binascii.Error):
            raise problem from None
        if not hmac.compare_digest(signature, _signature(secret, content)):
            raise problem
        fields: list[Any] = orjson.loads(content)
        return ShownLink(*fields)


def _signature(secret: bytes, content: bytes) -> bytes:
    return hmac.new(secret, content, hashlib.sha256).digest()[:SIGNATURE_BYTES]


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
