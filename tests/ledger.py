"""PCC's ledger as a strict state machine in plain Python, written from the rules and formats, not from the SQL.

`Ledger.take` accepts or refuses one operation; `feeds` tells what PCC would deliver afterwards. The models' simulator is
tested against it, and so are the operations: PCC must accept each. Not here: files (Modello 003, 002).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
ACCOUNTS = ("ricevuto", "liquidato", "sospeso", "non_liquidabile", "pagato", "pagato_non_commerciale")
MOVEMENTS = {
    "LIQ": ("ricevuto", "liquidato"),
    "SOSP": ("ricevuto", "sospeso"),
    "NOLIQ": ("ricevuto", "non_liquidabile"),
    "LIQdaSOSP": ("sospeso", "liquidato"),
    "LIQdaNL": ("non_liquidabile", "liquidato"),
    "SOSPdaLIQ": ("liquidato", "sospeso"),
    "SOSPdaNL": ("non_liquidabile", "sospeso"),
    "NLdaLIQ": ("liquidato", "non_liquidabile"),
    "NLdaSOSP": ("sospeso", "non_liquidabile"),
}
WITHOUT_NATURE = {"SOSP", "NOLIQ", "SOSPdaNL", "NLdaSOSP"}
WITHOUT_CIG = {"SOSP", "NOLIQ"}

Key = tuple[str | None, str | None]


class Refused(Exception):
    """PCC would not take the operation; the message says why."""


@dataclass
class Document:
    """A document on PCC: its row, its state and where its amount stands."""

    row: dict[str, Any]
    stato: str
    accounts: dict[str, Decimal]
    cause: str | None
    due: date | None
    movements: list[dict[str, Any]] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        return sum(self.accounts.values(), ZERO)

    def move(self, source: str, target: str, amount: Decimal) -> None:
        if amount <= 0:
            raise Refused(f"amount {amount}")
        if self.accounts[source] < amount:
            raise Refused(f"{source} holds {self.accounts[source]}, not {amount}")
        self.accounts[source] -= amount
        self.accounts[target] += amount


def opened(row: Mapping[str, Any], paid_after_observation: Decimal = ZERO) -> Document:
    """A document as PCC's feed tells it."""
    vat = row.get("totale_imposta")
    if vat is None:
        vat = row["importo_totale"] - row["importo_imponibile"] if row.get("importo_imponibile") is not None else ZERO
    amount = row["importo_totale"] - (vat if row.get("split_payment") else ZERO)
    accounts = {name: row.get(f"importo_{name}") or ZERO for name in ACCOUNTS[1:]}
    accounts["ricevuto"] = amount - sum(accounts.values(), ZERO)
    return Document(dict(row), row["stato_documento"], accounts, row.get("causale_sospensione"), row.get("data_scadenza"))


class Ledger:
    """All documents of an ente on PCC, by (id_documento, progressivo) as operations name them."""

    def __init__(self, rows: list[Mapping[str, Any]], day: date) -> None:
        self.documents = {row["progressivo_registrazione"]: opened(row) for row in rows}
        self.day = day
        self._new: dict[str, str] = {}

    def find(self, operation: Mapping[str, Any]) -> Document:
        """The document an operation is about: by PCC's key, else the one that the accounting system's key has made."""
        key = operation["progressivo_registrazione"] or self._new.get(operation["id_documento"], "")
        if key not in self.documents:
            raise Refused("no such document")
        return self.documents[key]

    def take(self, operation: Mapping[str, Any]) -> Document:
        """Accepts the operation, or raises Refused and changes nothing."""
        if operation["model"] == "002":
            return self._receive(operation)
        document = self.find(operation)
        if document.stato == "RIFIUTATO":
            raise Refused("the document is refused")
        action = {"RC": self._rc, "RF": self._rf, "CO": self._co, "CS": self._cs, "CP": self._cp}[operation["azione"]]
        action(document, operation)
        keep = ("azione", "importo", "stato_debito", "causale", "data_scadenza", "numero_mandato")
        if not operation["non_commercial"]:
            document.movements.append(
                {name: operation[name] for name in keep}
                | {
                    "progressivo_registrazione": document.row["progressivo_registrazione"],
                    "data_operazione": self.day,
                    "data_pagamento": operation["data_mandato"],
                }
            )
        return document

    def _receive(self, operation: Mapping[str, Any]) -> Document:
        for needed in ("numero_documento", "data_emissione", "importo_totale", "cf_fornitore", "id_fiscale_iva", "importo"):
            if operation[needed] is None:
                raise Refused(f"Modello 002 without {needed}")
        if operation["tipo_documento"] not in {f"TD0{n}" for n in range(1, 7)}:
            raise Refused(f"type {operation['tipo_documento']}")
        if operation["id_documento"] in self._new:
            raise Refused("already received")
        key = f"NUOVO-{operation['id_documento']}"
        same = (
            "numero_documento",
            "data_emissione",
            "importo_totale",
            "importo_imponibile",
            "totale_imposta",
            "tipo_documento",
            "cf_amministrazione",
            "codice_ufficio",
            "cf_fornitore",
            "id_fiscale_iva",
            "denominazione_fornitore",
            "data_ricezione",
            "data_scadenza",
        )
        row = {name: operation[name] for name in same} | {
            "progressivo_registrazione": key,
            "split_payment": False,
            "stato_documento": "RICEVUTO",
        }
        self.documents[key] = opened(row)
        self._new[operation["id_documento"]] = key
        return self.documents[key]

    def _rc(self, document: Document, operation: Mapping[str, Any]) -> None:
        if document.stato != "PRESENTATO":
            raise Refused(f"RC of a document {document.stato}")
        if operation["data_ricezione"] is None:
            raise Refused("RC without date")
        document.stato = "RICEVUTO"

    def _rf(self, document: Document, operation: Mapping[str, Any]) -> None:
        if document.stato not in ("PRESENTATO", "RICEVUTO") or document.accounts["ricevuto"] != document.amount:
            raise Refused(f"RF of a document {document.stato} that is booked")
        if not operation["descrizione"] or operation["data_rifiuto"] is None:
            raise Refused("RF without description or date")
        document.stato = "RIFIUTATO"

    def _co(self, document: Document, operation: Mapping[str, Any]) -> None:
        state = operation["stato_debito"]
        if document.stato == "PRESENTATO":
            raise Refused("CO before RC")
        if (operation["natura_spesa"] == "NA") != (state in WITHOUT_NATURE) or operation["natura_spesa"] not in (
            "CO",
            "CA",
            "NA",
        ):
            raise Refused(f"E255: {state} with nature {operation['natura_spesa']}")
        for code in (operation["cig"], operation["cup"]):
            if not code or (state in WITHOUT_CIG and code != "NA"):
                raise Refused(f"{state} with CIG or CUP {code}")
        source, target = MOVEMENTS[state]
        if target == "sospeso":
            if operation["causale"] == "CONT" and not re.search(r"\d{2}/\d{2}/\d{4}", operation["descrizione"] or ""):
                raise Refused("CONT without its start date")
            if (
                document.accounts["sospeso"]
                and operation["causale"] != document.cause
                and _excludes(operation["causale"]) != _excludes(document.cause)
            ):
                raise Refused("two causes on one document")
        document.move(source, target, operation["importo"])
        if target == "sospeso":
            document.cause = operation["causale"]
        elif not document.accounts["sospeso"]:
            document.cause = None
        document.stato = "CONTABILIZZATO"

    def _cs(self, document: Document, operation: Mapping[str, Any]) -> None:
        if document.stato == "PRESENTATO":
            raise Refused("CS before RC")
        if operation["data_scadenza"] is None or not (operation["importo"] or ZERO) > 0:
            raise Refused("CS without date or amount")
        document.due = operation["data_scadenza"]

    def _cp(self, document: Document, operation: Mapping[str, Any]) -> None:
        for needed in ("numero_mandato", "data_mandato", "id_fiscale_beneficiario", "cig", "cup"):
            if not operation[needed]:
                raise Refused(f"CP without {needed}")
        if operation["natura_spesa"] not in ("CO", "CA"):
            raise Refused("CP without nature")
        account = "pagato_non_commerciale" if operation["non_commercial"] else "pagato"
        document.move("liquidato", account, operation["importo"])
        if document.accounts["pagato"] + document.accounts["pagato_non_commerciale"] == document.amount:
            document.stato = "PAGATO"

    def feeds(self) -> dict[str, list[dict[str, Any]]]:
        """What PCC delivers now: all documents, and the movements taken here."""
        rows = []
        for document in self.documents.values():
            split = {f"importo_{name}": document.accounts[name] for name in ACCOUNTS[1:]}
            rows.append(
                {name: value for name, value in document.row.items() if name not in ("ente", "delivery", "line")}
                | split
                | {"stato_documento": document.stato, "data_scadenza": document.due, "causale_sospensione": document.cause}
            )
        moved = [movement for document in self.documents.values() for movement in document.movements]
        return {"pcc_invoices": rows, "pcc_operations": moved}


def _excludes(cause: str | None) -> bool:
    """docs/rules.md#rule-4: contestation, litigation and regulatory checks keep a suspended amount out of the stock."""
    return cause in ("CONT", "CONTESTATO", "CONTESTAZIONE", "CONTENZIOSO", "ADEMPIMENTI", "ADEMPIMENTI_NORMATIVI")
