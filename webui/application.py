"""The application factory."""

from collections.abc import Callable
from functools import partial

from flask import Flask

from kr.service import KeywordService
from kr.settings import Settings, load_settings
from webui import compression, errors, formats, headers, languages, pages, request_log, search_service, static_files
from webui.api import keyword_ideas, related, suggestions
from webui.operations import blueprint as operations
from webui.settings import WebSettings


def create_app(
    settings: Settings | None = None,
    web_settings: WebSettings | None = None,
    opener: Callable[[], KeywordService] | None = None,
) -> Flask:
    """The WSGI application; settings that are not given come from the environment and the settings file.

    The snapshot is opened by the first request that needs it, so the application starts without one.
    """
    app = Flask("webui", static_folder=None)
    app.config["KR"] = settings or load_settings()
    app.config["KR_WEB"] = web_settings or WebSettings()
    app.config["MAX_CONTENT_LENGTH"] = app.config["KR_WEB"].max_body_bytes
    request_log.configure()
    # Replies are finished in the reverse of this order: headers, then compression, then the log that counts bytes.
    request_log.register(app)
    compression.register(app)
    headers.register(app)
    languages.register(app)
    formats.register(app)
    static_files.register(app)
    errors.register(app)
    search_service.register(app, opener or partial(KeywordService.open, app.config["KR"]))
    pages.register(app)
    app.register_blueprint(keyword_ideas.blueprint)
    app.register_blueprint(suggestions.blueprint)
    app.register_blueprint(related.blueprint)
    app.register_blueprint(operations)
    return app
