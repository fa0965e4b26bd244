"""A plan: campaigns, their ad groups, and the keywords in these, as one value that changes only by edits.

An item is a campaign, an ad group or a keyword, known by a number that is unique in its plan and never given again.
An *edit* says what of one item was there before and what is there after; edits are made by a `PlanEditor`, kept by
`kr.store.plans`, and turned around by `inverted`, which undoes them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from kr.planning.plan_row import MatchType, Status

Kind = Literal["campaign", "ad_group", "keyword"]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Campaign:
    """`daily_budget_micros` is None where no budget was set."""

    id: int
    name: str
    daily_budget_micros: int | None = None


@dataclass(frozen=True, slots=True)
class AdGroup:
    """Keywords that share ads and, where they have none of their own, a bid."""

    id: int
    campaign: int
    name: str
    bid_micros: int | None = None


@dataclass(frozen=True, slots=True)
class PlanKeyword:
    """A keyword or a negative one. A negative one without an ad group is its campaign's, without a campaign all
    campaigns'. `facts` holds what else an imported row said, under the names of `PlanRow`."""

    id: int
    text: str
    campaign: int | None
    ad_group: int | None
    match_type: MatchType | None = None
    negative: bool = False
    bid_micros: int | None = None
    status: Status | None = None
    labels: tuple[str, ...] = ()
    final_url: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


Item = Campaign | AdGroup | PlanKeyword
_CLASSES: dict[Kind, Any] = {"campaign": Campaign, "ad_group": AdGroup, "keyword": PlanKeyword}


@dataclass(frozen=True, slots=True)
class Edit:
    """One item's change. `before` None: it is new; `after` None: it is gone; else only the fields that changed."""

    kind: Kind
    id: int
    before: Fields | None
    after: Fields | None

    def inverted(self) -> "Edit":
        """The edit that takes this one back."""
        return Edit(self.kind, self.id, self.after, self.before)


@dataclass(frozen=True)
class Plan:
    """The items by number, in ascending order; numbers from `next_id` on were never given."""

    campaigns: Mapping[int, Campaign] = field(default_factory=dict)
    ad_groups: Mapping[int, AdGroup] = field(default_factory=dict)
    keywords: Mapping[int, PlanKeyword] = field(default_factory=dict)
    next_id: int = 1

    def items(self, kind: Kind) -> Mapping[int, Any]:
        """The items of a kind."""
        return {"campaign": self.campaigns, "ad_group": self.ad_groups, "keyword": self.keywords}[kind]

    def positive(self) -> list[PlanKeyword]:
        """The keywords to bid on, in order."""
        return [keyword for keyword in self.keywords.values() if not keyword.negative]

    def negative(self) -> list[PlanKeyword]:
        """The negative keywords, in order."""
        return [keyword for keyword in self.keywords.values() if keyword.negative]

    def keywords_of(self, ad_group: int) -> list[PlanKeyword]:
        """What is in an ad group, negative keywords too."""
        return [keyword for keyword in self.keywords.values() if keyword.ad_group == ad_group]

    def bid_of(self, keyword: PlanKeyword) -> int | None:
        """The keyword's bid, or its ad group's."""
        if keyword.bid_micros is not None or keyword.ad_group is None:
            return keyword.bid_micros
        return self.ad_groups[keyword.ad_group].bid_micros

    def edited(self, edits: Iterable[Edit]) -> "Plan":
        """The plan after these edits. ValueError for one that does not fit what is there."""
        editor = PlanEditor(self)
        for edit in edits:
            editor.apply(edit)
        return editor.plan()


def inverted(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that take these back, in their order."""
    return [edit.inverted() for edit in reversed(list(edits))]


class PlanEditor:
    """Makes edits of a plan and keeps them; `edits` has each item once, from the state before to that after."""

    def __init__(self, plan: Plan) -> None:
        self._before = plan
        self._items: dict[Kind, dict[int, Any]] = {
            "campaign": dict(plan.campaigns),
            "ad_group": dict(plan.ad_groups),
            "keyword": dict(plan.keywords),
        }
        self._next = plan.next_id
        self._touched: dict[tuple[Kind, int], None] = {}
        self._campaign_names = {item.name: item.id for item in reversed(list(plan.campaigns.values()))}
        self._group_names = {(item.campaign, item.name): item.id for item in reversed(list(plan.ad_groups.values()))}

    @property
    def campaigns(self) -> dict[int, Campaign]:
        return self._items["campaign"]

    @property
    def ad_groups(self) -> dict[int, AdGroup]:
        return self._items["ad_group"]

    @property
    def keywords(self) -> dict[int, PlanKeyword]:
        return self._items["keyword"]

    def campaign_named(self, name: str) -> int:
        """The number of the campaign of this name, made if there is none."""
        found = self._campaign_names.get(name)
        if found is None or found not in self.campaigns or self.campaigns[found].name != name:
            found = next((item.id for item in self.campaigns.values() if item.name == name), None)
        return found if found is not None else self._add("campaign", Campaign(self._next, name))

    def ad_group_named(self, campaign: int, name: str) -> int:
        """The number of the campaign's ad group of this name, made if there is none."""
        found = self._group_names.get((campaign, name))
        if found is None or found not in self.ad_groups or self.ad_groups[found].name != name:
            groups = self.ad_groups.values()
            found = next((item.id for item in groups if item.campaign == campaign and item.name == name), None)
        return found if found is not None else self.add_ad_group(campaign, name)

    def add_ad_group(self, campaign: int, name: str, bid_micros: int | None = None) -> int:
        """A new ad group, whatever others are called; its number."""
        return self._add("ad_group", AdGroup(self._next, campaign, name, bid_micros))

    def add_keyword(self, text: str, campaign: int | None, ad_group: int | None, **known: Any) -> int:
        """A new keyword; its number."""
        return self._add("keyword", PlanKeyword(self._next, text, campaign, ad_group, **known))

    def change(self, kind: Kind, item_id: int, **changes: Any) -> None:
        """Give an item other fields. KeyError if there is no such item."""
        item = replace(self._items[kind][item_id], **changes)
        if item == self._items[kind][item_id]:
            return
        self._items[kind][item_id] = item
        self._touched[kind, item_id] = None
        self._remember(item)

    def remove(self, kind: Kind, item_id: int) -> None:
        """Take an item away. KeyError if there is no such item."""
        del self._items[kind][item_id]
        self._touched[kind, item_id] = None

    def remove_empty(self) -> None:
        """Take away the ad groups without a keyword, and the campaigns without a keyword, that had some before."""
        used_groups = {keyword.ad_group for keyword in self.keywords.values()}
        used_campaigns = {keyword.campaign for keyword in self.keywords.values()}
        had = self._before.keywords.values()
        for group in {keyword.ad_group for keyword in had} - used_groups:
            if group in self.ad_groups:
                self.remove("ad_group", group)
        for campaign in {keyword.campaign for keyword in had} - used_campaigns:
            if campaign in self.campaigns and not any(g.campaign == campaign for g in self.ad_groups.values()):
                self.remove("campaign", campaign)

    def apply(self, edit: Edit) -> None:
        """Do an edit made elsewhere. ValueError if it does not fit what is there."""
        items = self._items[edit.kind]
        there = items.get(edit.id)
        if (there is None) != (edit.before is None):
            raise ValueError(f"{edit.kind} {edit.id} is not what the edit was made for")
        if there is not None and any(getattr(there, name) != value for name, value in (edit.before or {}).items()):
            raise ValueError(f"{edit.kind} {edit.id} was changed since the edit was made")
        if edit.after is None:
            del items[edit.id]
        elif there is None:
            items[edit.id] = _CLASSES[edit.kind](id=edit.id, **edit.after)
            self._next = max(self._next, edit.id + 1)
        else:
            items[edit.id] = replace(there, **edit.after)
        self._touched[edit.kind, edit.id] = None

    def edits(self) -> list[Edit]:
        """What was changed, in the order in which items were first touched."""
        return [edit for kind, item_id in self._touched if (edit := self._edit(kind, item_id))]

    def plan(self) -> Plan:
        """The plan as it is now."""
        campaigns, ad_groups, keywords = (dict(sorted(items.items())) for items in self._items.values())
        return Plan(campaigns, ad_groups, keywords, self._next)

    def _add(self, kind: Kind, item: Item) -> int:
        self._items[kind][item.id] = item
        self._touched[kind, item.id] = None
        self._next += 1
        self._remember(item)
        return item.id

    def _remember(self, item: Item) -> None:
        if isinstance(item, Campaign):
            self._campaign_names.setdefault(item.name, item.id)
        elif isinstance(item, AdGroup):
            self._group_names.setdefault((item.campaign, item.name), item.id)

    def _edit(self, kind: Kind, item_id: int) -> Edit | None:
        before, after = self._before.items(kind).get(item_id), self._items[kind].get(item_id)
        if before is None or after is None:
            whole = [None if item is None else _fields(item) for item in (before, after)]
            return None if before is after else Edit(kind, item_id, *whole)
        changed = [part.name for part in fields(before) if getattr(before, part.name) != getattr(after, part.name)]
        if not changed:
            return None
        return Edit(kind, item_id, *({name: getattr(item, name) for name in changed} for item in (before, after)))


def _fields(item: Item) -> Fields:
    return {part.name: getattr(item, part.name) for part in fields(item) if part.name != "id"}


def edits_as_json(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """Edits as plain data."""
    return [asdict(edit) for edit in edits]


def edits_from_json(data: Iterable[Mapping[str, Any]]) -> Iterator[Edit]:
    """What `edits_as_json` was given, after a way through JSON."""
    for row in data:
        yield Edit(row["kind"], row["id"], _typed(row["before"]), _typed(row["after"]))


def _typed(values: Mapping[str, Any] | None) -> Fields | None:
    if values is None:
        return None
    typed = dict(values)
    for name, kind in (("match_type", MatchType), ("status", Status)):
        if typed.get(name) is not None:
            typed[name] = kind(typed[name])
    if "labels" in typed:
        typed["labels"] = tuple(typed["labels"])
    return typed
