"""The language of a page: `?lang=` first, then the browser's Accept-Language, then English. No cookie is set."""

from typing import Any

from flask import Flask, Response, request
from flask_babel import Babel

LANGUAGES = ("en", "zh")
# What <html lang> says; a script subtag lets the browser choose simplified glyphs.
HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}
NAMES = {"en": "English", "zh": "中文"}


def chosen_language() -> str | None:
    """The language that the address asks for, or None if it asks for none that exists."""
    language = request.args.get("lang")
    return language if language in LANGUAGES else None


def page_language() -> str:
    """The language in which this request is answered: `en` or `zh`."""
    return chosen_language() or request.accept_languages.best_match(LANGUAGES, default="en") or "en"


def _declare_language(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers["Content-Language"] = HTML_LANGUAGES[page_language()]
        response.vary.add("Accept-Language")
    return response


def register(app: Flask) -> None:
    """Choose the language of each page and declare it in the reply."""
    Babel(app, locale_selector=page_language, default_translation_directories="translations")
    app.after_request(_declare_language)

    def language_context() -> dict[str, Any]:
        language = page_language()
        return {"language": language, "html_language": HTML_LANGUAGES[language], "language_names": NAMES}

    app.context_processor(language_context)
