"""Commands of the products beside keyword search; heavy libraries are imported inside them."""

from pathlib import Path
from typing import Any

import click

from indexes.errors import UsageError
from indexes.terminal import print_json, say
from kr.store_options import snapshot_option, store_and_snapshot, store_option

RELATED_LIMIT = 8
MOST_RELATED = 100


@click.command()
@click.argument("query", default="")
@store_option
@snapshot_option
@click.option("--limit", type=click.IntRange(1, MOST_RELATED), default=RELATED_LIMIT, show_default=True, help="Rows.")
@click.option("--t", "quality_weight", type=click.FloatRange(0, 1), help="1 ranks by relevance only, 0 by value only.")
@click.option("--queries", type=click.Path(path_type=Path), help="File of queries, one a line, instead of QUERY.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope; with --queries `rows[]`.")
@click.option("--explain", is_flag=True, help="Add what each source found and why each other keyword is not shown.")
def related(
    query: str,
    store: Path | None,
    snapshot: Path | None,
    limit: int,
    quality_weight: float | None,
    queries: Path | None,
    as_json: bool,
    explain: bool,
) -> None:
    """Related searches to show beside the results of QUERY: few, different, and none rather than a wrong one."""
    if bool(query) == bool(queries):
        raise UsageError("Give a QUERY, or --queries FILE.", "Give one of the two.")
    from kr.envelope import related_envelope
    from kr.seeds import parse_seeds
    from kr.service import KeywordService
    from kr.settings import load_settings
    from kr.types import Request

    texts = read_lines(queries, "--queries") if queries else [query]
    store, snapshot_id = store_and_snapshot(store, snapshot)
    settings = load_settings(store=store)
    parameters = {} if quality_weight is None else {"t": quality_weight}
    requests = [
        Request(parse_seeds([text], settings), limit=limit, parameters=parameters, explain=explain) for text in texts
    ]
    service = KeywordService(settings, snapshot_id=snapshot_id)
    if queries:
        rows = []
        for text, request in zip(texts, requests, strict=True):
            found = [row["text"] for row in service.related(request).rows]
            rows.append({"query": text, "related_searches": found})
            if not as_json:
                click.echo("\t".join([text, *found]))
        if as_json:
            print_json({"snapshot": service.indexes.snapshot_id, "rows": rows})
        return
    reply = service.related(requests[0])
    if as_json:
        print_json(related_envelope(reply, requests[0], query))
        return
    for note in reply.notices:
        say(f"{note.text_en}\n{note.text_zh}")
    for row in reply.rows:
        click.echo(f"{row['relevance']:.2f}  {row['text']}  ({_demand(row)})")
        for reason in row["reasons"] if explain else ():
            click.echo(f"    {reason['text_en']}")
    say(f"{len(reply.rows)} related searches, snapshot {reply.snapshot}")


@click.command()
@store_option
@snapshot_option
@click.option("--account", help="Id of an account, as the advertisers' log names it.")
@click.option("--industry", help="Id of an industry; with --account the one to fall back on.")
@click.option("--limit", type=click.IntRange(1, MOST_RELATED), default=RELATED_LIMIT, show_default=True, help="Rows.")
@click.option("--t", "quality_weight", type=click.FloatRange(0, 1), help="1 ranks by quality only, 0 by results only.")
@click.option("--urls", is_flag=True, help="Pages to start a search by address from, instead of searches.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
def seeds(
    store: Path | None,
    snapshot: Path | None,
    account: str | None,
    industry: str | None,
    limit: int,
    quality_weight: float | None,
    urls: bool,
    as_json: bool,
) -> None:
    """Searches or pages to offer an account, an industry or everyone before a word is typed."""
    from kr.envelope import seeds_envelope
    from kr.pipelines.seed_queries import SeedRequest
    from kr.service import KeywordService
    from kr.settings import load_settings

    store, snapshot_id = store_and_snapshot(store, snapshot)
    service = KeywordService(load_settings(store=store), snapshot_id=snapshot_id)
    kind = "urls" if urls else "queries"
    request = SeedRequest(account or None, industry or None, limit, quality_weight, kind)
    reply = service.seeds(request)
    if as_json:
        print_json(seeds_envelope(reply, request))
        return
    for note in reply.notices:
        say(f"{note.text_en}\n{note.text_zh}")
    for row in reply.rows:
        click.echo(f"{row['url' if urls else 'text']}  ({'; '.join(reason['text_en'] for reason in row['reasons'])})")
    whose = f"{reply.kind} {reply.id}" if reply.id else reply.kind
    say(f"{len(reply.rows)} {'pages' if urls else 'seeds'} of {whose}, snapshot {reply.snapshot}")


@click.command()
@click.argument("account", default="")
@store_option
@snapshot_option
@click.option("--industry", help="Id of an industry: instead of the account's, or without any account.")
@click.option("--site", help="Address of a site, read from the crawl or fetched: instead of the account's.")
@click.option("--limit", type=click.IntRange(1, MOST_RELATED), default=20, show_default=True, help="Rows.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's envelope.")
@click.option("--explain", is_flag=True, help="Add all reasons, and why each other keyword is not shown.")
def recommend(
    account: str,
    store: Path | None,
    snapshot: Path | None,
    industry: str | None,
    site: str | None,
    limit: int,
    as_json: bool,
    explain: bool,
) -> None:
    """Keywords for ACCOUNT, an advertiser of the log, without a query; or for an industry or a site alone."""
    if not (account or industry or site):
        raise UsageError("Nobody was named to recommend to.", "Give an ACCOUNT, --industry or --site.")
    from kr.envelope import recommendations_envelope
    from kr.pipelines.recommendations import RecommendationRequest
    from kr.service import KeywordService
    from kr.settings import load_settings

    store, snapshot_id = store_and_snapshot(store, snapshot)
    service = KeywordService(load_settings(store=store), snapshot_id=snapshot_id)
    request = RecommendationRequest(
        (), limit=limit, explain=explain, account=account or None, industry=industry or None
    )  # fmt: skip
    reply = service.recommendations(request, service.read_page(site) if site else None)
    if as_json:
        print_json(recommendations_envelope(reply, request))
        return
    for note in reply.notices:
        say(f"{note.text_en}\n{note.text_zh}")
    for row in reply.rows:
        click.echo(f"{row['relevance']:.2f}  {row['text']}  ({_demand(row)})")
        for reason in row["reasons"] if explain else row["reasons"][:1]:
            click.echo(f"    {reason['text_en']}")
    order = "by a fixed rule" if reply.model is None else "learned from what accounts bought later"
    say(f"{len(reply.rows)} of {reply.total} keywords from {', '.join(reply.known) or 'nothing known'}, "
        f"order {order}, snapshot {reply.snapshot}")  # fmt: skip


def _demand(row: dict[str, Any]) -> str:
    monthly = row["avg_monthly_searches"]
    return f"{row['searches']:,} in the log" if monthly is None else f"{monthly:,.0f} a month"


def read_lines(path: Path, option: str) -> list[str]:
    """The lines of a text file. Raises UsageError, naming the option, if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8-sig").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{option} {path} cannot be read: {error}.", "Name a UTF-8 text file, one a line.") from None
    # Not splitlines: a keyword may hold other characters that end lines.
    return lines.split("\n") if lines else []


COMMANDS: list[click.Command] = [related, seeds, recommend]
