"""The part of the OpenAPI document that needs an API key: the account, its lists, its verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from webui.api.account_models import (
    AccountReply,
    ApiKeysReply,
    NewApiKey,
    NewApiKeyReply,
    NewUser,
    UserReply,
    UsersReply,
)
from webui.api.list_models import (
    KeywordListChange,
    KeywordListReply,
    KeywordListsReply,
    NewKeywordList,
    NewVerdicts,
    VerdictsReply,
)


@dataclass(frozen=True)
class AccountOperation:
    """An operation for a key's organisation. `{…}` in the path are identifiers; `version` says that it asks for one."""

    path: str
    method: str
    operation_id: str
    summary: str
    body: type[BaseModel] | None
    reply: type[BaseModel] | None
    told: str
    version: bool = False
    changes: bool = False
    """A POST that makes nothing new: its success is 200."""
    parameters: tuple[dict[str, Any], ...] = ()
    """Others of the address."""
    question: type[BaseModel] | None = None
    """Its fields are parameters of the address."""

    @property
    def status(self) -> str:
        """The status of success."""
        return "200" if self.changes else "204" if self.reply is None else "201" if self.method == "post" else "200"


_LISTS, _LIST = "/api/v1/keyword-lists", "/api/v1/keyword-lists/{list_id}"
ACCOUNT_OPERATIONS = (
    AccountOperation(
        "/api/v1/account", "get", "getAccount", "Who an API key acts for", None, AccountReply, "Organisation and user."
    ),
    AccountOperation("/api/v1/users", "get", "listUsers", "The users, for admins", None, UsersReply, "The users."),
    AccountOperation("/api/v1/users", "post", "addUser", "Add a user, as an admin", NewUser, UserReply, "The user."),
    AccountOperation(
        "/api/v1/users/{user_id}", "delete", "disableUser", "Disable a user, as an admin", None, None, "Disabled."
    ),
    AccountOperation("/api/v1/keys", "get", "listApiKeys", "The keys in force", None, ApiKeysReply, "The keys."),
    AccountOperation(
        "/api/v1/keys",
        "post",
        "makeApiKey",
        "Make a key",
        NewApiKey,
        NewApiKeyReply,
        "The key, this once whole.",
    ),
    AccountOperation("/api/v1/keys/{key_id}", "delete", "revokeApiKey", "Revoke a key", None, None, "Revoked."),
    AccountOperation(_LISTS, "get", "listKeywordLists", "The lists by name", None, KeywordListsReply, "The lists."),
    AccountOperation(
        _LISTS, "post", "createKeywordList", "Make a list", NewKeywordList, KeywordListReply, "The new list."
    ),
    AccountOperation(_LIST, "get", "getKeywordList", "One list", None, KeywordListReply, "The list and its keywords."),
    AccountOperation(
        _LIST,
        "patch",
        "changeKeywordList",
        "Rename, add and remove, all or nothing",
        KeywordListChange,
        KeywordListReply,
        "The list as it is now.",
    ),
    AccountOperation(_LIST, "delete", "deleteKeywordList", "Delete a list", None, None, "Deleted.", version=True),
    AccountOperation(
        "/api/v1/verdicts",
        "post",
        "giveVerdict",
        "Say what recommended keywords are worth",
        NewVerdicts,
        VerdictsReply,
        "What was said, and how to take it back.",
    ),
    AccountOperation(
        "/api/v1/verdicts/{batch}", "delete", "takeVerdictBack", "Take verdicts back", None, None, "Taken back."
    ),
)


def account_models() -> list[tuple[type[BaseModel], Any]]:
    """The models of these operations, for the document's schemas."""
    return models_of(ACCOUNT_OPERATIONS)


def models_of(operations: Sequence[AccountOperation]) -> list[tuple[type[BaseModel], Any]]:
    """The models that operations take and answer."""
    bodies = [(operation.body, "validation") for operation in operations if operation.body]
    return [*bodies, *((operation.reply, "serialization") for operation in operations if operation.reply)]


def account_paths(reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    """The paths of the document; `reference` is where schemas lie, with `{model}` for the name."""
    return paths_of(ACCOUNT_OPERATIONS, reference, problems)


def paths_of(operations: Sequence[AccountOperation], reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    """The paths of operations."""
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, reference, problems)
    return paths


def _described(operation: AccountOperation, reference: str, problems: dict[str, Any]) -> dict[str, Any]:
    def content(model: type[BaseModel]) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": reference.format(model=model.__name__)}}}

    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    if operation.version:
        version = {"name": "version", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 1}}
        parameters.append(version | {"description": "The version that was seen."})
    parameters += operation.parameters
    if operation.question:
        parameters += _asked(operation.question)
    success: dict[str, Any] = {"description": operation.told}
    if operation.reply:
        success["content"] = content(operation.reply)
    document: dict[str, Any] = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "security": [{"apiKey": []}],
        "parameters": parameters,
        "responses": {operation.status: success, **problems},
    }
    if operation.body:
        document["requestBody"] = {"required": True, "content": content(operation.body)}
    return document


def _asked(question: type[BaseModel]) -> list[dict[str, Any]]:
    schema = question.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field["description"],
            "schema": {key: value for key, value in field.items() if key not in ("description", "title")},
        }
        for name, field in schema["properties"].items()
    ]
