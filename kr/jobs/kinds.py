"""What may run as a job: a closed list of commands, each with parameters that are checked one by one.

No parameter is ever a path: it is the name of a folder beneath the configured one, or the identifier of a snapshot.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexes.errors import UsageError
from indexes.snapshot_store import StoreLayout
from kr.settings import Settings
from kr.store.operator_schema import JobKind

INCOMING = "incoming"
"""Folder beneath the work folder into which build machines put snapshots."""
JOBS = "jobs"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SNAPSHOT = re.compile(r"[0-9a-f]{16}")

PARAMETERS: Mapping[JobKind, tuple[str, ...]] = {
    JobKind.MINE: ("logs", "out", "days"),
    JobKind.BUILD: ("mined",),
    JobKind.VERIFY: ("snapshot",),
    JobKind.PUBLISH: ("snapshot",),
    JobKind.ROLLBACK: ("snapshot",),
}


@dataclass(frozen=True)
class JobPlan:
    """A command of the command line and its checked parameters."""

    kind: JobKind
    parameters: dict[str, str]
    arguments: tuple[str, ...]
    """After `manage.py`."""


def work_folder(settings: Settings) -> Path:
    """The folder beneath which logs, mined tables and the jobs' own files lie."""
    return (settings.work or settings.store.absolute().parent).resolve()


def folders_of(settings: Settings, mark: str) -> list[str]:
    """The folders of the work folder that hold `mark`, such as ingest.json, by name."""
    work = work_folder(settings)
    if not work.is_dir():
        return []
    return sorted(path.name for path in work.iterdir() if _NAME.fullmatch(path.name) and (path / mark).is_file())


def incoming_snapshots(settings: Settings) -> list[str]:
    """The snapshots that wait in the work folder to be published, by name."""
    folder = work_folder(settings) / INCOMING
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _SNAPSHOT.fullmatch(path.name) and path.is_dir())


def plan_job(kind: str, given: Mapping[str, str], settings: Settings, lexicons: tuple[Path, ...] = ()) -> JobPlan:
    """The command of a job. UsageError names the parameter and the remedy.

    `lexicons` are the operators' lists in force as files, by which a build audits.
    """
    if kind not in set(JobKind):
        raise UsageError(
            "There is no job {kind!r}.", "There are: {choices}.", kind=kind[:30], choices=", ".join(JobKind)
        )
    known = JobKind(kind)
    if surplus := sorted(set(given) - set(PARAMETERS[known])):
        raise UsageError(
            "The job {known} takes no {parameter!r}.",
            "It takes {choices}.",
            known=known,
            parameter=surplus[0][:30],
            choices=", ".join(PARAMETERS[known]),
        )
    store = str(settings.store.absolute())
    if known is JobKind.MINE:
        logs = _folder(settings, "logs", given.get("logs", ""), must_exist=True)
        out = _folder(settings, "out", given.get("out") or "mined", must_exist=False)
        if out in (logs, settings.store.resolve()) or out.name in (JOBS, INCOMING):
            raise UsageError(
                "out: {folder} is a folder for something else.", "Name another, such as mined.", folder=out.name
            )
        days = given.get("days", "") in ("1", "true")
        kept = ("--days", str(_folder(settings, "days", f"days-{logs.name}", must_exist=False))) if days else ()
        parameters = {"logs": logs.name, "out": out.name, **({"days": "1"} if days else {})}
        return JobPlan(known, parameters, ("mine", "--logs", str(logs), "--out", str(out), *kept))
    if known is JobKind.BUILD:
        mined = _folder(settings, "mined", given.get("mined", ""), must_exist=True)
        lists = [argument for path in (*settings.lexicons, *lexicons) for argument in ("--lexicon", str(path))]
        return JobPlan(known, {"mined": mined.name}, ("build", "--mined", str(mined), "--store", store, *lists))
    snapshot = given.get("snapshot", "")
    if known is JobKind.VERIFY and not snapshot:
        return JobPlan(known, {}, ("index", "verify", "--store", store))
    if not _SNAPSHOT.fullmatch(snapshot):
        raise UsageError(
            "snapshot: {snapshot!r} is no snapshot.", "An identifier has 16 hexadecimal digits.", snapshot=snapshot[:40]
        )
    if known is JobKind.PUBLISH:
        if snapshot not in incoming_snapshots(settings):
            raise UsageError(
                "snapshot: {snapshot} is not in {incoming}.",
                "Copy its folder there first.",
                snapshot=snapshot,
                incoming=INCOMING,
            )
        folder = str(work_folder(settings) / INCOMING / snapshot)
        return JobPlan(known, {"snapshot": snapshot}, ("index", "publish", folder, "--store", store))
    if snapshot not in StoreLayout(settings.store).stored_ids():
        raise UsageError("snapshot: the store holds no {snapshot}.", "Choose one of its snapshots.", snapshot=snapshot)
    arguments = ("verify", snapshot) if known is JobKind.VERIFY else ("rollback", "--to", snapshot)
    return JobPlan(known, {"snapshot": snapshot}, ("index", *arguments, "--store", store))


def _folder(settings: Settings, parameter: str, name: str, *, must_exist: bool) -> Path:
    """A folder right beneath the work folder; links out of it are refused."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            "{parameter}: {name!r} is no name of a folder.",
            "Use letters, digits, dots, - and _; it lies beneath the work folder.",
            parameter=parameter,
            name=name[:40],
        )
    work = work_folder(settings)
    path = (work / name).resolve()
    if path.parent != work:
        raise UsageError(
            "{parameter}: {name} leads out of the work folder.", "Name a folder in it.", parameter=parameter, name=name
        )
    if must_exist and not path.is_dir():
        raise UsageError(
            "{parameter}: there is no folder {name} in the work folder.",
            "Choose one that is there.",
            parameter=parameter,
            name=name,
        )
    return path
