"""The language of a page: `?lang=` first, then the browser's Accept-Language, then English. No cookie is set."""

from typing import Any

from flask import Flask, Response, g, request
from flask_babel import Babel, gettext

from indexes.errors import KRError, Message

LANGUAGES = ("en", "zh")
# What <html lang> says; a script subtag lets the browser choose simplified glyphs.
HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}
NAMES = {"en": "English", "zh": "中文"}
PROBLEM = "application/problem+json"


def chosen_language() -> str | None:
    """The language that the address asks for, or None if it asks for none that exists.

    Callers of the API ask with `language`, in the address or in the body (`body_asks_for`), for texts in their replies;
    what refuses them is said in it too.
    """
    asked = [request.args.get("lang")]
    if request.path.startswith("/api/"):
        asked += [request.args.get("language"), g.get("language_of_body")]
    return next((language for language in asked if language in LANGUAGES), None)


def body_asks_for(language: object) -> None:
    """Answer this request in the language that its body names, if there is such a one."""
    if isinstance(language, str):
        g.language_of_body = language


def page_language() -> str:
    """The language in which this request is answered: `en` or `zh`."""
    return chosen_language() or request.accept_languages.best_match(LANGUAGES, default="en") or "en"


def said(text: KRError | Message | str) -> str:
    """An error or a message in the language of this request; what is in no catalog stays English."""
    return text if isinstance(text, str) else text.said(gettext)


def _declare_language(response: Response) -> Response:
    if response.mimetype in ("text/html", PROBLEM):
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
