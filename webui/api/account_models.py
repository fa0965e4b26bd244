"""What the API says of accounts, as typed models."""

from typing import Literal

from pydantic import BaseModel


class OrganisationSummary(BaseModel):
    """An organisation."""

    id: str
    name: str


class UserSummary(BaseModel):
    """A user."""

    id: str
    email: str
    name: str
    role: Literal["advertiser", "analyst", "operator", "admin"]


class Account(BaseModel):
    """Who a key acts for."""

    organisation: OrganisationSummary
    user: UserSummary


class AccountReply(BaseModel):
    """The envelope."""

    data: Account
