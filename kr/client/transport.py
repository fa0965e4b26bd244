"""One HTTP request to the API, and again where the server asks to come back later."""

import json
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from kr.client.problems import ProblemError, UnreachableError

AGAIN = frozenset((429, 503))
"""Statuses of a server that is busy; everything else would be answered the same again."""


class Transport:
    """Sends requests. Safe to call from any thread."""

    def __init__(
        self,
        address: str,
        api_key: str | None,
        timeout_seconds: float,
        retries: int,
        longest_wait_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`address` is the server's, such as https://kr.example; it is tried again only where Retry-After says when."""
        if not address.startswith(("http://", "https://")):
            raise ValueError(f"{address!r} is not the address of a server; write it like https://kr.example.")
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = timeout_seconds
        self._retries = retries
        self._longest_wait = longest_wait_seconds
        self._sleep = sleep

    def json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The parsed reply, None if it is empty. ProblemError for what the API refuses, UnreachableError without reply.

        With a body the request is JSON.
        """
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        reply = self.send(method, path, content, "application/json")
        return json.loads(reply) if reply else None

    def send(self, method: str, path: str, content: bytes | None, content_type: str) -> bytes:
        """The bytes of the reply; raises as `json`."""
        headers = {**self._headers, **({"Content-Type": content_type} if content is not None else {})}
        for attempt in range(self._retries + 1):
            request = Request(self._address + path, data=content, headers=headers, method=method)
            try:
                with urlopen(request, timeout=self._timeout) as reply:
                    return bytes(reply.read())
            except HTTPError as error:
                wait = _wait_seconds(error.headers.get("Retry-After")) if error.code in AGAIN else None
                problem = ProblemError.of(error.code, _parsed(error.read()))
                if wait is None or wait > self._longest_wait or attempt == self._retries:
                    raise problem from None
                self._sleep(wait)
            except (URLError, HTTPException, OSError) as error:
                reason = getattr(error, "reason", None) or error
                raise UnreachableError(f"{self._address} does not answer: {reason}.") from error
        raise AssertionError("the last attempt returns or raises")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _wait_seconds(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks to wait; None without one that can be read."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
