"""The application factory."""

from collections.abc import Callable
from functools import partial

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from kr.service import KeywordService
from kr.settings import Settings, load_settings
from webui import (
    access,
    account_pages,
    compression,
    errors,
    exports,
    for_you,
    formats,
    headers,
    identity,
    industry_pages,
    judging,
    keyword_page,
    languages,
    list_pages,
    list_uploads,
    operator,
    pages,
    plan_analysis,
    plan_pages,
    rate_limits,
    request_log,
    score_page,
    search_service,
    sign_in_pages,
    static_files,
    user_pages,
)
from webui.api import (
    account,
    forecast,
    industries,
    keyword_ideas,
    keywords,
    lists,
    plan,
    plans,
    recommendations,
    related,
    seeds,
    suggestions,
    users,
)
from webui.operations import blueprint as operations
from webui.settings import WebSettings, load_web_settings
from webui.widgets import pages as widgets


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
    app.config["KR_WEB"] = web_settings or load_web_settings()
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
    identity.register(app, app.config["KR"])
    for blueprint in (
        keyword_ideas.blueprint,
        suggestions.blueprint,
        related.blueprint,
        plan.blueprint,
        forecast.blueprint,
        exports.blueprint,
        seeds.blueprint,
        industry_pages.blueprint,
        industries.blueprint,
        operations,
        sign_in_pages.blueprint,
        account_pages.blueprint,
        user_pages.blueprint,
        list_pages.blueprint,
        judging.blueprint,
        keyword_page.blueprint,
        score_page.blueprint,
        list_uploads.blueprint,
        keywords.blueprint,
        users.blueprint,
        plan_pages.blueprint,
        plan_analysis.blueprint,
        plans.blueprint,
        for_you.blueprint,
        recommendations.blueprint,
        account.blueprint,
        lists.blueprint,
    ):
        app.register_blueprint(blueprint)
    widgets.register(app)
    operator.register(app)
    rate_limits.register(app, app.config["KR_WEB"])
    access.register(app, app.config["KR_WEB"])
    if proxies := app.config["KR_WEB"].trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    return app
