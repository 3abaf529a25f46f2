"""docs/rules.md#rule-8: where the days of suspension come from, and the other reading of each rule (indicator_readings.csv)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from test_rules_base import Book, Seen
from test_rules_indicators import FEW, PAID, figures, pays

from pcc_pipeline import rules
from pcc_pipeline.calculator import relations

Reads = Callable[..., None]


@pytest.fixture
def reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Has the rule table give other readings, by name; what was reconciled before (`again`) takes them too."""

    def given(*again: Seen, **values: str) -> None:
        rows = [row | {"value": values.get(row["name"], row["value"])} for row in rules.rule_rows("indicator_readings")]
        for row in rows:
            assert row["name"] not in values or row["value"] in row["others"]
        file = tmp_path / "indicator_readings.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        monkeypatch.setattr(
            relations, "rule_path", lambda name: file if name == "indicator_readings" else rules.rule_path(name)
        )
        for seen in again:
            seen.found.other_readings()

    return given


def _means(seen: Seen, view: str = "right") -> tuple[Decimal, Decimal]:
    found = figures(seen, view)
    return found["TMP", "2025"], found["TMR", "2025"]


def test_a_payment_names_its_days(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, pcc=PAID)
    pays(book, "ONLY", 1000, "2025-03-20", giorni_sospensione=20)
    seen = book.reconciled(tmp_path)
    # 69 days from issue, 34 from due date; PCC was not told of the 20.
    assert _means(seen) == (49, 14)
    assert _means(seen, "pcc") == (69, 34)
    assert figures(seen)["ITP", "2025"] == 14


def test_without_movements_the_ledger_says_since_when(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, erp={"stato": "SOSPESA", "causale": "ATTESA_NC", "data_sospensione": "2025-06-01"})
    seen = book.reconciled(tmp_path)
    # To 31/12: 355 days from issue, 320 from due date, 213 of them suspended.
    assert _means(seen) == _means(seen, "projected") == (142, 107)
    assert _means(seen, "pcc") == (355, 320)


def test_without_movements_pcc_s_row_says_since_when(tmp_path: Path) -> None:
    book = Book()
    suspended = {"importo_sospeso": 1000, "causale_sospensione": "ATTNC", "data_sospensione_verifica": "2025-06-01"}
    book.both("ONLY", **FEW, pcc=suspended)
    seen = book.reconciled(tmp_path)
    assert _means(seen, "pcc") == (142, 107)


def test_movements_count_before_what_the_ledger_says_and_what_came_after_adds(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, erp={"stato": "SOSPESA", "causale": "ATTESA_NC", "data_sospensione": "2025-06-01"})
    # Twice said to be suspended, then lifted: from the first, 1/2, to 13/3: 40 days. And 213 from 1/6.
    book.moved("ONLY", "CO", "2025-02-01", 500, stato_debito="SOSP", causale="ATTNC")
    book.moved("ONLY", "CO", "2025-02-10", 500, stato_debito="SOSP", causale="ATTNC")
    book.moved("ONLY", "CO", "2025-03-13", 1000, stato_debito="LIQdaSOSP")
    seen = book.reconciled(tmp_path)
    assert _means(seen, "pcc")[0] == 315
    assert _means(seen)[0] == 355 - 40 - 213


def test_what_is_due_in_the_year_counts_whenever_it_was_received(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, data_emissione="2025-12-01", data_ricezione="2026-01-02", data_scadenza="2025-12-21")
    found = figures(book.reconciled(tmp_path))
    assert found["DELAY", "2025"] == 10
    assert ("TMR", "2025") not in found


def test_a_suspension_that_did_not_end_concerns_what_is_unpaid(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, pcc={"importo_pagato": 600, "importo_sospeso": 400, "causale_sospensione": "ATTNC"})
    book.moved("ONLY", "CO", "2025-02-01", 400, stato_debito="SOSP", causale="ATTNC")
    pays(book, "ONLY", 600, "2025-03-10")
    seen = book.reconciled(tmp_path)
    # 600 x 59 and 400 x (355 - 333): 44 200 over 1 000.
    assert _means(seen, "pcc")[0] == Decimal("44.20")


def test_in_the_right_view_the_ledger_says_what_is_suspended_now(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, pcc={"importo_sospeso": 1000, "causale_sospensione": "ATTNC"})
    book.moved("ONLY", "CO", "2025-06-01", 1000, stato_debito="SOSP", causale="ATTNC")
    seen = book.reconciled(tmp_path)
    # 213 days to 31/12, of which the ente knows nothing.
    assert _means(seen)[0] == 355
    assert _means(seen, "pcc")[0] == 142


def test_days_of_suspension_before_issue_or_after_the_end_are_no_days(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, pcc=PAID)
    book.moved("ONLY", "CO", "2025-01-01", 1000, stato_debito="SOSP", causale="CONT")
    book.moved("ONLY", "CO", "2025-01-20", 1000, stato_debito="LIQdaSOSP")
    book.moved("ONLY", "CO", "2025-03-01", 1000, stato_debito="SOSPdaLIQ", causale="CONT")
    book.moved("ONLY", "CO", "2025-04-01", 1000, stato_debito="LIQdaSOSP")
    pays(book, "ONLY", 1000, "2025-03-10")
    seen = book.reconciled(tmp_path)
    # 59 days from issue, less 10 (10/1 to 20/1) and 9 (1/3 to 10/3).
    assert _means(seen, "pcc") == (40, 24 - 19)


def test_a_due_date_told_after_the_suspension_is_not_counted_twice_in_the_right_view(tmp_path: Path) -> None:
    book = Book()
    book.both("ONLY", **FEW, erp={"data_scadenza": "2025-02-14"}, pcc={"data_scadenza": "2025-03-26", **PAID})
    book.moved("ONLY", "CO", "2025-02-01", 1000, stato_debito="SOSP", causale="CONT")
    book.moved("ONLY", "CO", "2025-03-13", 1000, stato_debito="LIQdaSOSP")
    book.moved("ONLY", "CS", "2025-03-14", 1000, data_scadenza="2025-03-26")
    pays(book, "ONLY", 1000, "2025-03-31")
    seen = book.reconciled(tmp_path)
    # 45 days from 14/2 less 40. PCC counts from the date that it was told, and takes the days off all the same.
    assert _means(seen)[1] == 5
    assert _means(seen, "pcc")[1] == 5 - 40


def _disputed() -> Book:
    """Disputed for 40 days from 1/2, paid on 31/3: 80 days from issue, 75 from reception, 45 from due date."""
    book = Book()
    book.both("ONLY", **FEW, pcc=PAID)
    book.moved("ONLY", "CO", "2025-02-01", 1000, stato_debito="SOSP", causale="CONT")
    book.moved("ONLY", "CO", "2025-03-13", 1000, stato_debito="LIQdaSOSP")
    pays(book, "ONLY", 1000, "2025-03-31", data_trasmissione="2025-03-28")
    return book


def test_the_other_readings_of_the_means(tmp_path: Path, reads: Reads) -> None:
    seen = _disputed().reconciled(tmp_path)
    assert _means(seen) == (40, 5)
    reads(seen, payment_time_from="RICEZIONE")
    assert _means(seen) == (35, 5)
    reads(seen, mean_suspension="SPOSTA_SCADENZA")
    assert (_means(seen), _means(seen, "pcc")) == ((80, 5), (80, 45))
    assert figures(seen)["ITP", "2025"] == 2
    reads(seen, itp_payment_day="QUIETANZA")
    assert figures(seen)["ITP", "2025"] == 5


def test_the_other_reading_of_the_running_year(tmp_path: Path, reads: Reads) -> None:
    book = Book()
    book.both("OPEN", **FEW)
    reads(pcc_unpaid_until="OSSERVAZIONE")
    seen = book.reconciled(tmp_path, reference_date=date(2025, 6, 30), observed_at=date(2025, 7, 10))
    assert _means(seen, "pcc") == (181, 146)


def test_the_other_readings_of_the_annual_delay(tmp_path: Path, reads: Reads) -> None:
    book = Book()
    # Received in 2024, due 21/1/2025 and paid 10 days late; received in 2024, due 21/1/2025 and paid in 2024, 30 days early.
    older = {"data_emissione": "2024-12-01", "data_ricezione": "2024-12-02", "data_scadenza": "2025-01-21"}
    book.both("OLDER", **FEW, **older, pcc=PAID)
    pays(book, "OLDER", 1000, "2025-01-31")
    book.both("BEFORE", **FEW, **older, pcc=PAID)
    pays(book, "BEFORE", 1000, "2024-12-22")
    # Received and due in 2025, paid 24 days late; due in 2026, paid 46 days early in 2025.
    book.both("DUE", **FEW, pcc=PAID)
    pays(book, "DUE", 1000, "2025-03-10")
    book.both("EARLY", **FEW, data_scadenza="2026-02-14", pcc=PAID)
    pays(book, "EARLY", 1000, "2025-12-30")
    seen = book.reconciled(tmp_path)

    def delay(year: str) -> Decimal:
        return figures(seen)["DELAY", year]

    # 10 - 30 + 24 - 46 over four; in 2024 the one paid in it.
    assert (delay("2025"), delay("2024")) == (Decimal("-10.50"), -30)
    reads(seen, delay_paid_before="NO")
    assert delay("2025") == Decimal("-4.00")
    reads(seen, delay_documents="RICEVUTI_E_SCADUTI")
    assert delay("2025") == 24
