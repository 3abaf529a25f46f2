"""Special cases that answers make: a file in the ente's inbox, like the ente's own; and the file that takes them back."""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pcc_pipeline.arrival.delivery import deliver
from pcc_pipeline.settings import Settings

_HEADER = (
    "piva_fornitore", "cf_fornitore", "numero", "data_emissione", "importo", "caso", "nuovo_creditore_cf",
    "nuovo_creditore_piva", "nuovo_creditore_denominazione", "decorrenza", "nota",
)  # fmt: skip


@dataclass(frozen=True)
class AnsweredCase:
    """A case that was answered: of a supplier's document (`number` and `issued` None: of all its documents), from a day on."""

    case: str
    supplier: str
    number: str | None
    issued: date | None
    since: date | None
    creditor: str
    note: str


def deliver_cases(settings: Settings, ente: str, cases: Sequence[AnsweredCase], *, taken_back: bool = False) -> Path:
    """Puts the cases into the ente's inbox, or what takes them back. The file's name says its content, and the same content is
    one delivery: whoever says the same again after taking it back says so in the note."""
    header = (*_HEADER, "annullato") if taken_back else _HEADER
    rows = [
        {
            "piva_fornitore": one.supplier if one.supplier.isdigit() else "",
            "cf_fornitore": "" if one.supplier.isdigit() else one.supplier,
            "numero": one.number or "",
            "data_emissione": one.issued.isoformat() if one.issued else "",
            "caso": one.case,
            "nuovo_creditore_piva": one.creditor if one.creditor.isdigit() else "",
            "nuovo_creditore_cf": "" if one.creditor.isdigit() else one.creditor,
            "decorrenza": one.since.isoformat() if one.since else "",
            "nota": one.note,
            **({"annullato": "SI"} if taken_back else {}),
        }
        for one in cases
    ]
    rows.sort(key=lambda row: tuple(row[name] for name in sorted(row)))
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        file = Path(folder) / "risposte.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, header, delimiter=";", restval="")
            writer.writeheader()
            writer.writerows(rows)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        return deliver(settings.inbox, ente, "special_cases", file.rename(file.with_name(f"risposte-{digest}.csv")))
