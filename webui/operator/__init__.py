"""The operator's pages: marketing rules, lexicons, snapshots, jobs, feedback, audit log."""

from flask import Flask
from flask_babel import gettext

from webui.api import operator_lexicons, operator_rules
from webui.operator import lexicon_pages, rules_pages

BLUEPRINTS = (
    rules_pages.blueprint,
    lexicon_pages.blueprint,
    operator_rules.blueprint,
    operator_lexicons.blueprint,
)


def sections() -> list[tuple[str, str]]:
    """The parts of the operator's pages and their names, in the order of their navigation."""
    return [
        ("operator_rules.overview", gettext("Rules")),
        ("operator_lexicons.overview", gettext("Unsafe terms")),
    ]


def register(app: Flask) -> None:
    """Serve the pages and the API."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.jinja_env.globals["operator_sections"] = sections
