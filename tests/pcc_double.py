"""A test double of PCC: reads Modello 003 and 002 strictly, written from the format's description and from nothing of ours,
moves money between the accounts of its documents, answers line by line and gives its present state as feeds.

It imports nothing of the project on purpose: a mistake of our writer must not be shared here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

COLUMNS_003 = [
    "cf_amm",
    "ufficio",
    "cf_forn",
    "iva",
    "azione",
    "progressivo",
    "numero",
    "emissione",
    "totale",
    "protocollo",
    "ricezione",
    "note_rc",
    "rifiuto",
    "motivo_rifiuto",
    "co_importo",
    "co_natura",
    "co_capitoli",
    "stato",
    "causale",
    "co_descrizione",
    "co_impegno",
    "co_cig",
    "co_cup",
    "cs_si",
    "cs_importo",
    "cs_data",
    "cp_importo",
    "cp_natura",
    "cp_capitoli",
    "cp_impegno",
    "mandato",
    "mandato_il",
    "beneficiario",
    "cp_cig",
    "cp_cup",
    "cp_descrizione",
    "codice",
    "segnalazione",
]
COLUMNS_002 = [
    "cf_amm",
    "ufficio",
    "den_amm",
    "cf_forn",
    "iva",
    "den_forn",
    "lotto",
    "tipo",
    "numero",
    "emissione",
    "totale",
    "causale",
    "art73",
    "imponibile",
    "imposta",
    "aliquota",
    "natura",
    "imponibile_al",
    "imposta_al",
    "importo_cig",
    "cig",
    "cup",
    "termini_dal",
    "termini_giorni",
    "scadenza",
    "importo_pagamento",
    "protocollo",
    "ricezione",
    "note",
    "forzatura",
    "codice",
    "segnalazione",
]
MOVES = {
    "LIQ": ("unbooked", "liquidato"), "SOSP": ("unbooked", "sospeso"), "NOLIQ": ("unbooked", "non_liquidabile"),
    "LIQdaSOSP": ("sospeso", "liquidato"), "LIQdaNL": ("non_liquidabile", "liquidato"),
    "SOSPdaLIQ": ("liquidato", "sospeso"), "SOSPdaNL": ("non_liquidabile", "sospeso"),
    "NLdaLIQ": ("liquidato", "non_liquidabile"), "NLdaSOSP": ("sospeso", "non_liquidabile"),
}  # fmt: skip
ACCOUNTS = ("liquidato", "sospeso", "non_liquidabile", "pagato", "pagato_non_commerciale")


class Refused(Exception):
    """What PCC answers to a line: code and words."""


def _require(holds: object, code: str, words: str) -> None:
    if not holds:
        raise Refused(code, words)


def _date(text: str) -> date:
    _require(re.fullmatch(r"\d{2}/\d{2}/\d{4}", text), "E100", f"data non valida: {text}")
    day, month, year = text.split("/")
    return date(int(year), int(month), int(day))


def _amount(text: str) -> Decimal:
    _require(re.fullmatch(r"-?\d+\.\d{2}", text), "E101", f"importo non valido: {text}")
    return Decimal(text)


@dataclass
class Document:
    """A document on PCC: its row of the feed, with the accounts as numbers."""

    row: dict[str, Any]
    accounts: dict[str, Decimal]

    @property
    def amount(self) -> Decimal:
        vat = self.row["totale_imposta"] if self.row["split_payment"] else None
        return self.row["importo_totale"] - (vat or Decimal(0))

    @property
    def unbooked(self) -> Decimal:
        return self.amount - sum(self.accounts.values())

    def take(self, account: str, amount: Decimal) -> None:
        held = self.unbooked if account == "unbooked" else self.accounts[account]
        _require(held >= amount, "E300", f"sul conto {account} ci sono {held}, non {amount}")
        if account != "unbooked":
            self.accounts[account] -= amount

    def give(self, account: str, amount: Decimal) -> None:
        if account != "unbooked":
            self.accounts[account] += amount


@dataclass
class Pcc:
    """PCC with the documents of one ente. `today` dates the movements; `whim` may refuse a line: it gets the row by column
    name and returns (code, words), or None."""

    documents: dict[str, Document]
    today: date
    whim: Callable[[dict[str, str]], tuple[str, str] | None] = lambda row: None
    movements: list[dict[str, Any]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rows: list[dict[str, Any]], today: date) -> Pcc:
        """PCC as the rows of a `pcc_invoices` feed show it."""
        made = {}
        for row in rows:
            accounts = {name: row[f"importo_{name}"] or Decimal(0) for name in ACCOUNTS}
            made[row["progressivo_registrazione"]] = Document(dict(row), accounts)
        return cls(made, today)

    def upload(self, data: bytes) -> bytes:
        """Takes a file, line by line, and hands it back with the answers. Raises ValueError for a file that is none."""
        text = data.decode("cp1252")
        if not text.endswith("\r\n") or text.replace("\r\n", "").count("\r"):
            raise ValueError("lines must end with CRLF")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
        head = [[cell for cell in row if cell] for row in rows[:4]]
        if head[0] != ["0", "0", "0"] or head[2] != ["Versione del modello", "1"]:
            raise ValueError(f"preamble: {head}")
        if head[3][0] != "Utente che trasmette il file (Codice Fiscale)" or not re.fullmatch(r"[A-Z0-9]{11,16}", head[3][1]):
            raise ValueError(f"user: {head[3]}")
        kinds = {
            "003 - UTENTE PA - OPERAZIONI SU FATTURE ESISTENTI": (COLUMNS_003, self._line_003),
            "002 - UTENTE PA - RICEZIONE FATTURE": (COLUMNS_002, self._line_002),
        }
        if head[1][0] != "Codice del modello" or head[1][1] not in kinds:
            raise ValueError(f"model: {head[1]}")
        columns, take = kinds[head[1][1]]
        if any(len(row) != len(columns) for row in rows[4:]) or len(rows) < 8:
            raise ValueError(f"every line has {len(columns)} columns")
        for row in rows[7:]:
            named = dict(zip(columns, row, strict=True))
            try:
                if refused := self.whim(named):
                    raise Refused(*refused)
                take(named)
            except Refused as error:
                row[-2:] = error.args
            self.answered.append(row[-2])
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
        return out.getvalue().encode("cp1252")

    def _line_003(self, row: dict[str, str]) -> None:
        for name in ("cf_amm", "ufficio", "cf_forn", "iva", "azione"):
            _require(row[name], "E001", f"{name} obbligatorio")
        document = self.documents.get(row["progressivo"])
        if row["progressivo"] == "NA":
            found = [
                d
                for d in self.documents.values()
                if (d.row["numero_documento"], d.row["data_emissione"], d.row["importo_totale"])
                == (row["numero"], _date(row["emissione"]), _amount(row["totale"]))
            ]
            document = found[0] if len(found) == 1 else None
        if document is None:
            raise Refused("E010", "documento non trovato")
        _require(document.row["stato_documento"] != "RIFIUTATO", "E011", "documento rifiutato")
        action = {"RC": self._rc, "RF": self._rf, "CO": self._co, "CS": self._cs, "CP": self._cp}.get(row["azione"])
        if action is None:
            raise Refused("E002", "azione sconosciuta")
        moved = action(document, row)
        self.movements.append(
            {
                "progressivo_registrazione": document.row["progressivo_registrazione"],
                "data_operazione": self.today,
                "azione": row["azione"],
                **moved,
            }
        )

    def _rc(self, document: Document, row: dict[str, str]) -> dict[str, Any]:
        _require(document.row["stato_documento"] == "PRESENTATO", "E020", "documento già ricevuto")
        document.row["stato_documento"] = "RICEVUTO"
        document.row["data_ricezione"] = _date(row["ricezione"]) if row["ricezione"] else self.today
        return {}

    def _rf(self, document: Document, row: dict[str, str]) -> dict[str, Any]:
        _require(row["motivo_rifiuto"], "E001", "descrizione del rifiuto obbligatoria")
        _require(document.unbooked == document.amount, "E021", "documento contabilizzato: non si rifiuta")
        if row["rifiuto"]:
            _date(row["rifiuto"])
        document.row["stato_documento"] = "RIFIUTATO"
        return {}

    def _co(self, document: Document, row: dict[str, str]) -> dict[str, Any]:
        amount, stato = _amount(row["co_importo"]), row["stato"]
        _require(amount > 0, "E102", "importo non positivo")
        _require(stato in MOVES, "E003", f"stato del debito {stato}")
        _require(document.row["stato_documento"] != "PRESENTATO", "E022", "documento non ricevuto")
        if stato in ("SOSP", "NOLIQ", "SOSPdaNL", "NLdaSOSP"):
            _require(row["co_natura"] == "NA", "E255", "natura di spesa non ammessa")
        else:
            _require(row["co_natura"] in ("CO", "CA"), "E254", "natura di spesa mancante")
        _require(row["co_cig"] and row["co_cup"], "E001", "CIG e CUP obbligatori")
        if stato in ("SOSP", "NOLIQ"):
            _require(row["co_cig"] == row["co_cup"] == "NA", "E256", "CIG e CUP non ammessi")
        if row["causale"] == "CONT" and stato.startswith("SOSP"):
            _require(re.search(r"\d{2}/\d{2}/\d{4}", row["co_descrizione"]), "E257", "data di inizio mancante")
        source, target = MOVES[stato]
        document.take(source, amount)
        document.give(target, amount)
        if target == "sospeso":
            document.row["causale_sospensione"] = row["causale"] or None
        if not document.accounts["sospeso"]:
            document.row["causale_sospensione"] = None
        document.row["stato_documento"] = "CONTABILIZZATO"
        return {"importo": amount, "stato_debito": stato, "causale": row["causale"] or None}

    def _cs(self, document: Document, row: dict[str, str]) -> dict[str, Any]:
        _require(row["cs_si"] == "SI", "E001", "comunica scadenza obbligatorio")
        due = _date(row["cs_data"])
        if row["cs_importo"]:
            _require(0 < _amount(row["cs_importo"]) <= document.amount, "E103", "importo della scadenza")
        document.row["data_scadenza"] = due
        return {"data_scadenza": due}

    def _cp(self, document: Document, row: dict[str, str]) -> dict[str, Any]:
        amount = _amount(row["cp_importo"])
        for name in ("cp_natura", "mandato", "beneficiario", "cp_cig", "cp_cup"):
            _require(row[name], "E001", f"{name} obbligatorio")
        _require(row["cp_natura"] in ("CO", "CA"), "E254", "natura di spesa")
        _require(re.fullmatch(r"[A-Z]{2}[A-Z0-9]{2,28}|[A-Z0-9]{16}", row["beneficiario"]), "E104", "beneficiario")
        paid = "pagato_non_commerciale" if row["cp_descrizione"] == "Debito non commerciale" else "pagato"
        if amount > 0:
            document.take("liquidato", amount)
            document.give(paid, amount)
        else:
            document.take(paid, -amount)
            document.give("liquidato", -amount)
        if document.accounts["pagato"] + document.accounts["pagato_non_commerciale"] == document.amount:
            document.row["stato_documento"] = "PAGATO"
        day = _date(row["mandato_il"])
        return {
            "importo": amount,
            "numero_mandato": row["mandato"],
            "data_pagamento": day,
            "id_fiscale_iva_beneficiario": row["beneficiario"],
        }

    def _line_002(self, row: dict[str, str]) -> None:
        needed = "cf_amm ufficio den_amm cf_forn iva den_forn lotto tipo numero emissione totale causale imponibile imposta"
        for name in needed.split():
            _require(row[name], "E001", f"{name} obbligatorio")
        _require(re.fullmatch(r"TD0[1-6]", row["tipo"]), "E004", "tipo documento")
        total, vat = _amount(row["totale"]), _amount(row["imposta"])
        written = (row["numero"], row["iva"], _date(row["emissione"]))
        same = [
            document
            for document in self.documents.values()
            if (document.row["numero_documento"], document.row["id_fiscale_iva"], document.row["data_emissione"]) == written
        ]
        _require(not same or row["forzatura"] == "AG", "E030", "sospetto duplicato")
        key = str(900_000_000_000 + len(self.documents))
        made: dict[str, Any] = dict.fromkeys(next(iter(self.documents.values())).row) if self.documents else {}
        made |= {
            "progressivo_registrazione": key,
            "codice_ufficio": row["ufficio"],
            "cf_amministrazione": row["cf_amm"],
            "cf_fornitore": row["cf_forn"],
            "id_fiscale_iva": row["iva"],
            "denominazione_fornitore": row["den_forn"],
            "tipo_documento": row["tipo"],
            "numero_documento": row["numero"],
            "data_emissione": _date(row["emissione"]),
            "data_ricezione": _date(row["ricezione"]) if row["ricezione"] else self.today,
            "importo_totale": total,
            "importo_imponibile": _amount(row["imponibile"]),
            "totale_imposta": vat,
            "split_payment": False,
            "stato_documento": "RICEVUTO",
            "data_scadenza": _date(row["scadenza"]) if row["scadenza"] else None,
        }
        self.documents[key] = Document(made, dict.fromkeys(ACCOUNTS, Decimal(0)))

    def invoices_csv(self) -> bytes:
        """The feed `pcc_invoices` of all documents as they stand now."""
        rows = []
        touched = {movement["progressivo_registrazione"] for movement in self.movements}
        for key, document in self.documents.items():
            assert key not in touched or min(document.unbooked, *document.accounts.values()) >= 0, document
            rows.append(document.row | {f"importo_{name}": value for name, value in document.accounts.items()})
        return _table(rows, ("ente", "delivery", "line", "partial", "row_id"))

    def operations_csv(self) -> bytes:
        """The feed `pcc_operations` of the movements made here."""
        names = "progressivo_registrazione data_operazione azione importo stato_debito causale data_scadenza numero_mandato data_pagamento id_fiscale_iva_beneficiario"
        return _table([dict.fromkeys(names.split()) | movement for movement in self.movements], ())


def _table(rows: list[dict[str, Any]], without: tuple[str, ...]) -> bytes:
    out = io.StringIO(newline="")
    names = [name for name in rows[0] if name not in without]
    writer = csv.writer(out, delimiter=";")
    writer.writerow(names)
    for row in rows:
        writer.writerow(["SI" if row[n] is True else "NO" if row[n] is False else row[n] for n in names])
    return out.getvalue().encode()
