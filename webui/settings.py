"""Typed settings of the web application alone: flag over environment (`KR_WEB_GZIP_LEVEL=0`) over default."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from indexes.errors import UsageError

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?")


class WebSettings(BaseSettings):
    """Settings of the faces; what the online path decides is in `kr.settings`."""

    model_config = SettingsConfigDict(env_prefix="KR_WEB_", extra="forbid", frozen=True)

    production: bool = Field(
        default=False, description="Serve others: cookies for https only, and no start without a secret key."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="Random text that signs forms; the same for all processes. Without it: a new one."
    )
    sign_in_required: bool = Field(default=False, description="Whether searching, too, takes an account or an API key.")
    requests_a_minute: int | None = Field(
        default=None, ge=0, description="Requests of one caller; 0 for no limit. Unset: 1,200 in production, else none."
    )
    rate_limit_storage: str | None = Field(
        default=None, description="Where requests are counted, such as redis://host; unset: shared by all workers."
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="How many proxies in front add to X-Forwarded-For and X-Forwarded-Proto."
    )
    max_body_bytes: int = Field(default=65_536, ge=1_024, le=16_777_216, description="Longest request body, in bytes.")
    max_upload_bytes: int = Field(
        default=16_777_216, ge=1_024, le=1_073_741_824, description="Longest keyword file that is uploaded, in bytes."
    )
    max_query_string_bytes: int = Field(default=8_192, ge=1_024, le=65_536, description="Longest query of an address.")
    default_page_rows: int = Field(default=25, ge=1, le=100, description="Rows of the search page unless the URL says.")
    gzip_level: int = Field(default=5, ge=0, le=9, description="Compression of replies; 0 turns it off.")
    gzip_min_bytes: int = Field(default=1_024, ge=1, description="Shorter replies are sent as they are.")
    example_searches: int = Field(default=8, ge=0, le=50, description="Searches to try on the home page.")
    account_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret by which account keys are made; empty answers for no account."
    )
    widget_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins whose pages may embed widgets, separated by spaces; this origin may. Where some are "
        "named, widgets answer everybody, even with `sign_in_required`.",
    )
    widget_search_url: str = Field(
        default="",
        description="Where a followed widget link leads, {query} standing for the search; empty for KR's own page.",
    )
    events: Path | None = Field(
        default=None, description="Folder to which widgets append views and clicks; without one, none are recorded."
    )
    events_per_second: float = Field(default=100.0, gt=0, description="Views and clicks recorded by one worker.")
    events_max_bytes: int = Field(
        default=1_073_741_824, ge=1_024, description="Length at which a day's file of events takes no more."
    )

    @field_validator("widget_origins", mode="before")
    @classmethod
    def _origins(cls, value: Any) -> Any:
        origins = tuple(value.split()) if isinstance(value, str) else value
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin such as https://shop.example or https://*.shop.example")
        return origins

    @field_validator("widget_search_url")
    @classmethod
    def _leads_to_a_search(cls, value: str) -> str:
        if value and not (value.startswith(("https://", "http://", "/")) and value.count("{query}") == 1):
            raise ValueError("it must begin with https://, http:// or /, and hold {query} once")
        if value.startswith("//") or not value.isprintable() or " " in value:
            raise ValueError("it is not the address of a page")
        return value


def load_web_settings() -> WebSettings:
    """The settings in force. UsageError names the variable and the mistake."""
    try:
        return WebSettings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = f"KR_WEB_{'.'.join(str(part) for part in first['loc']).upper()}"
        raise UsageError(f"The variable {name} is wrong: {first['msg']}.", "Mend it, or leave it out.") from None
