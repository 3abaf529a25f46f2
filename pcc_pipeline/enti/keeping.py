"""The provider's register of enti kept at the desk: one ente's row is written as a delivery of the provider's like any other.

So whoever reads the register reads one thing, and the past stays as it was. Until the delivery is read, the row that waits in
the inbox counts for whoever changes it next. Nobody overwrites what they have not seen: a change says on which row it was made.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.enti.overview import register_rows
from pcc_pipeline.enti.receipts import erased_receipt
from pcc_pipeline.installation import Installation
from pcc_pipeline.tables.feeds import ENTI, LINEAGE

#: What of the register's row a person enters.
FIELDS = tuple(
    column
    for column in ENTI.columns
    if column not in LINEAGE and column.name not in ("codice_ente", "registrato_da", "registrato_il")
)
#: Files of the desk in the inbox.
_FILES = "scrivania-*.csv"


class RegisterError(ValueError):
    """A row that cannot be entered; its text says why, in Italian."""


def present(installation: Installation, ente: str) -> dict[str, Any] | None:
    """The register's row of an ente with what was entered at the desk and waits to be read; None where there is none."""
    row = register_rows(installation, ente).get(ente)
    for entered in _waiting(installation, ente):
        if row is None or row.get("registrato_il") is None or row["registrato_il"] < entered["registrato_il"]:
            row = entered
    return row


def mark(row: Mapping[str, Any] | None) -> str:
    """What tells a row from another state of it; of no row too."""
    said = "" if row is None else "\n".join(_text(row[column.name]) for column in FIELDS)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def written(folder: Path, ente: str, values: Mapping[str, str], who: str, now: datetime) -> Path:
    """The row as a file of the kind `enti` in a folder: to be judged as a delivery, and delivered."""
    at = now.astimezone(UTC)
    path = folder / f"scrivania-{at:%Y%m%dT%H%M%S%f}.csv"
    row = {"ente": ente, **{column.name: values.get(column.name, "").strip() for column in FIELDS}}
    row |= {"registrato_da": who, "registrato_il": at.isoformat()}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), delimiter=";")
        writer.writeheader()
        writer.writerow(row)
    return path


def enter(installation: Installation, ente: str, file: Path, seen: str) -> None:
    """Delivers a row that `written` made. `seen` is the mark of the row that the person changed.

    Raises RegisterError where the row is another by now, or the ente was erased. To be asked under a lock of the ente's.
    """
    if erased_receipt(installation.store, ente) is not None:
        raise RegisterError("I dati di questo ente sono stati cancellati: il suo codice non si usa più")
    if mark(present(installation, ente)) != seen:
        raise RegisterError("Qualcuno ha cambiato il registro nel frattempo: rivedere i dati e riprovare")
    deliver(installation.settings.inbox, PROVIDER, ENTI.name, file)


def enter_values(
    installation: Installation, ente: str, changes: Mapping[str, str], who: str, now: datetime
) -> None:  # fmt: skip
    """Enters some values of an ente's row as it is at this moment, the others as they are. Raises RegisterError."""
    row = present(installation, ente)
    if row is None:
        raise RegisterError("L'ente non è nel registro")
    values = {column.name: _text(row[column.name]) for column in FIELDS} | dict(changes)
    with tempfile.TemporaryDirectory(prefix="pcc-register-") as folder:
        enter(installation, ente, written(Path(folder), ente, values, who, now), mark(row))


def _waiting(installation: Installation, ente: str) -> list[dict[str, Any]]:
    """The rows entered at the desk that were not read yet, oldest first."""
    found = []
    read = set(installation.register.deliveries(PROVIDER)["file"].to_pylist())  # an inbox may not be drained
    for path in sorted((installation.settings.inbox / PROVIDER / ENTI.name).glob(_FILES)):
        if path.name in read:
            continue
        with suppress(FileNotFoundError), path.open(encoding="utf-8", newline="") as file:  # it may be read at this moment
            found += [_typed(row) for row in csv.DictReader(file, delimiter=";") if row["ente"] == ente]
    return found


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"codice_ente": row["ente"], "registrato_da": row["registrato_da"]}
    made["registrato_il"] = datetime.fromisoformat(row["registrato_il"])
    for column in FIELDS:
        text = row[column.name]
        if column.type == "date":
            made[column.name] = date.fromisoformat(text) if text else None
        elif column.type == "boolean":
            made[column.name] = {"SI": True, "NO": False}.get(text)
        else:
            made[column.name] = text or None
    return made


def _text(value: Any) -> str:
    """A value as the desk writes it."""
    if isinstance(value, bool):
        return "SI" if value else "NO"
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
