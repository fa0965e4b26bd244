"""What can be done to a plan: each operation is plain data, so that pages, the API and fixes of findings share them.

`perform` does operations to a plan and gives the edits; all or nothing. An operation that names an item which is not
there, or leads to two ad groups of one name in a campaign, is a UsageError that says so.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from indexes.errors import Message, UsageError
from indexes.text import normalise
from kr.mistakes import message_of
from kr.planning.matching import blocks
from kr.planning.plan import AdGroup, Edit, Plan, PlanEditor, PlanKeyword
from kr.planning.plan_row import MatchType, Status

NAME_CHARS = 200
KEYWORD_CHARS = 1_000
MOST_BID_MICROS = 10**12
MOST_AT_ONCE = 20_000
MOST_KEYWORDS = 50_000

ItemId = Annotated[int, Field(ge=1)]
ItemIds = Annotated[tuple[ItemId, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS)]
Text = Annotated[str, Field(min_length=1, max_length=KEYWORD_CHARS)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]
Micros = Annotated[int, Field(ge=0, le=MOST_BID_MICROS)]


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def do(self, editor: PlanEditor) -> None:
        """Do it."""
        raise NotImplementedError


class RenameCampaign(_Operation):
    """Give a campaign another name."""

    op: Literal["rename_campaign"] = "rename_campaign"
    campaign: ItemId
    name: Name

    def do(self, editor: PlanEditor) -> None:
        name = _clean(self.name)
        if any(item.name == name and item.id != self.campaign for item in editor.campaigns.values()):
            raise UsageError("There is a campaign {name!r} already.", "Choose another name.", name=name)
        _has(editor, "campaign", self.campaign)
        editor.change("campaign", self.campaign, name=name)


class SetBudget(_Operation):
    """Set a campaign's daily budget in micros; null for none."""

    op: Literal["set_budget"] = "set_budget"
    campaign: ItemId
    daily_budget_micros: Micros | None

    def do(self, editor: PlanEditor) -> None:
        _has(editor, "campaign", self.campaign)
        editor.change("campaign", self.campaign, daily_budget_micros=self.daily_budget_micros)


class RenameAdGroup(_Operation):
    """Give an ad group another name."""

    op: Literal["rename_ad_group"] = "rename_ad_group"
    ad_group: ItemId
    name: Name

    def do(self, editor: PlanEditor) -> None:
        group = _group(editor, self.ad_group)
        editor.change("ad_group", group.id, name=_free_name(editor, group.campaign, self.name, but=group.id))


class SetAdGroupBid(_Operation):
    """Set the bid of an ad group's keywords that have none of their own; null for none."""

    op: Literal["set_ad_group_bid"] = "set_ad_group_bid"
    ad_group: ItemId
    bid_micros: Micros | None

    def do(self, editor: PlanEditor) -> None:
        editor.change("ad_group", _group(editor, self.ad_group).id, bid_micros=self.bid_micros)


class MergeAdGroups(_Operation):
    """Move everything of some ad groups into one, which keeps its name; keywords keep their bids."""

    op: Literal["merge_ad_groups"] = "merge_ad_groups"
    ad_groups: ItemIds
    into: ItemId

    def do(self, editor: PlanEditor) -> None:
        target = _group(editor, self.into)
        for group in (_group(editor, number) for number in self.ad_groups if number != self.into):
            _move(editor, [item for item in editor.keywords.values() if item.ad_group == group.id], target)
        editor.remove_empty()


class MoveKeywords(_Operation):
    """Move keywords into another ad group, of their campaign or another."""

    op: Literal["move_keywords"] = "move_keywords"
    keywords: ItemIds
    ad_group: ItemId

    def do(self, editor: PlanEditor) -> None:
        _move(editor, _keywords(editor, self.keywords), _group(editor, self.ad_group))
        editor.remove_empty()


class SplitAdGroup(_Operation):
    """Move keywords of one campaign into a new ad group of it."""

    op: Literal["split_ad_group"] = "split_ad_group"
    keywords: ItemIds
    name: Name

    def do(self, editor: PlanEditor) -> None:
        chosen = _keywords(editor, self.keywords)
        campaigns = {keyword.campaign for keyword in chosen}
        if len(campaigns) != 1 or None in campaigns:
            raise UsageError("The keywords are not of one campaign.", "Split those of one campaign at a time.")
        campaign = next(iter(campaigns))
        assert campaign is not None
        sources = {keyword.ad_group for keyword in chosen if keyword.ad_group is not None}
        bids = {editor.ad_groups[source].bid_micros for source in sources}
        made = editor.add_ad_group(
            campaign, _free_name(editor, campaign, self.name), bids.pop() if len(bids) == 1 else None
        )
        _move(editor, chosen, editor.ad_groups[made])
        editor.remove_empty()


class AddKeywords(_Operation):
    """Add keywords to bid on to an ad group, or to one that is made; those that it has in this match type are not
    added again."""

    op: Literal["add_keywords"] = "add_keywords"
    keywords: Texts
    ad_group: ItemId | None = None
    campaign_name: Name | None = None
    ad_group_name: Name | None = None
    match_type: MatchType | None = None
    bid_micros: Micros | None = None

    def do(self, editor: PlanEditor) -> None:
        if self.ad_group is not None:
            group = _group(editor, self.ad_group)
        else:
            if self.campaign_name is None or self.ad_group_name is None:
                raise UsageError("No ad group was named.", "Name ad_group, or campaign_name and ad_group_name.")
            campaign = editor.campaign_named(_clean(self.campaign_name))
            group = editor.ad_groups[editor.ad_group_named(campaign, _clean(self.ad_group_name))]
        there = {
            (normalise(item.text), item.match_type)
            for item in editor.keywords.values()
            if item.ad_group == group.id and not item.negative
        }
        for text in self.keywords:
            identity = (_identity(text), self.match_type)
            if identity not in there:
                there.add(identity)
                editor.add_keyword(
                    identity[0], group.campaign, group.id, match_type=self.match_type, bid_micros=self.bid_micros,
                    status=Status.ENABLED,
                )  # fmt: skip


class AddNegatives(_Operation):
    """Add negative keywords to an ad group, to a campaign, or to all campaigns if neither is named."""

    op: Literal["add_negatives"] = "add_negatives"
    keywords: Texts
    match_type: MatchType = MatchType.PHRASE
    campaign: ItemId | None = None
    ad_group: ItemId | None = None

    def do(self, editor: PlanEditor) -> None:
        campaign = self.campaign
        if self.ad_group is not None:
            campaign = _group(editor, self.ad_group).campaign
        elif campaign is not None:
            _has(editor, "campaign", campaign)
        there = {
            (normalise(item.text), item.match_type)
            for item in editor.keywords.values()
            if item.negative and item.campaign == campaign and item.ad_group == self.ad_group
        }
        for text in self.keywords:
            identity = (_identity(text), self.match_type)
            if identity not in there:
                there.add(identity)
                editor.add_keyword(identity[0], campaign, self.ad_group, match_type=self.match_type, negative=True)


class RemoveKeywords(_Operation):
    """Take keywords, negative or not, out of the plan."""

    op: Literal["remove_keywords"] = "remove_keywords"
    keywords: ItemIds

    def do(self, editor: PlanEditor) -> None:
        for keyword in _keywords(editor, self.keywords):
            editor.remove("keyword", keyword.id)
        editor.remove_empty()


class ChangeKeywords(_Operation):
    """Give keywords another match type, bid, status, address or labels: the fields that are sent, null for none."""

    op: Literal["change_keywords"] = "change_keywords"
    keywords: ItemIds
    match_type: MatchType | None = None
    bid_micros: Micros | None = None
    status: Status | None = None
    final_url: Annotated[str, Field(max_length=2_048)] = ""
    labels: Annotated[tuple[Name, ...], Field(max_length=50)] = ()

    def do(self, editor: PlanEditor) -> None:
        changes = {name: getattr(self, name) for name in self.model_fields_set - {"op", "keywords"}}
        for keyword in _keywords(editor, self.keywords):
            editor.change("keyword", keyword.id, **changes)


class NewAdGroup(BaseModel):
    """An ad group of a grouping: its name, and keywords of the plan by number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    keywords: ItemIds


class Regroup(_Operation):
    """Put a campaign's keywords into new ad groups. Each keyword of the campaign that is to be bid on must be named
    once. Negative keywords of an old ad group go to each new one that holds keywords of it and that they do not
    block."""

    op: Literal["regroup"] = "regroup"
    campaign: ItemId
    ad_groups: Annotated[tuple[NewAdGroup, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]

    def do(self, editor: PlanEditor) -> None:
        _has(editor, "campaign", self.campaign)
        named = [number for group in self.ad_groups for number in group.keywords]
        mine = [item for item in editor.keywords.values() if item.campaign == self.campaign]
        if sorted(named) != sorted(item.id for item in mine if not item.negative):
            raise UsageError(
                "The new ad groups do not hold each keyword of the campaign once.", "Group the plan as it is now."
            )
        old_bids = {item.id: item.bid_micros for item in editor.ad_groups.values()}
        old_groups = [item.id for item in editor.ad_groups.values() if item.campaign == self.campaign]
        negatives = [item for item in mine if item.negative and item.ad_group is not None]
        for negative in negatives:
            editor.remove("keyword", negative.id)
        came_from: dict[int, list[PlanKeyword]] = {}
        made: dict[int, list[PlanKeyword]] = {}
        names: set[str] = set()
        for group in self.ad_groups:
            new = editor.add_ad_group(self.campaign, _unique(_clean(group.name), names))
            made[new] = [editor.keywords[number] for number in group.keywords]
            for keyword in made[new]:
                came_from.setdefault(keyword.ad_group or 0, []).append(keyword)
                bid = keyword.bid_micros if keyword.bid_micros is not None else old_bids.get(keyword.ad_group or 0)
                editor.change("keyword", keyword.id, ad_group=new, bid_micros=bid)
        for negative in negatives:
            moved = {keyword.id for keyword in came_from.get(negative.ad_group or 0, [])}
            for new, keywords in made.items():
                held = any(keyword.id in moved for keyword in keywords)
                if held and not any(blocks(negative, keyword.text) for keyword in keywords):
                    editor.add_keyword(
                        negative.text, self.campaign, new, match_type=negative.match_type, negative=True,
                        bid_micros=negative.bid_micros, status=negative.status, labels=negative.labels,
                        final_url=negative.final_url, facts=negative.facts,
                    )  # fmt: skip
        for number in old_groups:
            editor.remove("ad_group", number)


Operation = Annotated[
    RenameCampaign
    | SetBudget
    | RenameAdGroup
    | SetAdGroupBid
    | MergeAdGroups
    | MoveKeywords
    | SplitAdGroup
    | AddKeywords
    | AddNegatives
    | RemoveKeywords
    | ChangeKeywords
    | Regroup,
    Field(discriminator="op"),
]
OPERATIONS: TypeAdapter[tuple[Operation, ...]] = TypeAdapter(tuple[Operation, ...])


def read_operations(data: object) -> tuple[Operation, ...]:
    """Operations from plain data, such as a finding's fix. UsageError names the first mistake and its place."""
    try:
        return OPERATIONS.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            "The change has a mistake at {where}: {reason}.", where=where, reason=message_of(first)
        ) from None


def perform(plan: Plan, operations: Sequence[Operation]) -> list[Edit]:
    """Do the operations in turn; the edits that they come to. UsageError, and nothing is done, if one cannot be."""
    editor = PlanEditor(plan)
    for operation in operations:
        operation.do(editor)
    if len(editor.keywords) > MOST_KEYWORDS:
        raise UsageError("A plan has at most {most:,} keywords.", "Make another plan for the rest.", most=MOST_KEYWORDS)
    return editor.edits()


def _clean(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned:
        raise UsageError("A name has no letters.", "Write one.")
    return cleaned


def _identity(text: str) -> str:
    identity = normalise(text)
    if not identity or len(identity) > KEYWORD_CHARS:
        raise UsageError(
            "{text!r} is not a keyword.", "Keywords have 1 to {most} characters.", text=text[:60], most=KEYWORD_CHARS
        )
    return identity


_KINDS = {"campaign": Message("campaign"), "ad_group": Message("ad group"), "keyword": Message("keyword")}


def _has(editor: PlanEditor, kind: Literal["campaign", "ad_group", "keyword"], number: int) -> None:
    items = {"campaign": editor.campaigns, "ad_group": editor.ad_groups, "keyword": editor.keywords}[kind]
    if number not in items:  # type: ignore[operator]
        raise UsageError(
            "There is no {kind} {number} in this plan.", "Load the plan again.", kind=_KINDS[kind], number=number
        )


def _group(editor: PlanEditor, number: int) -> AdGroup:
    _has(editor, "ad_group", number)
    return editor.ad_groups[number]


def _keywords(editor: PlanEditor, numbers: Sequence[int]) -> list[PlanKeyword]:
    for number in numbers:
        _has(editor, "keyword", number)
    return [editor.keywords[number] for number in dict.fromkeys(numbers)]


def _move(editor: PlanEditor, keywords: Sequence[PlanKeyword], target: AdGroup) -> None:
    """A keyword keeps what it is bid: a bid that was its ad group's becomes its own where the new group's differs."""
    for keyword in keywords:
        bid = keyword.bid_micros
        if bid is None and keyword.ad_group is not None and not keyword.negative:
            old = editor.ad_groups[keyword.ad_group].bid_micros
            bid = old if old != target.bid_micros else None
        editor.change("keyword", keyword.id, campaign=target.campaign, ad_group=target.id, bid_micros=bid)


def _free_name(editor: PlanEditor, campaign: int, name: str, but: int | None = None) -> str:
    name = _clean(name)
    if any(item.campaign == campaign and item.name == name and item.id != but for item in editor.ad_groups.values()):
        raise UsageError(
            "The campaign has an ad group {name!r} already.", "Choose another name, or merge the two.", name=name
        )
    return name


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found = f"{name[: NAME_CHARS - 6]} {number}"
        number += 1
    taken.add(found)
    return found
