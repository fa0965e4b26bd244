"""The security headers of every reply. Pages load nothing from elsewhere and run no inline script or style."""

from flask import Flask, Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PRIVATE = "private, no-store"


def _secure(response: Response) -> Response:
    # A route with a policy of its own says there who may frame it; the older header could not name them.
    if "Content-Security-Policy" not in response.headers:
        response.headers.setdefault("X-Frame-Options", "DENY")
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    # Results show what one advertiser is interested in; only a route that knows better may be cached.
    response.headers.setdefault("Cache-Control", PRIVATE)
    return response


def register(app: Flask) -> None:
    """Add the headers to every reply, errors included."""
    app.after_request(_secure)
