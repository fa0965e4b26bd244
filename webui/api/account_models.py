"""What the API says of accounts, as typed models."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kr.store.schema import EMAIL_CHARS, NAME_CHARS

RoleName = Literal["advertiser", "analyst", "operator", "admin"]


class OrganisationSummary(BaseModel):
    """An organisation."""

    id: str
    name: str


class UserSummary(BaseModel):
    """A user."""

    id: str
    email: str
    name: str
    role: RoleName


class Account(BaseModel):
    """Who a key acts for."""

    organisation: OrganisationSummary
    user: UserSummary


class AccountReply(BaseModel):
    """The envelope."""

    data: Account


class NewUser(BaseModel):
    """A user to add to the key's organisation."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    email: str = Field(min_length=3, max_length=EMAIL_CHARS)
    name: str = Field("", max_length=NAME_CHARS, description="Empty for the part of the address before @.")
    role: RoleName = Field(description="Operators and analysts only in the platform's own organisation.")
    password: str = Field(max_length=1_000, description="The first one; the admin hands it over.")


class UserModel(UserSummary):
    """A user of the organisation."""

    created_at: datetime
    disabled_at: datetime | None = Field(description="Since when the user is shut out; null if not.")


class UsersData(BaseModel):
    """Everybody, by address."""

    users: list[UserModel]


class UsersReply(BaseModel):
    """The envelope."""

    data: UsersData


class UserReply(BaseModel):
    """The envelope."""

    data: UserModel


class NewApiKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(min_length=1, max_length=NAME_CHARS, description="The program that uses it.")


class ApiKeyModel(BaseModel):
    """A key, without its text."""

    id: str
    name: str
    beginning: str = Field(description="By which its owner knows it.")
    user_id: str
    created_at: datetime
    last_used_at: datetime | None


class ApiKeysData(BaseModel):
    """The keys in force, oldest first."""

    keys: list[ApiKeyModel]


class ApiKeysReply(BaseModel):
    """The envelope."""

    data: ApiKeysData


class NewApiKeyData(ApiKeyModel):
    """A key with its text, which cannot be had again."""

    key: str


class NewApiKeyReply(BaseModel):
    """The envelope."""

    data: NewApiKeyData
