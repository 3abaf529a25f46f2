"""Erases an ente: finds its traces, erases place by place, proves it by a scan, leaves a signed receipt.

Every step may be repeated: after a crash the same call goes on from the journal. Enti whose erasure is due are told
by the provider's register (from the fifth working day after the PEC).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from pcc_pipeline import scratch
from pcc_pipeline.codes import NoEnteCode, ente_code
from pcc_pipeline.database import dagster_storage
from pcc_pipeline.enti import receipts
from pcc_pipeline.enti.life import DEACTIVATING
from pcc_pipeline.enti.overview import ente_life, publish_overview, register_rows
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.erasure import databases, files, provider, scan, traces
from pcc_pipeline.service.erasure import journal as journals
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

log = logging.getLogger(__name__)

Progress = Callable[[str], None]


class ErasureError(RuntimeError):
    """An erasure that cannot be made, or did not end; its text says what to do and names no erased ente."""


def due_enti(installation: Installation, on: date) -> list[str]:
    """Enti whose erasure is due on a day, and those whose erasure began and did not end."""
    found = set(journals.under_way(installation.settings))
    for code in register_rows(installation):
        _, life = ente_life(installation, code, on)
        if life is not None and life.state == DEACTIVATING and (erase_from := life.due["erase_from"]) and erase_from <= on:
            found.add(code)
    return sorted(found)


def erase(installation: Installation, ente: str, on: date, progress: Progress = lambda step: None) -> dict[str, Any]:
    """Erases an ente everywhere and returns the signed receipt; the receipt there is, when it was erased before.

    Raises ErasureError while a run of the ente is under way, or when the scan still finds something: then what was
    erased stays erased, and the same call goes on.
    """
    try:
        ente_code(ente)
    except NoEnteCode as error:
        raise ErasureError(str(error)) from None
    settings, store = installation.settings, installation.store
    journal = journals.load(settings, ente)
    if journal is None and (known := receipts.erased_receipt(store, ente)) is not None and not _anything(installation, ente):
        return known
    with installation.register.lock(ente):
        if journal is None:
            progress("finding what names it")
            journal = journals.new(settings, traces.find(installation, ente))
            journal.content = _content(store, ente)
            journal.began_at = datetime.now(UTC).isoformat(timespec="seconds")
            journal.receipt = {"receipt": f"r-{secrets.token_hex(8)}", **receipts.new_subject(ente)}
            journal.save()
        _under_way(settings, ente)
        progress("its files in the store")
        files.erase_store(store, journal)
        progress("its rows in the provider's files")
        provider.erase_rows(installation, journal)
        progress("the databases")
        with databases.databases(settings) as known_databases:
            for database, schema, whose in known_databases:
                if whose == "ours":
                    databases.erase_ours(database, schema, journal)
                else:
                    for run in databases.erase_dagster(database, schema, journal):
                        shutil.rmtree(settings.home / "dagster" / "logs" / run, ignore_errors=True)
        progress("inbox, logs and other files")
        scratch.clear(settings)
        files.erase_home(installation, journal)
        publish_overview(installation, on)
    progress("writing the databases anew")
    cut = True
    with databases.databases(settings) as known_databases:
        for database, _, _ in known_databases:
            cut = databases.compact(database) and cut
    _server_log(settings, journal)
    progress("looking whether anything is left")
    if left := scan.traces_left(installation, journal.traces):
        raise ErasureError(
            f"Something is left: {'; '.join(sorted(set(left)))}. Nothing else was lost: stop what still writes about the "
            "ente (its deliveries, runs, the web interface) and start the erasure again"
        )
    receipt = receipts.sign(settings, {
        **(journal.receipt or {"receipt": f"r-{secrets.token_hex(8)}", **receipts.new_subject(ente)}),
        "began_at": journal.began_at,
        "erased_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "what": journal.counts,
        "content_sha256": journal.content,
        "scan": "no trace found in databases, store, PCC_HOME and inbox",
        "server_log_cut_off": cut,
    })  # fmt: skip
    receipts.keep(store, receipt)
    publish_overview(installation, on)
    journal.close()  # last: until then the same call goes on
    return receipt


def _anything(installation: Installation, ente: str) -> bool:
    """Whether something arrived again for an ente that was erased."""
    return bool(scan.traces_left(installation, traces.Traces(ente)))


def _content(store: Store, ente: str) -> str:
    """One hash over the hashes of all that the ente delivered: proof of what was there, not a way back to it."""
    names = sorted(name.rsplit("/", 1)[-1] for name in store.list(f"landing/{ente}"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _under_way(settings: Settings, ente: str) -> None:
    if running := dagster_storage.under_way(settings, ente):
        raise ErasureError(f"{running} runs of this ente are under way: let them end or terminate them, then start again")


def _server_log(settings: Settings, journal: journals.Journal) -> None:
    """The embedded server's log may quote a row in an error: those lines go, in place, since the server holds it open."""
    if settings.database_url is not None:
        return
    for path in sorted((settings.home / "postgres").glob("log*")):
        if path.is_file() and files.holds(path, journal.traces):
            kept = [
                line for line in path.read_bytes().splitlines(keepends=True) if not journal.traces.bytes_pattern.search(line)
            ]
            with path.open("r+b") as file:
                file.write(b"".join(kept))
                file.truncate()
