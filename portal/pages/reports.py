"""Reports to download: those written for the published state, and writing them where they are older or missing.

They lie in the ente's own folder of reports (`pcc_pipeline.reports.write`); nothing else of the disk can be named here.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from pcc_pipeline.database.engine import lock
from pcc_pipeline.reports.facts import NothingPublished
from pcc_pipeline.reports.write import FILES, folder, write_ente
from pcc_pipeline.review.answers import export_questions
from pcc_pipeline.review.worklist import export_worklist
from portal import audit
from portal.web import AtDesk, Desk, HonestForm, address_of, database_of, engine_of, installation_for, page, settings_of

router = APIRouter()

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Written:
    """A report on the disk: the reference date it is for, its name, size in bytes, when it was written."""

    day: str
    name: str
    size: int
    at: datetime


@router.get("/rapporti")
def reports(request: Request, desk: AtDesk) -> Response:
    """The ente's reports, latest reference date first."""
    return _reports(request, desk)


@router.post("/rapporti")
def write(request: Request, desk: AtDesk, session: HonestForm) -> Response:
    """Writes the reports of what is published now; one request at a time, the others find them written."""
    engine = engine_of(request)
    try:
        with engine.begin() as connection, lock(connection, f"reports {desk.ente}"):
            if _stale(request, desk):
                with installation_for(request, desk.ente) as installation:
                    write_ente(installation, desk.ente, session.ente_name)
    except NothingPublished:
        raise HTTPException(404, "Non è stato pubblicato ancora nulla.") from None
    audit.record(engine, session.user.email, "reports_written", ente=desk.ente, address=address_of(request))
    return _reports(request, desk)


@router.get("/rapporti/{day}/{name}")
def download(request: Request, desk: AtDesk, day: str, name: str) -> Response:
    """One report as a file to keep: never shown as a page of the desk."""
    path = _place(request, desk) / day / name
    if not _DAY.fullmatch(day) or name not in FILES or not path.is_file():
        raise HTTPException(404, "Questo rapporto non c'è")
    audit.record(engine_of(request), desk.session.user.email, "report", ente=desk.ente, detail=f"{day} {name}",
                 address=address_of(request))  # fmt: skip
    return FileResponse(path, filename=f"{desk.ente}-{day}-{name}", content_disposition_type="attachment")


@router.get("/rapporti/{what}.xlsx")
def workbook(request: Request, desk: AtDesk, what: Literal["lavoro", "domande"]) -> Response:
    """The work list of operations and pairs, or the questionnaire, as they stand now: to fill in and to hand back."""
    with tempfile.NamedTemporaryFile(suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
    try:
        with database_of(request).tenant_engine(desk.ente) as restricted:
            (export_worklist if what == "lavoro" else export_questions)(restricted, desk.ente, str(path))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    audit.record(engine_of(request), desk.session.user.email, "report", ente=desk.ente, detail=f"{what}.xlsx",
                 address=address_of(request))  # fmt: skip
    return FileResponse(path, filename=f"{desk.ente}-{what}.xlsx", content_disposition_type="attachment",
                        background=BackgroundTask(path.unlink))  # fmt: skip


def _place(request: Request, desk: Desk) -> Path:
    return folder(settings_of(request), desk.ente)


def _written(request: Request, desk: Desk) -> list[Written]:
    found = []
    for path in _place(request, desk).glob("*/*"):
        if _DAY.fullmatch(path.parent.name) and path.name in FILES:
            status = path.stat()
            at = datetime.fromtimestamp(status.st_mtime, UTC)
            found.append(Written(path.parent.name, path.name, status.st_size, at))
    return sorted(found, key=lambda report: (report.day, -FILES.index(report.name)), reverse=True)


def _stale(request: Request, desk: Desk) -> bool:
    """Whether some report of the published state is missing, or older than it."""
    if desk.published is None:
        return True
    day, at = desk.published.reference_date.isoformat(), desk.published.published_at
    good = {report.name for report in _written(request, desk) if report.day == day and report.at >= at}
    return good != set(FILES)


def _reports(request: Request, desk: Desk) -> Response:
    return page(request, "reports.html", ente=desk.ente, published=desk.published, reports=_written(request, desk),
                stale=_stale(request, desk))  # fmt: skip
