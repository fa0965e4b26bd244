"""What a question names beside keywords that are typed: a page, a site, a list of the organisation's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kr.pages.reader import PageRead
from kr.pages.site import SiteRead
from kr.reasons import Notice
from kr.reply import NoticeText, notice
from kr.service import KeywordService
from kr.store.accounts import NoSuchRecord
from kr.store.lists import find_list, keywords_of
from kr.types import Request
from webui.identity import Identity, current_database


@dataclass(frozen=True)
class SeedMaterial:
    """Pages and sites that were read, the keywords of a list that become seeds, and what there is to say of these."""

    read: tuple[PageRead | SiteRead, ...] = ()
    listed: tuple[str, ...] = ()
    notices: tuple[NoticeText, ...] = ()

    def added_to(self, request: Request, service: KeywordService) -> Request:
        """The request with all of it: its seeds are those of the answer."""
        seeds = tuple(dict.fromkeys((*request.seeds, *self.listed)))
        request = replace(request, seeds=seeds)
        return service.with_page(request, *self.read) if self.read else request


NO_MATERIAL = SeedMaterial()


def read_material(
    service: KeywordService,
    identity: Identity | None,
    typed: Sequence[str],
    *,
    page: str = "",
    fresh: bool = False,
    site: str = "",
    list_id: str = "",
) -> SeedMaterial:
    """Read what is named. PageError for a page or site that cannot be read, NoSuchRecord for a list of somebody else's.

    Of a list as many keywords become seeds as a request may have beside those that are typed, the most searched first.
    """
    read: list[PageRead | SiteRead] = []
    if page:
        read.append(service.read_page(page, fresh))
    if site:
        read.append(service.read_site(site))
    if not list_id:
        return SeedMaterial(tuple(read))
    name, keywords = list_keywords(identity, list_id)
    room = max(0, service.settings.max_seeds - len(typed))
    numbers = service.attributes(keywords)
    demand = [row["searches"] if row else 0 for row in numbers]
    ranked = sorted(range(len(keywords)), key=lambda place: (-demand[place], keywords[place]))
    listed = tuple(keywords[place] for place in ranked[:room])
    told: tuple[NoticeText, ...] = ()
    if len(listed) < len(keywords):
        told = (notice(Notice.SEEDS_OF_LIST, name=name, count=f"{len(keywords):,}", used=len(listed)),)
    return SeedMaterial(tuple(read), listed, told)


def list_keywords(identity: Identity | None, list_id: str) -> tuple[str, list[str]]:
    """The name of one of the organisation's lists and its keywords. NoSuchRecord for anything else."""
    if identity is None:
        raise NoSuchRecord("There is no such list.")
    with current_database().reading() as session:
        found = find_list(session, identity.organisation_id, list_id)
        return found.name, [row.keyword for row in keywords_of(session, identity.organisation_id, list_id)]
