"""What a widget's view and a followed link are as UBI records.

A view is an impression event for each keyword. A followed link is a search for its keyword (a query) and a click on it
(an event of that query): together `manage.py ingest ubi` makes a row of searches and one of clicks of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from flask import current_app

from indexes.errors import KRError
from webui.metrics import observe_widget_events
from webui.widgets.event_log import EventLog
from webui.widgets.links import ShownLink

LINKS_KEPT = 65_536
LIFE_SECONDS = 86_400
"""A link that is followed later still leads on, but is no event: it may have been shared."""


class ViewsAndClicks:
    """Records each view once, and each link of a view once."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._followed: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, links: Sequence[ShownLink]) -> None:
        """Record what a view shows. A disk that fails is logged: the page is shown all the same."""
        self._append([_event("impression", link, link.view) for link in links])

    def click(self, link: ShownLink, destination: str, now: float) -> None:
        """Record that a link was followed, unless it was before or is out of date."""
        key = (link.view, link.position)
        with self._lock:
            if key in self._followed or not 0 <= now - link.shown <= LIFE_SECONDS:
                return
            self._followed[key] = None
            if len(self._followed) > LINKS_KEPT:
                self._followed.popitem(last=False)
        query_id = f"{link.view}-{link.position}"
        query = {
            "application": application_of(link.widget),
            "query_id": query_id,
            "client_id": link.client,
            "user_query": link.text,
            "query_attributes": {"view": link.view},
        }
        self._append([query, _event("click", link, query_id, url=destination)])

    def _append(self, events: Sequence[Mapping[str, Any]]) -> None:
        try:
            outcome = self.log.append(events).value
        except KRError as error:
            structlog.get_logger().error("events are lost", error=str(error), events=len(events))
            outcome = "failed"
        observe_widget_events(outcome, len(events))


def application_of(widget: str) -> str:
    """The name by which a widget's records can be told from those of the platform's own pages."""
    return f"kr-{widget}-widget"


def _event(action: str, link: ShownLink, query_id: str, **more: str) -> dict[str, Any]:
    return {
        "application": application_of(link.widget),
        "action_name": action,
        "query_id": query_id,
        "client_id": link.client,
        "event_attributes": {
            "object": {"object_id": link.text, "object_id_field": "keyword", **more},
            "position": {"ordinal": link.position},
        },
    }


def recording() -> ViewsAndClicks | None:
    """The running application's, or None where the operator has named no folder of events."""
    found: ViewsAndClicks | None = current_app.extensions["kr_widget_events"]
    return found
