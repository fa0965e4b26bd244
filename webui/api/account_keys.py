"""Who may read what an account's seeds tell: only callers with the account's key, which the platform's server makes."""

import hashlib
import hmac

from flask import current_app

from indexes.errors import Message
from webui.api.problems import ACCOUNT_KEY, ApiProblem


def account_key(secret: str, account: str) -> str:
    """The key of an account: HMAC-SHA256 of its id, hexadecimal."""
    return hmac.new(secret.encode(), account.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def check_account(account: str | None, key: str | None) -> None:
    """Raise ApiProblem unless no account is asked for, or the key is the account's."""
    if not account:
        return
    secret = current_app.config["KR_WEB"].account_secret.get_secret_value()
    if not secret:
        raise ApiProblem(
            ACCOUNT_KEY, Message("This service answers for no account: the operator has set no account_secret.")
        )
    wanted, given = account_key(secret, account), (key or "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(wanted.encode(), given):
        wrong = Message("The key is not that of this account.")
        raise ApiProblem(ACCOUNT_KEY, wrong, [("#/key", wrong)])
