"""The client: a method an operation of the API."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote, urlencode

from kr.client.replies import KeywordIdea, KeywordIdeas, KeywordList, KeywordScore, SeedQuery, Suggestion
from kr.client.transport import Transport

API = "/api/v1"


class SearchFilters(TypedDict, total=False):
    """What an answer may hold; left out means all."""

    min_searches: int
    max_searches: int
    competition: list[str]
    min_bid_micros: int
    max_bid_micros: int
    languages: list[str]
    devices: list[str]
    regions: list[str]
    must_contain: list[str]
    must_not_contain: list[str]
    intents: list[str]
    match_types: list[str]
    groups: list[str]
    hide_listed: bool


@dataclass(frozen=True)
class Seeds:
    """What a question starts from, of all kinds."""

    keywords: Sequence[str] = ()
    url: str | None = None
    site: str | None = None
    list_id: str | None = None

    def fields(self) -> dict[str, Any]:
        """The fields of a request's body."""
        found: dict[str, Any] = {}
        if self.keywords:
            found["keyword_seed"] = {"keywords": list(self.keywords)}
        if self.url is not None:
            found["url_seed"] = {"url": self.url}
        if self.site is not None:
            found["site_seed"] = {"site": self.site}
        if self.list_id is not None:
            found["list_seed"] = {"list_id": self.list_id}
        return found


class Client:
    """Asks one server, as whoever the API key belongs to. Safe to call from any thread.

    Every method raises ProblemError for what the API refuses and UnreachableError where no reply comes.
    """

    def __init__(
        self,
        address: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        retries: int = 3,
        longest_wait_seconds: float = 60.0,
    ) -> None:
        """A busy server (429, 503) is asked again up to `retries` times, as soon as its Retry-After header says."""
        self._transport = Transport(address, api_key, timeout_seconds, retries, longest_wait_seconds)

    def search(
        self,
        *keywords: str,
        url: str | None = None,
        site: str | None = None,
        list_id: str | None = None,
        filters: SearchFilters | None = None,
        sort: str = "rank",
        t: float | None = None,
        page_size: int = 100,
        page_token: str | None = None,
        facets: bool = False,
        include_adult_keywords: bool = False,
        language: str | None = None,
    ) -> KeywordIdeas:
        """One page of keyword ideas; `search_all` goes through all pages."""
        body: dict[str, Any] = {
            **Seeds(keywords, url, site, list_id).fields(),
            **_without_none(page_token=page_token, language=language),
            "filters": dict(filters or {}),
            "sort": sort,
            "page_size": page_size,
            "parameters": _without_none(t=t),
        }
        if facets:
            body["facets"] = True
        if include_adult_keywords:
            body["include_adult_keywords"] = True
        return KeywordIdeas.of(self._transport.json("POST", f"{API}/keyword-ideas", body))

    def search_all(self, *keywords: str, most: int | None = None, **options: Any) -> Iterator[KeywordIdea]:
        """Every keyword idea, page by page as they are asked for, at most so many; options as for `search`."""
        left = most
        token: str | None = None
        while left is None or left > 0:
            page = self.search(*keywords, page_token=token, **options)
            rows = page.rows if left is None else page.rows[:left]
            yield from rows
            left = None if left is None else left - len(rows)
            token = page.next_page_token
            if token is None:
                return

    def score(
        self,
        keywords: Sequence[str],
        *seeds: str,
        url: str | None = None,
        site: str | None = None,
        list_id: str | None = None,
        language: str | None = None,
        at_once: int = 500,
    ) -> Iterator[KeywordScore]:
        """The caller's own keywords in their order, any number of them, scored against the seeds if there are any."""
        fields = {**Seeds(seeds, url, site, list_id).fields(), **_without_none(language=language)}
        for start in range(0, len(keywords), at_once):
            body = {**fields, "keywords": list(keywords[start : start + at_once])}
            reply = self._transport.json("POST", f"{API}/keyword-scores", body)
            yield from map(KeywordScore.of, reply["data"]["keyword_scores"])

    def keyword(self, text: str, seed: str | None = None, language: str | None = None) -> Mapping[str, Any]:
        """Everything that is known of one keyword."""
        path = f"{API}/keywords/{quote(text, safe='')}"
        return dict(self._get(path, seed=seed, language=language)["data"])

    def related(self, query: str, limit: int = 8, t: float | None = None) -> list[KeywordIdea]:
        """Searches to show beside the results of a search; few, and none rather than a wrong one."""
        reply = self._get(f"{API}/related", q=query, limit=limit, t=t)
        return [KeywordIdea.of(row) for row in reply["data"]["related_searches"]]

    def seeds(self, industry: str | None = None, limit: int = 8) -> list[SeedQuery]:
        """Searches to offer before a word is typed."""
        reply = self._get(f"{API}/seeds", industry=industry, limit=limit)
        return [SeedQuery.of(row) for row in reply["data"]["seeds"]]

    def suggestions(self, typed: str, limit: int = 10) -> list[Suggestion]:
        """Keywords that begin with what was typed: characters, pinyin, initials, also with one typo."""
        reply = self._get(f"{API}/suggestions", q=typed, limit=limit)
        return [Suggestion.of(row) for row in reply["data"]["suggestions"]]

    def keyword_lists(self) -> list[KeywordList]:
        """The organisation's lists, without their keywords."""
        reply = self._get(f"{API}/keyword-lists")
        return [KeywordList.of(row) for row in reply["data"]["keyword_lists"]]

    def keyword_list(self, list_id: str) -> KeywordList:
        """One list with its keywords."""
        return KeywordList.of(self._get(f"{API}/keyword-lists/{quote(list_id, safe='')}")["data"])

    def make_list(self, name: str, keywords: Sequence[str] = ()) -> KeywordList:
        """A new list."""
        body = {"name": name, "keywords": [*keywords]}
        return KeywordList.of(self._transport.json("POST", f"{API}/keyword-lists", body)["data"])

    def change_list(
        self, seen: KeywordList, *, name: str | None = None, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> KeywordList:
        """Rename a list, add to it, remove from it; ProblemError `conflict` if it was changed since it was seen."""
        body = {"version": seen.version, "add": [*add], "remove": [*remove], **_without_none(name=name)}
        path = f"{API}/keyword-lists/{quote(seen.id, safe='')}"
        return KeywordList.of(self._transport.json("PATCH", path, body)["data"])

    def delete_list(self, seen: KeywordList) -> None:
        """Delete a list, unless it was changed since it was seen."""
        self._transport.json("DELETE", f"{API}/keyword-lists/{quote(seen.id, safe='')}?version={seen.version}")

    def judge(self, query: str, keywords: Sequence[str], verdict: str) -> str:
        """Say what keywords of a search are worth: up, irrelevant, not_my_business, saved. Returns the batch."""
        body = {"query": query, "keywords": [*keywords], "verdict": verdict}
        return str(self._transport.json("POST", f"{API}/verdicts", body)["data"]["batch"])

    def take_back(self, batch: str) -> None:
        """Take back what was said in one go."""
        self._transport.json("DELETE", f"{API}/verdicts/{quote(batch, safe='')}")

    def export(self, *keywords: str, format: str = "csv", url: str | None = None, **fields: Any) -> bytes:
        """The answer to a search as a file; `fields` are those of the API's KeywordIdeasExportRequest."""
        body = {**Seeds(keywords, url).fields(), "format": format, **fields}
        path = f"{API}/keyword-ideas/export"
        return self._transport.send("POST", path, _json_bytes(body), "application/json")

    def import_file(self, file: Path | bytes, page_size: int = 1_000) -> Mapping[str, Any]:
        """A keyword file read by the server: the accounting of its rows, and the first of them. Nothing is stored."""
        content = file if isinstance(file, bytes) else file.read_bytes()
        path = f"{API}/plan/import?page_size={page_size}"
        return dict(_json_of(self._transport.send("POST", path, content, "application/octet-stream"))["data"])

    def account(self) -> Mapping[str, Any]:
        """Who the key acts for."""
        return dict(self._get(f"{API}/account")["data"])

    def _get(self, path: str, **parameters: Any) -> Any:
        query = urlencode(_without_none(**parameters))
        return self._transport.json("GET", f"{path}?{query}" if query else path)


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json_bytes(body: Mapping[str, Any]) -> bytes:

    return json.dumps(body, ensure_ascii=False).encode()


def _json_of(content: bytes) -> Any:

    return json.loads(content)
