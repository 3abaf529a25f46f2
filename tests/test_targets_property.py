"""Random documents: the state that each shall have, told in either language, is the state that PCC then has.

Today's rows are taken by the strict double of Area RGS, movements by the strict ledger of Modello 003; both know nothing of
the writers. One reconciliation holds many documents, each drawn alone.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import models
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger import Ledger
from platform_today import KINDS, Platform
from test_operations_ledger import breaches, operations_of
from test_rules_base import Book

from pcc_pipeline.formats.pcc import files
from pcc_pipeline.tables import MODELS

DOCUMENTS = 40
USER = "RSSMRA80A01H501U"
#: Two steps that PCC answers apart: receptions and changes of VAT regime, then all else (docs/rules.md#rule-11-order).
FIRST = ("RC", "MI")


def _book(seed: int, *, kinds: bool = True) -> Book:
    """Documents drawn by chance: what PCC has set or paid of each (its feed tells kinds, or a cause), and what the ledger says."""
    chance, book = Random(seed), Book()
    for number in range(DOCUMENTS):
        name = f"D{number:02}"
        total = Decimal(chance.randrange(10_000, 200_000)) / 100
        vat = (total * 18 / 100).quantize(Decimal("0.01"))
        note, split = chance.random() < 0.1, chance.random() < 0.2
        shared = {"tipo_documento": "TD04" if note else "TD01", "importo_totale": total}
        pcc, paid_there = _on_pcc(chance, total, kinds=kinds)
        erp, paid = _in_the_ledger(chance, total - vat if split else total, note=note)
        book.both(
            name,
            erp={"imponibile": total - vat, "iva": vat, "split_payment": split, **erp},
            pcc={"importo_imponibile": total - vat, "totale_imposta": vat, "lotto_sdi": f"99900{number:05}", **pcc},
            **shared,
        )
        if paid_there:
            book.moved(name, "CP", "2025-02-20", paid_there, numero_mandato=f"{number}1", data_pagamento="2025-02-20")
            book.paid(name, paid_there, "2025-02-20", numero_mandato=f"{number}1")
        if paid > paid_there:
            book.paid(name, paid - paid_there, "2025-06-10", numero_mandato=f"{number}2", data_mandato="2025-06-05")
    return book


def _part(chance: Random, amount: Decimal) -> Decimal:
    """Nothing, a part or all of an amount."""
    return chance.choice([Decimal(0), amount, (amount * chance.randrange(1, 100) / 100).quantize(Decimal("0.01"))])


def _on_pcc(chance: Random, total: Decimal, *, kinds: bool) -> tuple[dict[str, Any], Decimal]:
    """PCC's row, and what it has as paid."""
    left = total * Decimal("0.5")  # so that split payment, told later, finds room
    amounts: dict[str, Decimal] = {}
    for name in ("contenzioso", "contestazione", "verifica", "non_liquidabile", "pagato"):
        amounts[name] = _part(chance, left.quantize(Decimal("0.01"))) if chance.random() < 0.3 else Decimal(0)
        left -= amounts[name]
    row: dict[str, Any] = {f"importo_{name}": amounts[name] for name in ("non_liquidabile", "pagato")}
    row["importo_sospeso"] = sum((amounts[kind] for kind in KINDS), Decimal(0))
    if not kinds:
        row["causale_sospensione"] = chance.choice(["CONT", "ATTNC"]) if row["importo_sospeso"] else None
    for kind in KINDS if kinds else ():
        row[f"importo_sospeso_{kind}"] = amounts[kind]
        row[f"data_sospensione_{kind}"] = f"2025-02-{chance.randrange(1, 20):02}" if amounts[kind] else None
    worked = row["importo_sospeso"] + row["importo_non_liquidabile"] + amounts["pagato"]
    row["stato_documento"] = "CONTABILIZZATO" if worked else chance.choice(["PRESENTATO", "RICEVUTO"])
    row["data_scadenza"] = chance.choice(["2025-02-14", "2025-03-31", None])
    return row, amounts["pagato"]


def _in_the_ledger(chance: Random, owed: Decimal, *, note: bool) -> tuple[dict[str, Any], Decimal]:
    """The ledger's row and what it paid by then."""
    states = ["REGISTRATA", "LIQUIDATA"] if note else ["REGISTRATA", "LIQUIDATA", "SOSPESA", "NON_LIQUIDABILE", "RIFIUTATA"]
    state = chance.choice(states)
    row: dict[str, Any] = {"stato": state}
    paid = Decimal(0) if state == "RIFIUTATA" else _part(chance, owed)
    if state == "SOSPESA":
        cause = chance.choice(["CONTESTATO", "CONTENZIOSO", "ADEMPIMENTI"])
        row |= {"causale": cause, "importo_sospeso": _part(chance, owed - paid) or None, "data_sospensione": "2025-02-03"}
    row["importo_non_liquidabile"] = _part(chance, owed - paid) if chance.random() < 0.2 and state != "SOSPESA" else None
    return row, paid


def _targets(seen: models.Reconciled) -> dict[str, dict[str, Any]]:
    """The target of each document that has operations, by PCC's key."""
    names = MODELS["document_targets"].column_names
    told = {row["progressivo_registrazione"] for row in operations_of(seen)}
    rows = [dict(zip(names, row, strict=True)) for row in seen.rows("document_targets", *names)]
    return {row["progressivo_registrazione"]: row for row in rows if row["progressivo_registrazione"] in told}


def _uploaded(platform: Platform, operations: list[dict[str, Any]]) -> None:
    """Hands the rows over as files: what goes first, amounts, payments. PCC must take each row."""
    for first in (True, False):
        for model in ("area_rgs_importi", "area_rgs_pagamenti"):
            rows = [row for row in operations if row["model"] == model and (row["azione"] in FIRST) is first]
            if rows:
                platform.upload(files.write(model, USER, [files.texts_of(row) for row in rows]))
    refused = [told for told in platform.told if told[-1] != ("", "")]
    assert not refused, refused


@settings(max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000))
def test_rows_lead_to_the_target(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    book = _book(seed)
    seen = models.reconcile(tmp_path_factory.mktemp("rows"), book.feeds, modelli_pcc="AREA_RGS")
    assert breaches(seen) == []
    names = MODELS["stg_pcc_invoices"].column_names
    platform = Platform.of(
        [dict(zip(names, row, strict=True)) for row in seen.rows("stg_pcc_invoices", *names)], models.OBSERVED_AT
    )
    _uploaded(platform, operations_of(seen))
    found, wanted = {}, {}
    for key, target in _targets(seen).items():
        document = platform.documents[key]
        if target["rejected"]:
            found[key], wanted[key] = document.state, "RIFIUTATO"
            continue
        offset = target["offset_lacking"] or Decimal(0)
        note = "CREDIT_NOTE_OPEN" in target["codes"]
        wanted[key] = {
            "non_commercial": target["non_commercial"],
            "suspended": {
                kind: target[f"suspended_{name}"] for kind, name in zip(KINDS, ("lawsuit", "contested", "check"), strict=True)
            },
            "starts": {
                kind: target[f"{name}_from"] for kind, name in zip(KINDS, ("lawsuit", "contested", "check"), strict=True)
            },
            "not_payable": target["not_payable"] + offset,
            "paid": target["paid"] + (Decimal(0) if note else target["payments_lacking"]),
            "due": target["due_date"] or document.row["data_scadenza"],
            "commercial": target["commercial_amount"] - target["treasury_vat"],
        }
        found[key] = {
            "non_commercial": document.non_commercial, "suspended": document.suspended, "starts": document.starts,
            "not_payable": document.not_payable, "paid": document.paid("C") + document.paid("NC"),
            "due": document.row["data_scadenza"], "commercial": document.commercial,
        }  # fmt: skip
    assert len(found) > DOCUMENTS // 3
    assert found == wanted


@settings(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10_000))
def test_movements_lead_to_the_target(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    book = _book(seed, kinds=False)
    seen = models.reconcile(tmp_path_factory.mktemp("moves"), book.feeds, modelli_pcc="003")
    assert breaches(seen) == []
    pcc = Ledger(list(book.feeds["pcc_invoices"]), models.OBSERVED_AT)
    for operation in operations_of(seen):
        pcc.take(operation)
    found, wanted = {}, {}
    for key, target in _targets(seen).items():
        if target["rejected"]:
            continue
        accounts = pcc.documents[key].accounts
        kinds = ("lawsuit", "contested", "check", "other")
        wanted[key] = {
            "sospeso": sum((target[f"suspended_{name}"] for name in kinds), Decimal(0)),
            "non_liquidabile": target["not_payable"] + target["treasury_vat"],
            "pagato": target["paid"] + target["payments_lacking"],
        }
        found[key] = {name: accounts[name] for name in wanted[key]}
    assert len(found) > DOCUMENTS // 3
    assert found == wanted
