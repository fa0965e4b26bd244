"""The users of a key's organisation, for its admins, and the organisation's API keys."""

from flask import Blueprint, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from indexes.errors import Message
from kr.store.accounts import create_user, disable_user, find_user, users_of, utc_now
from kr.store.api_keys import create_key, living_keys, revoke_key
from kr.store.schema import ApiKey, Role, User
from webui.api.account_models import (
    ApiKeyModel,
    ApiKeysData,
    ApiKeysReply,
    NewApiKey,
    NewApiKeyData,
    NewApiKeyReply,
    NewUser,
    UserModel,
    UserReply,
    UsersData,
    UsersReply,
)
from webui.api.exchange import parameter_problem, read_body
from webui.identity import current_database, signed_in

blueprint = Blueprint("users_api", __name__, url_prefix="/api/v1")


@blueprint.get("/users")
def all_users() -> Response:
    """Everybody of the organisation."""
    with current_database().reading() as session:
        users = [_user(user) for user in users_of(session, signed_in().organisation_id)]
    return _send(UsersReply(data=UsersData(users=users)))


@blueprint.post("/users")
def add_user() -> Response:
    """A new user, with a first password that the admin hands over."""
    body, now = read_body(NewUser), utc_now()
    with current_database().writing() as session:
        by = _me(session)
        made = create_user(session, by.organisation, body.email, body.name, Role(body.role), body.password, now, by)
        reply = UserReply(data=_user(made))
    return _send(reply, 201)


@blueprint.delete("/users/<user_id>")
def end_user(user_id: str) -> Response:
    """Disable a user: signed out, keys stopped; not oneself, so that somebody is left to undo it."""
    with current_database().writing() as session:
        by = _me(session)
        user = find_user(session, by.organisation_id, user_id)
        if user.id == by.id:
            raise parameter_problem("user_id", Message("You cannot disable your own account; another admin can."))
        disable_user(session, user, utc_now(), by)
    return Response(status=204)


@blueprint.get("/keys")
def all_keys() -> Response:
    """The organisation's keys that are in force, without their texts."""
    with current_database().reading() as session:
        keys = [_key(key) for key in living_keys(session, signed_in().organisation_id)]
    return _send(ApiKeysReply(data=ApiKeysData(keys=keys)))


@blueprint.post("/keys")
def add_key() -> Response:
    """A new key; this reply is the only one that ever holds its text."""
    body = read_body(NewApiKey)
    with current_database().writing() as session:
        key, text = create_key(session, _me(session), body.name, utc_now())
        reply = NewApiKeyReply(data=NewApiKeyData(**_key(key).model_dump(), key=text))
    return _send(reply, 201)


@blueprint.delete("/keys/<key_id>")
def end_key(key_id: str) -> Response:
    """Revoke a key of the organisation, be it the one that asks."""
    with current_database().writing() as session:
        revoke_key(session, _me(session), key_id, utc_now())
    return Response(status=204)


def _me(session: Session) -> User:
    identity = signed_in()
    return find_user(session, identity.organisation_id, identity.user_id)


def _user(user: User) -> UserModel:
    return UserModel(
        id=user.id,
        email=user.email,
        name=user.name,
        role=Role(user.role).value,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
    )


def _key(key: ApiKey) -> ApiKeyModel:
    return ApiKeyModel(
        id=key.id,
        name=key.name,
        beginning=key.beginning,
        user_id=key.user_id,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
    )


def _send(reply: BaseModel, status: int = 200) -> Response:
    return Response(reply.model_dump_json(), status, mimetype="application/json")
