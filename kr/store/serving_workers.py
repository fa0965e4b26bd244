"""Which snapshot, rules and lists each worker process used when it last answered."""

import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kr.store.operator_schema import ServingWorker

FORGET_AFTER = timedelta(days=1)


def this_process() -> str:
    """This process: its number and when it started, in the kernel's ticks, since numbers are used again."""
    return f"{os.getpid()} {_started(os.getpid()) or 0}"


def report_worker(session: Session, snapshot: str, rules: int, lexicons: int, now: datetime) -> None:
    """Write down what this process serves."""
    key = (socket.gethostname(), this_process())
    found = session.get(ServingWorker, key)
    if found is None:
        found = ServingWorker(host=key[0], process=key[1])
        session.add(found)
    found.snapshot, found.rules_sequence, found.lexicons_sequence, found.seen_at = snapshot, rules, lexicons, now


def serving_workers(session: Session, now: datetime) -> Sequence[ServingWorker]:
    """The workers that live, those of other machines if they answered within a day; the rest is forgotten."""
    session.execute(delete(ServingWorker).where(ServingWorker.seen_at < now - FORGET_AFTER))
    rows = session.scalars(select(ServingWorker).order_by(ServingWorker.host, ServingWorker.process)).all()
    living = []
    for row in rows:
        number, _, started = row.process.partition(" ")
        if row.host == socket.gethostname() and str(_started(int(number))) != started:
            session.delete(row)
        else:
            living.append(row)
    return living


def _started(process: int) -> int | None:
    """When a process of this machine started, in ticks since boot; None if it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[19]) if fields[0] != "Z" else None
