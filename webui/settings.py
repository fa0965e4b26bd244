"""Typed settings of the web application alone: flag over environment (`KR_WEB_GZIP_LEVEL=0`) over default."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
