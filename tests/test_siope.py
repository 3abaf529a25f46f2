"""Payments that SIOPE+ carries to PCC by itself, payments that PCC has twice, and what is suspended for a cause PCC has no kind for.

docs/rules.md#rule-11-siope. Each document is paid whole by one order; the flows say what the order named.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import models
import pytest
from opi_flows import beneficiary, flow, invoice, journal, movement, order, rows
from test_rules_base import Book

LOT, SUPPLIER = "9990001001", "01234567897"


def _seen(home: Path, *, number: str = "77", lot: str = LOT, day: str = "2026-01-08", **facts: Any) -> models.Reconciled:
    """One invoice, 77 of lot 9990001001 (the ledger keeps no lot), paid by order 5; the order names it so, unless said."""
    book = Book()
    book.erp("A", piva_fornitore=SUPPLIER, numero="77")
    book.pcc("A", id_fiscale_iva=SUPPLIER, numero_documento="77", lotto_sdi=LOT, stato_documento="CONTABILIZZATO")
    flows = [
        flow(
            order(5, beneficiary(invoice(number, "1220.00", lot), "1220.00"), day=day),
            made=f"{day}T10:00:00",
            year=int(day[:4]),
        ),
        journal(movement(5, "1220.00", day), year=int(day[:4])),
    ]
    home.mkdir(exist_ok=True)
    # PCC's row comes on the 20th delivery: its feed of 20 January.
    told = [("erp_opi", rows(home, one)) for one in flows]
    feeds = [
        ("erp_invoices", book.feeds["erp_invoices"]),
        *told,
        *[("budgets", [])] * 16,
        ("pcc_invoices", book.feeds["pcc_invoices"]),
    ]
    known = {"siope_plus": True, "siope_plus_dal": date(2018, 1, 1), "modelli_pcc": "AREA_RGS"}
    return models.reconcile(home / "seen", feeds, **(known | facts))


def _asked(seen: models.Reconciled) -> list[tuple[Any, ...]]:
    return seen.rows("questions", "code", "addressee", "question like '%5 del 08/01/2026%SIOPE+%'", "remaining")


def test_nothing_is_told_while_siope_still_carries_it_and_its_own_words_say_so(tmp_path: Path) -> None:
    seen = _seen(tmp_path)
    assert seen.rows("operations", "azione") == []
    # Paid after D: nothing is at stake in the stock at D.
    assert _asked(seen) == [("PAID_NOT_REPORTED", "OPERATORE", True, 0)]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"day": "2026-01-02"}, "atteso da SIOPE+ e non arrivato"),
        ({"number": "0077"}, "l'ordinativo riporta un altro numero di fattura"),
        ({"lot": "9990001002"}, "l'ordinativo riporta un altro lotto SDI, o nessuno"),
        ({"siope_plus": None}, "verificare prima se SIOPE+ lo ha già comunicato"),
        ({"siope_plus": False}, None),
        ({"siope_plus_dal": date(2026, 1, 9)}, None),
    ],
    ids=["15 days passed", "another number", "another lot", "not known", "not on it", "not yet on it"],
)  # fmt: skip
def test_an_ip_says_what_the_order_lacked(tmp_path: Path, how: dict[str, Any], words: str | None) -> None:
    seen = _seen(tmp_path, **how)
    ((action, said),) = seen.rows("operations", "azione", "descrizione")
    assert action == "IP"
    assert said.partition("; ")[2] == (words or "")


def test_the_same_payment_twice_on_pcc_is_asked_as_such(tmp_path: Path) -> None:
    book = Book()
    for document in ("TWICE", "MORE"):
        book.both(document, pcc={"stato_documento": "CONTABILIZZATO", "importo_pagato": 1000})
        book.paid(document, 500, numero_mandato="7")
        book.moved(document, "CP", "2025-03-10", 500, numero_mandato="7")
        book.moved(document, "CP", "2025-03-18" if document == "TWICE" else "2025-06-01", 500, numero_mandato="0000007/25")
    seen = book.reconciled(tmp_path, modelli_pcc="AREA_RGS").found
    asked = dict(seen.rows("questions", "id_documento", "question like '%due volte%500,00 euro del 18/03/2025%'"))
    assert asked == {"TWICE": True, "MORE": False}
    assert {code for (code,) in seen.rows("anomalies", "code")} == {"PAID_TOO_MUCH_ON_PCC"}


@pytest.mark.parametrize("spoken", ["AREA_RGS", "003"])
def test_a_cause_of_which_pcc_has_no_kind_is_asked_in_its_own_words(tmp_path: Path, spoken: str) -> None:
    book = Book()
    suspended = {"stato": "SOSPESA", "causale": "ATTESA_NC", "importo_sospeso": 300, "data_sospensione": "2025-03-01"}
    book.both("A", erp=suspended, pcc={"stato_documento": "CONTABILIZZATO"})
    seen = book.reconciled(tmp_path, modelli_pcc=spoken).found
    asked = seen.rows("questions", "code", "addressee", "question like '%300,00 euro (in attesa di nota di credito)%'")
    assert asked == ([("SUSPENSION_NOT_REPORTED", "ENTE", True)] if spoken == "AREA_RGS" else [])
    assert seen.rows("operations", "azione") == ([] if spoken == "AREA_RGS" else [("CO",)])
    assert seen.rows("suspension_kinds", "kind", "erp_amount", "erp_since::varchar", "pcc_amount") == [
        ("other", 300, "2025-03-01", 0)
    ]
