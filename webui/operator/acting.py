"""Who does what an operator's form or call asks for, and which version was seen when it was sent."""

from flask import request
from flask_babel import gettext
from sqlalchemy.orm import Session

from indexes.errors import UsageError
from kr.store.accounts import find_user, utc_now
from kr.store.control_versions import Author
from webui.identity import signed_in


def author(session: Session) -> Author:
    """The person of this request, now."""
    identity = signed_in()
    return Author(identity.organisation_id, find_user(session, identity.organisation_id, identity.user_id), utc_now())


def seen_version() -> int:
    """The version that the form was shown with. UsageError if it says none."""
    version = request.form.get("version", type=int)
    if version is None or version < 0:
        raise UsageError(gettext("The form does not say which version you saw."), gettext("Load the page again."))
    return version


def lines(text: str) -> list[str]:
    """The lines of a text area that hold something, each once."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
