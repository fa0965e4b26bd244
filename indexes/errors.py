"""The one exception hierarchy of KR.

Every error that a person may meet names the place and the remedy. The command line turns `exit_code` into the
process's exit code; the web application turns `http_status` into a problem reply.
"""


class KRError(Exception):
    """An error with a message for people: what is wrong, where, and what to do about it."""

    exit_code = 1
    http_status = 500

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


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
