"""Static files under names that hold a hash of their content, so that browsers may keep them for ever.

`static_url("style.css")` is `/static/style.<hash>.css`; a changed file gets a new address. All files are read once,
when the application is made: they are few and small.
"""

import hashlib
import mimetypes
from pathlib import Path

from flask import Flask, Response, abort, url_for

STATIC_DIR = Path(__file__).parent / "static"
HASH_CHARS = 12
_IMMUTABLE = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class StaticFiles:
    """The content of the static directory by file name and by hashed file name."""

    def __init__(self, directory: Path = STATIC_DIR) -> None:
        self.by_address: dict[str, tuple[bytes, str]] = {}
        self.addresses: dict[str, str] = {}
        for path in sorted(directory.iterdir()):
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:HASH_CHARS]
            address = f"{path.stem}.{digest}{path.suffix}"
            kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self.by_address[address] = (content, kind)
            self.addresses[path.name] = address

    def url(self, name: str) -> str:
        """The address of a static file; an unknown name raises KeyError, which a test of every page meets."""
        return url_for("static_file", address=self.addresses[name])

    def serve(self, address: str) -> Response:
        """The file at a hashed address, to be kept for ever; any other address is not found."""
        if address not in self.by_address:
            abort(404)
        content, kind = self.by_address[address]
        response = Response(content, mimetype=kind)
        response.headers["Cache-Control"] = _IMMUTABLE
        return response


def register(app: Flask) -> None:
    """Serve the static files and give the templates `static_url`."""
    files = StaticFiles()
    app.add_url_rule("/static/<address>", "static_file", files.serve)
    app.jinja_env.globals["static_url"] = files.url
