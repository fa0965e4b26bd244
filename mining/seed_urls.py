"""Pages that a search by address may start from (SPEC §1.12 "Seed URLs too"): what people clicked, for which keywords.

A page is one whose clicks come from at least `seed_url_min_users` users and `seed_url_min_keywords` keywords, over the
edges of the click graph, so that pages that are clicked for everything are none. Of more than `seed_url_pages` the
pages of the most users stay, of a page's keywords the PAGE_KEYWORDS that the most users clicked it for. For whom a page
is a good start is decided at build, where vectors and unsafe terms are known (`mining.build_seed_urls`).
"""

import ibis
import ibis.expr.types as ir

from mining.engines import Engine
from mining.settings import MiningSettings

PAGE_KEYWORDS = 50


def find_seed_pages(
    engine: Engine, edges: ir.Table, edge_users: ir.Table, urls: ir.Table, settings: MiningSettings
) -> tuple[ir.Table, ir.Table]:
    """The rows of the mined tables seed_urls, without titles but with url_id, and seed_url_keywords.

    `edges`, `edge_users` and `urls` are those of `mining.click_clusters`.
    """
    clicked = edge_users.join(edges, ["keyword_id", "url_id"])
    pages = clicked.group_by("url_id").agg(
        users=clicked.user_no.nunique(),
        clicks=clicked.clicks.sum(),
        keywords=clicked.keyword_id.nunique(),
        first_date=clicked.first_date.min(),
        last_date=clicked.last_date.max(),
    )
    pages = pages.filter(
        pages.users >= settings.seed_url_min_users, pages.keywords >= settings.seed_url_min_keywords
    ).join(urls, "url_id")
    most_users = ibis.window(order_by=[pages.users.desc(), pages.url])
    pages = pages.mutate(place=ibis.row_number().over(most_users))
    pages = engine.materialise("seed_pages", pages.filter(pages.place < settings.seed_url_pages).drop("place"))
    own = clicked.join(pages.select("url_id", "url"), "url_id")
    of_page = own.group_by("url", "keyword_id").agg(users=own.count(), clicks=own.clicks.sum())
    best = ibis.window(group_by=of_page.url, order_by=[of_page.users.desc(), of_page.keyword_id])
    of_page = of_page.mutate(place=ibis.row_number().over(best))
    return pages, of_page.filter(of_page.place < PAGE_KEYWORDS).drop("place")


def with_titles(pages: ir.Table, crawled: ir.Table) -> ir.Table:
    """The pages with the title that the crawl has of each, null where it has none."""
    titles = crawled.select("url", "title")
    named = pages.left_join(titles, pages.url == titles.url)
    return named.select("url", "title", "users", "clicks", "keywords", "first_date", "last_date")
