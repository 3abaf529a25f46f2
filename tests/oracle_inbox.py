"""Feeds of the oracle: read from an inbox, damaged at random, written."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

from oracle_amounts import (
    possible_due,
)
from oracle_deliveries import DAYS, stands
from oracle_documents import CENT, ZERO, Row, document_number, money

#: What the oracle reads of an inbox: other kinds have their own tests.
KINDS = (*DAYS, "open_list", "special_cases")


def load_inbox(inbox: Path, ente: str) -> dict[str, list[dict[str, Any]]]:
    """The feeds of one ente that the rules of stock need (KINDS), from ISO CSV with `;`, typed by their column names.

    Of SDI's messages the lots refused (EC02, in files of their own) as `sdi_refusals`; of e-invoices (in files of their
    own) what the rules need; the payments of orders that the treasurer executed, where the ERP has none of that order.
    """
    refused = [path.read_text() for path in sorted((inbox / ente / "sdi_messages").glob("*_EC_*.xml"))]
    lots = [re.search("<IdentificativoSdI>(.*?)<", text) for text in refused if "<Esito>EC02<" in text]
    read = {
        folder.name: stands(
            folder.name,
            [(path.name, [_typed(row) | {"_file": path.name} for row in _read(path)]) for path in sorted(folder.glob("*.csv"))],
        )
        for folder in sorted((inbox / ente).iterdir())
        if folder.name in KINDS
    }
    rows = {kind: found.rows for kind, found in read.items()}
    lost = [row | {"_kind": kind} for kind, found in read.items() for row in (*found.gone, *found.asked)]
    rows["erp_payments"] = rows.get("erp_payments", []) + _executed(inbox / ente / "erp_opi", rows)
    rows["sdi_invoices"] = [row for path in sorted((inbox / ente / "sdi_invoices").glob("*.xml")) for row in _bodies(path)]
    return rows | {"sdi_refusals": [{"lotto_sdi": lot[1]} for lot in lots if lot], "lost": lost}


def _bodies(path: Path) -> Iterable[dict[str, Any]]:
    """Identity, total, reverse charge and latest due date of each body of a plain FatturaPA file."""
    root = ElementTree.parse(path).getroot()
    for body in root.iter("FatturaElettronicaBody"):
        issued = date.fromisoformat(body.findtext(".//DatiGeneraliDocumento/Data") or "")
        written = [date.fromisoformat(due.text or "") for due in body.iter("DataScadenzaPagamento")]
        dues = [due for due in written if possible_due(due, issued)]
        terms = [
            date.fromisoformat(start) + timedelta(days=int(days))
            for part in body.iter("DettaglioPagamento")
            if (start := part.findtext("DataRiferimentoTerminiPagamento")) and (days := part.findtext("GiorniTerminiPagamento"))
        ]
        yield {
            "id_fiscale_iva": "".join(
                root.findtext(f".//CedentePrestatore//IdFiscaleIVA/{name}") or "" for name in ("IdPaese", "IdCodice")
            ),
            "cf_fornitore": root.findtext(".//CedentePrestatore//CodiceFiscale"),
            "numero": body.findtext(".//DatiGeneraliDocumento/Numero"),
            "data_emissione": date.fromisoformat(body.findtext(".//DatiGeneraliDocumento/Data") or ""),
            "tipo_documento": body.findtext(".//TipoDocumento"),
            "importo_totale": money(body.findtext(".//ImportoTotaleDocumento")),
            "reverse_charge": any((nature.text or "").startswith("N6") for nature in body.iter("Natura")),
            "imposta": sum((money(part.text) for part in body.iter("Imposta")), ZERO),
            "ritenuta": sum((money(part.text) for part in body.iter("ImportoRitenuta")), ZERO),
            "scadenze": sorted(set(dues)),
            "data_scadenza": max(dues, default=max(terms, default=None)),
            "riferimenti": [
                (named.findtext("IdDocumento") or "", date.fromisoformat(named.findtext("Data") or ""))
                for named in body.iter("DatiFattureCollegate")
                if named.findtext("Data")
            ],
        }


def _executed(folder: Path, rows: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """Payments of the orders in `folder` that its journals execute, one block an order; documents found by their lot."""
    known = {(payment["id_documento"], payment["numero_mandato"]) for payment in rows.get("erp_payments", ())}
    by_lot = {row["lotto_sdi"]: row for row in rows.get("erp_invoices", ()) if row.get("lotto_sdi")}
    roots = [ElementTree.parse(path).getroot() for path in sorted(folder.glob("*.xml"))]
    moved = {
        movement.findtext("numero_documento"): date.fromisoformat(movement.findtext("data_movimento") or "")
        for root in roots
        for movement in root.iter("movimento_conto_evidenza")
    }
    found = []
    for order in (order for root in roots for order in root.iter("mandato")):
        number = (order.findtext("numero_mandato") or "").lstrip("0")
        row = by_lot.get(order.findtext(".//identificativo_lotto_sdi_siope"))
        document = row["id_documento"] if row else None
        if number in moved and document and (document, number) not in known:
            amount, who = money(order.findtext(".//importo_siope")), order.findtext(".//partita_iva_beneficiario")
            found.append(
                {"id_documento": document, "numero_mandato": number, "data_pagamento": moved[number], "importo": amount}
            )
            found[-1] |= {"cf_beneficiario": who, "storno": False}
            year = row["data_emissione"].year if row else 0
            written = document_number(order.findtext(".//numero_fattura_siope") or "", year)
            found[-1]["_misnamed"] = bool(row) and written != document_number(row["numero"] if row else "", year)
    return found


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, text in row.items():
        value: Any = text.strip() or None
        if value is not None and (name.startswith("data_") or name == "decorrenza"):
            value = date.fromisoformat(value)
        elif value is not None and (name.startswith("importo") or name in ("imponibile", "iva", "totale_imposta")):
            value = Decimal(value)
        elif value is not None and name in ("split_payment", "storno", "commerciale", "escluso"):
            value = value in ("S", "SI")
        typed[name] = value
    return typed


def perturbed(rows: Mapping[str, Sequence[Row]], seed: int, share: float = 0.15) -> dict[str, list[dict[str, Any]]]:
    """The same feeds with random damage to about `share` of the rows, deterministic by seed.

    Nothing here follows a case: it is what no one thought of. Keys stay unique and required fields filled.
    """
    random = Random(seed)
    made = {kind: [dict(row) for row in found] for kind, found in rows.items()}

    def some(kind: str) -> Iterable[dict[str, Any]]:
        return [row for row in made.get(kind, ()) if random.random() < share]

    def nearby(value: date | None) -> date:
        return (value or date(2025, 6, 30)) + timedelta(days=random.choice((-400, -40, -1, 1, 3, 35, 200)))

    def part(value: Any) -> Decimal:
        return (money(value) * random.choice((0, 1, 3, 10, 12)) / 10).quantize(CENT)

    for row in some("erp_invoices"):
        other = random.choice(made["erp_invoices"])
        match random.randrange(12):
            case 0:
                row["stato"], row["causale"] = (
                    "SOSPESA",
                    random.choice((None, "CONTESTATO", "ATTESA_NC", "ALTRO")),
                )
                row["importo_sospeso"] = random.choice((None, part(row["importo_totale"])))
            case 1:
                row["stato"] = random.choice(("REGISTRATA", "LIQUIDATA", "RIFIUTATA", "ANNULLATA"))
            case 2:
                row["stato"] = "NON_LIQUIDABILE"
                row["importo_non_liquidabile"] = random.choice((None, part(row["importo_totale"])))
            case 3:
                row["data_scadenza"] = random.choice((None, nearby(row["data_scadenza"])))
            case 4:
                row["data_emissione"] = nearby(row["data_emissione"])
            case 5:
                row["numero"], row["piva_fornitore"] = other["numero"], other["piva_fornitore"]
                row["cf_fornitore"], row["data_emissione"] = other["cf_fornitore"], other["data_emissione"]
            case 6:
                row["id_pcc"], row["lotto_sdi"] = other["id_pcc"], random.choice((None, other["lotto_sdi"]))
            case 7:
                row["importo_totale"] = (money(row["importo_totale"]) * 2).quantize(CENT)
            case 8:
                row["split_payment"], row["iva"] = (
                    random.choice((None, True, False)),
                    random.choice((None, row["iva"])),
                )
            case 9:
                row["tipo_documento"] = random.choice(("TD01", "TD04", "TD08", "NOTA_CREDITO"))
            case 10:
                row["commerciale"] = random.choice((None, False))
            case _:
                row["data_ricezione"] = row["data_scadenza"] = None
    for row in some("pcc_invoices"):
        match random.randrange(9):
            case 0:
                row["importo_liquidato"], row["importo_pagato"] = ZERO, part(row["importo_totale"])
            case 1:
                row["importo_sospeso"] = part(row["importo_totale"])
                row["causale_sospensione"] = random.choice((None, "CONT", "ATTESA_NC", "ADEMPIMENTI"))
            case 2:
                row["importo_non_liquidabile"] = part(row["importo_totale"])
            case 3:
                row["stato_documento"] = random.choice(("RIFIUTATO", "RICEVUTO", "PAGATO", "CONTABILIZZATO"))
            case 4:
                row["data_scadenza"] = random.choice((None, nearby(row["data_scadenza"])))
            case 5:
                row["data_emissione"] = nearby(row["data_emissione"])
            case 6:
                row["split_payment"], row["codice_ufficio"] = random.choice((None, True, False)), None
            case 7:
                row["importo_pagato_non_commerciale"] = part(row["importo_totale"])
            case _:
                row["id_fiscale_iva"], row["data_ricezione"] = None, None
    for row in some("erp_payments"):
        row["data_pagamento"], row["importo"] = nearby(row["data_pagamento"]), part(row["importo"])
        row["cf_beneficiario"] = random.choice((None, row["cf_beneficiario"]))
    for row in some("pcc_operations"):
        row["data_operazione"] = nearby(row["data_operazione"])
        row["data_pagamento"] = random.choice((None, row["data_pagamento"]))
    suppliers = made.get("erp_invoices", ())
    for number in range(len(made.get("special_cases", ()))):
        old, new = random.choice(suppliers), random.choice(suppliers)
        made["special_cases"].append(
            {
                **dict.fromkeys(made["special_cases"][0]),
                "piva_fornitore": old["piva_fornitore"],
                "cf_fornitore": old["cf_fornitore"],
                "numero": random.choice((None, old["numero"])),
                "decorrenza": nearby(old["data_emissione"]),
                "caso": ("CONTENZIOSO", "NON_COMMERCIALE", "CESSIONE", "SUCCESSIONE", "PIGNORAMENTO")[number % 5],
                "nuovo_creditore_piva": new["piva_fornitore"],
                "nuovo_creditore_cf": new["cf_fornitore"],
            }
        )
    return made


def write_inbox(rows: Mapping[str, Sequence[Row]], inbox: Path, ente: str) -> None:
    """Write feeds as the files that `load_inbox` reads (ISO CSV with `;`), one per kind."""
    for kind, found in rows.items():
        if not found or kind == "lost":
            continue
        folder = inbox / ente / kind
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
            columns = dict.fromkeys(name for row in found for name in row if not name.startswith("_"))
            writer = csv.DictWriter(file, list(columns), delimiter=";", extrasaction="ignore")
            writer.writeheader()
            yes, no = ("SI", "NO") if kind == "pcc_invoices" else ("S", "N")
            for row in found:
                writer.writerow({name: yes if v is True else no if v is False else v for name, v in row.items()})
