"""Settings of the online path: command line flag over environment (`KR_…`) over TOML file over default."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from indexes.errors import UsageError

DEFAULT_FILE = "kr.toml"
FILE_VARIABLE = "KR_CONFIG"
MIN_RELEVANCE = 0.3
MIN_RELEVANCE_RELATED = 0.8
"""Bars of relevance where neither the operator sets one nor a trained model brings one."""


class Settings(BaseSettings):
    """Everything that an operator may set; `kr.toml`, or the file that KR_CONFIG names, holds the same names."""

    model_config = SettingsConfigDict(env_prefix="KR_", extra="forbid", frozen=True)

    store: Path = Field(Path("var/store"), description="Folder of the snapshot store.")
    database: str = Field("sqlite:///var/kr.db", description="URL of the database of accounts and what they write.")
    work: Path | None = Field(
        None, description="Folder of the logs and mined tables of operators' jobs; unset: the folder around the store."
    )
    lexicons: tuple[Path, ...] = Field((), description="Files of unsafe terms beside those that KR ships.")
    rules: Path | None = Field(None, description="TOML file of marketing rules.")
    currency: str = Field("CNY", pattern="^[A-Z]{3}$", description="ISO 4217 code of all bids.")
    max_query_chars: int = Field(200, ge=1, le=1000, description="Longest seed keyword, in characters.")
    max_seeds: int = Field(10, ge=1, le=100, description="Most seed keywords of one request.")
    max_rows: int = Field(10_000, ge=1, description="How deep a reply may be paged, in rows.")
    candidates_per_source: int = Field(2000, ge=10, description="Most keywords that one source finds for one seed.")
    semantic_neighbors: int = Field(200, ge=1, le=10_000, description="Most keywords of like meaning for one seed.")
    anchors_per_seed: int = Field(8, ge=1, le=100, description="Known keywords that stand for one seed.")
    relevance_model: Path | None = Field(
        None, description="Folder of a model made by train relevance; without one, relevance is literal."
    )
    min_relevance: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Relevance from which keyword search admits a keyword; unset: the model's threshold, or "
        f"{MIN_RELEVANCE:g} without a model.",
    )
    min_relevance_related: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Relevance from which related searches admit a keyword; unset: the model's threshold, or "
        f"{MIN_RELEVANCE_RELATED:g} without a model.",
    )
    related_min_users: int = Field(
        5, ge=1, description="Users who must have searched a keyword before related searches show it to others."
    )
    quality_weight: float = Field(0.7, ge=0, le=1, description="t of Q^t·R^(1−t): 1 is relevance only, 0 demand only.")
    plan_max_rows: int = Field(1_000_000, ge=1, description="Most rows of a keyword file that is imported.")
    plan_max_bytes: int = Field(
        2**29, ge=1024, description="Most bytes of a keyword file that is imported, after decompression."
    )
    unsafe_severity: int = Field(1, ge=1, le=3, description="Severity from which an unsafe keyword is removed.")

    page_user_agent: str = Field(
        "KR-PageReader/0.2 (keyword recommendations; reads one page when a person asks for it)",
        min_length=1,
        max_length=300,
        pattern=r"^[\x20-\x7e]+$",
        description="How the page reader introduces itself; add an address at which its operator can be reached.",
    )
    page_seconds: float = Field(8.0, gt=0, le=60, description="Seconds within which a page must be there, all in all.")
    page_bytes: int = Field(
        2 * 1024 * 1024, ge=1024, le=50_000_000, description="Longest page, in bytes after decompression."
    )
    page_kept_seconds: int = Field(600, ge=0, description="How long a fetched page is kept for the next request.")
    pages_at_once: int = Field(8, ge=1, le=1000, description="Pages that one process fetches at the same time.")
    allow_loopback_pages: bool = Field(
        False, description="For tests alone: lets pages be read from this machine (127.0.0.0/8, ::1), on any port."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get(FILE_VARIABLE, DEFAULT_FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


def load_settings(**flags: Any) -> Settings:
    """The settings in force; flags that are None count as not given. UsageError names the setting and the mistake."""
    named = os.environ.get(FILE_VARIABLE)
    if named and not Path(named).is_file():
        raise UsageError(f"The settings file {named} ({FILE_VARIABLE}) does not exist.", "Name one that does.")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"The setting {where} is wrong: {first['msg']} (it is {first.get('input')!r}).",
            f"Mend the flag, KR_{where.upper()}, or {named or DEFAULT_FILE}.",
        ) from None
    except ValueError as error:
        raise UsageError(
            f"The settings file {named or DEFAULT_FILE} is not TOML: {error}.", "Mend that line."
        ) from None
