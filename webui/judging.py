"""What is done with the keywords of a search page: save them, or say what they are worth.

The form sends the search with the chosen keywords, and leads back to it with a line that says what was done and takes
it back. "All" means every keyword of the search, not only those on the page.
"""

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, current_app, redirect, request, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from indexes.errors import UsageError
from kr.pages.problems import PageError
from kr.store import plans
from kr.store.accounts import find_user, utc_now
from kr.store.lists import add_keywords, find_list, list_named, listed_keywords, undo_last_change
from kr.store.schema import Verdict
from kr.store.verdicts import dismissed_keywords, give_verdict, take_back
from kr.types import Filters
from webui.identity import Identity, current_database, signed_in
from webui.languages import page_language, said
from webui.plans import additions
from webui.search_form import SearchForm
from webui.search_service import answer, material_of, read_form

blueprint = Blueprint("judging", __name__, url_prefix="/search")
NEW_LIST = "new"
FOR_YOU = "for_you"
"""What the form says that was sent from the page of recommendations, whose keywords answer no search."""
_ABOUT_DONE = ("done", "count", "undo", "name", "problem")


@dataclass(frozen=True)
class Done:
    """What the search page says was done: its text, and the value by which it is taken back, if it can be."""

    text: str
    undo: str | None
    is_problem: bool = False


@blueprint.post("/act")
def act() -> Response:
    """Do what the button says with the chosen keywords; back to the search."""
    search = MultiDict(parse_qsl(request.form.get("search", ""), keep_blank_values=True))
    form = read_form(search)
    # A button of one row names action and keyword together: a form without script has no other way.
    action = request.form.get("act", "") or request.form.get("one", "").partition(":")[0]
    identity = signed_in()
    try:
        keywords = _chosen(form, identity)
        if not keywords:
            raise UsageError(gettext("No keyword was chosen."), gettext("Tick some, then choose what to do with them."))
        with current_database().writing() as session:
            if action == "save":
                answer = _save(session, identity, form, keywords)
            elif action == "plan":
                answer = _plan(session, identity, form, keywords)
            else:
                answer = _judge(session, identity, form, keywords, action)
    except UsageError as error:
        answer = {"problem": said(error)[:300]}
    return _back(search, answer)


@blueprint.post("/undo")
def undo() -> Response:
    """Take back what was done last."""
    search = MultiDict(parse_qsl(request.form.get("search", ""), keep_blank_values=True))
    kind, _, rest = request.form.get("undo", "").partition(":")
    mine = signed_in().organisation_id
    try:
        with current_database().writing() as session:
            batch, _, change = rest.partition(":")
            changed_id, _, text = change.partition(":")
            version = int(text) if text.isdecimal() and len(text) < 10 else 0
            if kind == "list":
                undo_last_change(session, mine, changed_id, version)
            elif kind == "plan":
                plans.undo_last_change(session, mine, changed_id, version, signed_in().user_id, utc_now())
            take_back(session, mine, batch, utc_now())
        answer = {"done": "undone"}
    except UsageError as error:
        answer = {"problem": said(error)[:300]}
    return _back(search, answer)


def what_was_done(arguments: MultiDict[str, str]) -> Done | None:
    """What the address of a search page tells of the action before it."""
    if problem := arguments.get("problem"):
        return Done(problem[:300], None, True)
    count, undo = arguments.get("count", 0, type=int), arguments.get("undo")
    texts = {
        "saved": lambda: ngettext(
            "%(num)s keyword was added to “%(name)s”.",
            "%(num)s keywords were added to “%(name)s”.",
            count,
            name=arguments.get("name", "")[:200],
        ),
        "planned": lambda: ngettext(
            "%(num)s keyword was added to the plan “%(name)s”.",
            "%(num)s keywords were added to the plan “%(name)s”.",
            count,
            name=arguments.get("name", "")[:200],
        ),
        Verdict.UP.value: lambda: ngettext(
            "%(num)s keyword was marked as fitting.", "%(num)s keywords were marked as fitting.", count
        ),
        Verdict.IRRELEVANT.value: lambda: ngettext(
            "%(num)s keyword was marked as irrelevant to this search.",
            "%(num)s keywords were marked as irrelevant to this search.",
            count,
        ),
        Verdict.NOT_MY_BUSINESS.value: lambda: ngettext(
            "%(num)s keyword will not be shown to your organisation any more.",
            "%(num)s keywords will not be shown to your organisation any more.",
            count,
        ),
        "undone": lambda: gettext("Taken back."),
    }
    text = texts.get(arguments.get("done", ""))
    return Done(text(), undo) if text else None


def _chosen(form: SearchForm, identity: Identity) -> list[str]:
    _, _, one = request.form.get("one", "").partition(":")
    if one:
        return [one]
    if request.form.get("all") != "1" or _is_for_you():
        return request.form.getlist("keyword")
    if form.errors:
        raise UsageError(gettext("The search has mistakes."), gettext("Correct it first."))
    most = current_app.config["KR"].max_rows
    asked = replace(form.request(), filters=personal(form, identity), limit=most, offset=0)
    try:
        reply, _ = answer(asked, material_of(form, identity))
    except PageError as error:
        raise UsageError(error.text_zh if page_language() == "zh" else error.text_en) from error
    return [row["text"] for row in reply.rows]


def personal(form: SearchForm, identity: Identity | None) -> Filters:
    """The filters of a search, with what the organisation dismissed, and with what it has if the search hides that."""
    dismissed, owned = known_keywords(identity, form.hide_saved)
    return replace(form.filters, dismissed=dismissed, owned=owned)


def known_keywords(identity: Identity | None, listed: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the organisation dismissed, and if asked for what is on its lists; nothing for a stranger."""
    if identity is None:
        return (), ()
    with current_database().reading() as session:
        dismissed = dismissed_keywords(session, identity.organisation_id)
        owned = listed_keywords(session, identity.organisation_id) if listed else set()
    return tuple(sorted(dismissed)), tuple(sorted(owned))


def _save(session: Session, identity: Identity, form: SearchForm, keywords: list[str]) -> dict[str, str]:
    mine, now, list_id = identity.organisation_id, utc_now(), request.form.get("list", "")
    name = request.form.get("name", "").strip()
    if name or list_id in ("", NEW_LIST):
        # A name that was typed counts, whichever list is selected beside it.
        found = list_named(session, mine, name or form.query[:100] or gettext("My keywords"), now)
    else:
        found = find_list(session, mine, list_id)
    count = add_keywords(session, mine, found.id, keywords, form.query, now)
    answer = {"done": "saved", "count": str(count), "name": found.name}
    if not count:
        return answer
    batch = _give(session, identity, form, keywords, Verdict.SAVED)
    return answer | {"undo": f"list:{batch}:{found.id}:{found.version}"}


def _plan(session: Session, identity: Identity, form: SearchForm, keywords: list[str]) -> dict[str, str]:
    """Add keywords to a plan: an ad group a search, which grouping may split, with the match types suggested."""
    mine, now, plan_id = identity.organisation_id, utc_now(), request.form.get("plan", "")
    searched = form.query[:100] or gettext("My keywords")
    if plan_id in ("", NEW_LIST):
        name = request.form.get("name", "").strip()
        found = plans.plan_named(session, mine, name or searched, now)
    else:
        found = plans.find_plan(session, mine, plan_id)
    before = len(plans.read_plan(session, found).keywords)
    seeds = [form.seeds[0] if form.seeds else keyword for keyword in keywords]
    operations = additions(keywords, seeds, found.name, searched)
    plans.add_to_plan(session, mine, found.id, operations, identity.user_id, now)
    count = len(plans.read_plan(session, found).keywords) - before
    answer = {"done": "planned", "count": str(count), "name": found.name}
    if not count:
        return answer
    batch = _give(session, identity, form, keywords, Verdict.SAVED)
    return answer | {"undo": f"plan:{batch}:{found.id}:{found.version}"}


def _judge(session: Session, identity: Identity, form: SearchForm, keywords: list[str], verdict: str) -> dict[str, str]:
    known = (Verdict.UP, Verdict.NOT_MY_BUSINESS, *(() if _is_for_you() else (Verdict.IRRELEVANT,)))
    if verdict not in known:
        raise UsageError(gettext("This button is unknown."), gettext("Load the page again."))
    batch = _give(session, identity, form, keywords, Verdict(verdict))
    return {"done": verdict, "count": str(len(keywords)), "undo": f"verdict:{batch}"}


def _give(session: Session, identity: Identity, form: SearchForm, keywords: list[str], verdict: Verdict) -> str:
    """Record a verdict on all keywords of this search; return its batch."""
    user = find_user(session, identity.organisation_id, identity.user_id)
    return give_verdict(session, user, form.query, keywords, verdict, utc_now())


def _back(search: MultiDict[str, str], answer: dict[str, str]) -> Response:
    kept = [(name, value) for name, value in search.items(multi=True) if name not in _ABOUT_DONE]
    target = url_for("for_you.page" if _is_for_you() else "pages.search")
    return redirect(f"{target}?{urlencode([*kept, *answer.items()])}", 303)


def _is_for_you() -> bool:
    return request.form.get("page") == FOR_YOU
