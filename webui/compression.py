"""Gzip for replies to callers that accept it. The same reply gives the same bytes: the header carries no time."""

import gzip

from flask import Flask, Response, request

_COMPRESSIBLE = ("text/", "application/json", "application/problem+json", "image/svg+xml")


def register(app: Flask) -> None:
    """Compress text replies of some length when the caller's Accept-Encoding allows gzip.

    What is made while it is sent passes through: compressing it here would hold all of it.
    """
    settings = app.config["KR_WEB"]

    def compress(response: Response) -> Response:
        compressible = (response.mimetype or "").startswith(_COMPRESSIBLE)
        if settings.gzip_level == 0 or response.direct_passthrough or response.is_streamed or not compressible:
            return response
        response.vary.add("Accept-Encoding")
        body = response.get_data()
        if len(body) < settings.gzip_min_bytes or request.accept_encodings["gzip"] <= 0:
            return response
        response.set_data(gzip.compress(body, compresslevel=settings.gzip_level, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        return response

    app.after_request(compress)
