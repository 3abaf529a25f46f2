"""Approved operations into files for PCC: written once, registered once, handed out until they are there.

Order makes it safe against a crash at any point: the bytes are kept first (by content), then file and operations are
registered in one transaction (unique per operation and attempt), and only what is registered is handed out. Which
operations may go out is asked of the database under the lock of the ente's decisions: no two processes send the same one,
and a refusal comes before, or after what went out.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

from pcc_pipeline.arrival import leftovers
from pcc_pipeline.clock import today
from pcc_pipeline.database.moments import not_before_arrivals
from pcc_pipeline.formats.pcc import files, models
from pcc_pipeline.formats.pcc.check import Finding, operation_findings
from pcc_pipeline.formats.pcc.values import tax_code_problem
from pcc_pipeline.installation import Installation
from pcc_pipeline.review import sent
from pcc_pipeline.review.pairs import deciding
from pcc_pipeline.rules import threshold
from pcc_pipeline.store import Store
from pcc_pipeline.tables.sending import SENT_OPERATIONS

Operation = dict[str, Any]
#: How the name of a file begins that is being copied into a folder: hidden, and nobody else's.
_PART = ".pcc-part-"


class SendingError(ValueError):
    """Files that cannot be written as asked; its text says why, in Italian."""


@dataclass(frozen=True)
class Held:
    """An approved operation that did not go out, since PCC would refuse a line of its document."""

    operation_id: str
    document: str
    finding: Finding


@dataclass
class SendingReport:
    """What one call wrote: names of new files, operations in them, operations held back with the reason, and the paths
    where files were handed out (new ones, and those that an interrupted call left)."""

    files: list[str] = field(default_factory=list)
    operations: int = 0
    held: list[Held] = field(default_factory=list)
    handed: list[Path] = field(default_factory=list)


def send(
    installation: Installation,
    ente: str,
    user: str,
    out: Path,
    *,
    name: str | None = None,
    cf: str | None = None,
    rows: int | None = None,
) -> SendingReport:
    """Writes what is approved and not yet sent to PCC's model files, and hands them out in the folder `out`.

    `user` is the fiscal code of who transmits; `name` and `cf` the ente's, for lines where PCC has told neither. `rows`
    limits a file (threshold model_file_rows unless told); a document is never split. Raises SendingError for a `user` that
    is no fiscal code.
    """  # fmt: skip
    user = user.strip().upper()
    if tax_code_problem(user):
        raise SendingError(f"{user or '(vuoto)'} non è un codice fiscale: serve quello di chi trasmette il file a PCC")
    report, store = SendingReport(), installation.store
    on = today()
    with deciding(installation.engine, ente) as connection:
        operations = sent.approved_operations(connection, ente)
        for operation in operations:
            operation["denominazione_amministrazione"] = name
            operation["cf_amministrazione"] = operation["cf_amministrazione"] or cf
        good = _judge(operations, on, report)
        moment = not_before_arrivals(connection, ente)
        number = sent.next_number(connection, ente)
        prepared = []
        for place, part in enumerate(_parts(good, rows or limit(on)), number):
            prepared.append(_file(store, ente, user, on, place, part, moment))
        store.settle(_kept(ente, file["sha256"]) for file, _ in prepared)
        for file, lines in prepared:
            sent.register(connection, file, lines)
            report.files.append(file["file"])
            report.operations += len(lines)
    hand_out(installation, ente, out, report)
    return report


def hand_out(installation: Installation, ente: str, out: Path, report: SendingReport | None = None) -> list[Path]:
    """Puts registered files that were not handed out yet into `out`, each whole or not at all; returns their paths."""
    handed = []
    _clear(out)
    for file in sent.not_handed(installation.engine, ente):
        out.mkdir(parents=True, exist_ok=True)
        handed.append(copy_file(installation.store, ente, file["file"], file["sha256"], out))
        sent.handed(installation.engine, ente, file["file"])
    if report is not None:
        report.handed = handed
    return handed


def copy_file(store: Store, ente: str, name: str, sha256: str, out: Path) -> Path:
    """Copies a registered file's bytes to `out`. Raises RuntimeError when the store's bytes are not those registered."""
    data = kept_bytes(store, ente, name, sha256)
    target = out / name
    temporary = out / f"{_PART}{uuid4().hex}"
    temporary.write_bytes(data)
    temporary.replace(target)
    return target


def _clear(out: Path) -> None:
    """Removes what killed processes were copying into a folder."""
    for path in out.glob(f"{_PART}*"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime >= leftovers.LEFT_BEHIND:
                path.unlink()


def kept_bytes(store: Store, ente: str, name: str, sha256: str) -> bytes:
    """The bytes of a registered file. Raises RuntimeError when the store's bytes are not those registered."""
    with store.open(_kept(ente, sha256)) as source:
        data: bytes = source.read()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RuntimeError(f"{name}: the kept bytes are not those that were registered")
    return data


def limit(on: date) -> int:
    """Lines of a file at most, on a day (threshold model_file_rows)."""
    return int(threshold("model_file_rows", on))


def _document(operation: Operation) -> tuple[str, str]:
    return operation["progressivo_registrazione"] or "", operation["id_documento"] or ""


def _judge(operations: Sequence[Operation], today: date, report: SendingReport) -> list[Operation]:
    """The operations of documents of which PCC would take every line; each with its texts."""
    held: dict[tuple[str, str], list[Held]] = {}
    for operation in operations:
        document = _document(operation)
        operation["texts"] = files.texts_of(operation)
        # As PCC will read it: letters that its encoding lacks are gone by then.
        read = [models.encoded(text).decode(models.ENCODING) for text in operation["texts"]]
        for finding in operation_findings(operation["model"], read, today):
            if finding.severity == "error":
                name = " ".join(filter(None, document))
                held.setdefault(document, []).append(Held(operation["operation_id"], name, finding))
    report.held += [each for found in held.values() for each in found]
    return [operation for operation in operations if _document(operation) not in held]


def _parts(operations: Sequence[Operation], rows: int) -> Iterator[list[Operation]]:
    """The operations file by file: one model, at most `rows` lines unless one document alone has more."""
    for _, of_model in groupby(operations, key=lambda o: o["model"]):
        part: list[Operation] = []
        for _, group in groupby(of_model, key=_document):
            document = list(group)
            if part and len(part) + len(document) > rows:
                yield part
                part = []
            part += document
        if part:
            yield part


def _file(
    store: Store, ente: str, user: str, today: date, number: int, operations: Sequence[Operation], moment: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Keeps a file's bytes; returns its row and its operations' rows, to be registered."""
    model = operations[0]["model"]
    data = files.write(model, user, [operation["texts"] for operation in operations])
    sha256 = hashlib.sha256(data).hexdigest()
    store.write_bytes(_kept(ente, sha256), data)
    name = f"{user}_{today:%Y%m%d}_{model}_{ente}_{number:04d}.csv"
    lines, line = [], files.first_line(model)
    for operation in operations:
        known = {column: operation.get(column) for column in SENT_OPERATIONS.column_names}
        lines.append({**known, "ente": ente, "file": name, "line": line, "sent_at": moment})
        line += 1 + sum(text.count("\n") for text in operation["texts"])
    file = {
        "ente": ente, "file": name, "model": model, "sha256": sha256, "size": len(data), "rows": len(lines),
        "sent_by": user, "sent_at": moment,
    }  # fmt: skip
    return file, lines


def _kept(ente: str, sha256: str) -> str:
    return f"sent/{ente}/{sha256[:2]}/{sha256}"
