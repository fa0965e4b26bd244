"""The one exception hierarchy of KR.

Every error that a person may meet names the place and the remedy. The command line turns `exit_code` into the
process's exit code; the web application turns `http_status` into a problem reply, in the language of whoever asked.
"""

from collections.abc import Callable
from typing import Any

# After these a sentence follows without a space.
_FULL_WIDTH_ENDS = ("。", "！", "？", "；", "，")


class Message:
    """A text for people: a template in English, by which its translation is found, and the values that it names.

    `Message("There are {most} lists already.", most=1000)`. A value that is a Message itself is translated with it.
    Without values the template is taken as it is, braces and all.
    """

    def __init__(self, template: str, /, **values: Any) -> None:
        self.template = template
        self.values = values

    def __str__(self) -> str:
        return self.said()

    def __repr__(self) -> str:
        return repr(str(self))

    def said(self, translate: Callable[[str], str] = str) -> str:
        """The text; `translate` gives the template in another language, or as it is where there is no translation."""
        template = translate(self.template) if self.template else ""
        if not self.values:
            return template
        return template.format(
            **{
                name: value.said(translate) if isinstance(value, Message) else value
                for name, value in self.values.items()
            }
        )


class KRError(Exception):
    """An error with a message for people: what is wrong, where, and what to do about it.

    Message and remedy are templates of the values, as in `Message`; both are written out where the error is raised, so
    that a test can see that each is translated.
    """

    exit_code = 1
    http_status = 500

    def __init__(self, message: str | Message, remedy: str | Message = "", /, **values: Any) -> None:
        self.parts = tuple(part if isinstance(part, Message) else Message(part, **values) for part in (message, remedy))
        self.message, self.remedy = map(str, self.parts)
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.said()

    def said(self, translate: Callable[[str], str] = str) -> str:
        """Message and remedy, in another language as `Message.said`."""
        message, remedy = (part.said(translate) for part in self.parts)
        return message + remedy if message.endswith(_FULL_WIDTH_ENDS) else f"{message} {remedy}".strip()


class UsageError(KRError):
    """The caller's input cannot be used: a bad option, a file with a mistake, a query that is too long."""

    exit_code = 2
    http_status = 400


class NotFoundError(KRError):
    """The thing asked for is not there: a snapshot, a file, a table."""

    exit_code = 3
    http_status = 404


class CorruptError(KRError):
    """Data is there but damaged, or of a format that this version does not read."""

    exit_code = 4
    http_status = 503


class TryAgainError(KRError):
    """Somebody else holds the lock, or a resource is short for the moment; the same call may succeed later."""

    exit_code = 75
    http_status = 503
