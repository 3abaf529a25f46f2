"""Payment orders and cash journals: what is read of them, what is refused, and what they pay of which document.

Worked by hand: orders of several invoices, paid in part, varied, cancelled, substituted; credit notes used.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opi_flows import beneficiary, flow, invoice, journal, movement, order, read, rows

SUPPLIER, OTHER = "01234567897", "09876543217"


def _document(key: str, number: str, total: str, **more: Any) -> dict[str, Any]:
    return {
        "id_documento": key,
        "tipo_documento": "TD01",
        "piva_fornitore": SUPPLIER,
        "numero": number,
        "data_emissione": date(2025, 1, 10),
        "importo_totale": Decimal(total),
        "stato": "LIQUIDATA",
        **more,
    }


def _reconciled(tmp_path: Path, documents: list[dict[str, Any]], *flows: str, more: Any = ()) -> models.Reconciled:
    delivered = [("erp_opi", rows(tmp_path, content)) for content in flows]
    return models.reconcile(tmp_path / "home", [("erp_invoices", documents), *more, *delivered])


def _paid(got: models.Reconciled) -> list[tuple[Any, ...]]:
    return got.rows(
        "payments",
        "id_documento",
        "numero_mandato",
        "data_pagamento::text",
        "importo::text",
        "storno",
    )


def _states(got: models.Reconciled) -> list[tuple[Any, ...]]:
    return got.rows("opi_payments", "stato", "numero_mandato", "importo::text")


ONE = [_document("D1", "FT 1/2025", "100", lotto_sdi="7001")]
ORDER = order(5, beneficiary(invoice("1", "100.00"), "100.00"))


def test_an_order_counts_only_when_the_journal_says_so(tmp_path: Path) -> None:
    waiting = _reconciled(tmp_path / "a", ONE, flow(ORDER)) if (tmp_path / "a").mkdir() is None else None
    assert waiting and not _paid(waiting)
    assert _states(waiting) == [("NOT_EXECUTED", "5", "100.00")]
    (tmp_path / "b").mkdir()
    done = _reconciled(tmp_path / "b", ONE, flow(ORDER), journal(movement(5, "100.00", "2025-03-04")))
    assert _paid(done) == [("D1", "5", "2025-03-04", "100.00", False)]


def test_the_journal_may_come_before_the_order(tmp_path: Path) -> None:
    got = _reconciled(tmp_path, ONE, journal(movement(5, "100.00", "2025-03-04")), flow(ORDER))
    assert _paid(got) == [("D1", "5", "2025-03-04", "100.00", False)]


def test_an_order_of_several_invoices_beneficiaries_and_a_credit_note(tmp_path: Path) -> None:
    documents = [
        _document("D1", "1", "100", lotto_sdi="7001"),
        _document("D2", "2", "60", lotto_sdi="7002"),
        _document("N1", "9", "20", tipo_documento="TD04", lotto_sdi="7003"),
        _document("D3", "1", "50", piva_fornitore=OTHER),
    ]
    paid = beneficiary(
        invoice("1", "100.00") + invoice("2", "60.00", "7002") + invoice("9", "-20.00", "7003"), "140.00"
    ) + beneficiary(invoice("0001", "50.00", None, supplier=OTHER), "50.00", 2, piva=OTHER)
    got = _reconciled(
        tmp_path,
        documents,
        flow(order(5, paid)),
        journal(movement(5, "140.00", "2025-03-04"), movement(5, "50.00", "2025-03-06", place=2, receipt=2)),
    )
    assert _paid(got) == [
        ("D1", "5", "2025-03-04", "100.00", False),
        ("D2", "5", "2025-03-04", "60.00", False),
        ("D3", "5", "2025-03-06", "50.00", False),
        ("N1", "5", "2025-03-04", "20.00", False),  # the note is used, not taken back
    ]


def test_an_order_paid_in_part_pays_its_invoices_in_proportion(tmp_path: Path) -> None:
    documents = [_document("D1", "1", "100", lotto_sdi="7001"), _document("D2", "2", "50", lotto_sdi="7002")]
    whole = order(5, beneficiary(invoice("1", "100.00") + invoice("2", "50.00", "7002"), "150.00"))
    got = _reconciled(tmp_path, documents, flow(whole), journal(movement(5, "100.00", "2025-03-04")))
    assert [(row[0], row[3]) for row in _paid(got)] == [("D1", "66.67"), ("D2", "33.33")]
    (tmp_path / "rest").mkdir()
    rest = journal(movement(5, "100.00", "2025-03-04"), movement(5, "50.00", "2025-03-09", receipt=2))
    got = _reconciled(tmp_path / "rest", documents, flow(whole), rest)
    totals = got.rows("payments", "id_documento, sum(importo)::text", where="true group by id_documento")
    assert totals == [("D1", "100.00"), ("D2", "50.00")]


def test_a_varied_order_pays_what_it_says_last(tmp_path: Path) -> None:
    documents = [_document("D1", "1", "100", lotto_sdi="7001"), _document("D2", "2", "100", lotto_sdi="7002")]
    varied = order(5, beneficiary(invoice("2", "100.00", "7002"), "100.00"), operation="VARIAZIONE")
    flows = [
        flow(varied, made="2025-03-02T09:00:00"),
        flow(ORDER),
        journal(movement(5, "100.00", "2025-03-04")),
    ]
    assert [row[0] for row in _paid(_reconciled(tmp_path, documents, *flows))] == ["D2"]  # in whichever order they come


def test_a_cancelled_order_is_not_paid(tmp_path: Path) -> None:
    gone = flow(
        order(5, beneficiary(invoice("1", "100.00"), "100.00"), operation="ANNULLO"),
        made="2025-03-02T09:00:00",
    )
    got = _reconciled(tmp_path, ONE, flow(ORDER), gone)
    assert not _paid(got)
    assert _states(got) == [("CANCELLED", "5", "100.00")]


def test_a_cancelled_beneficiary_leaves_the_other(tmp_path: Path) -> None:
    documents = [_document("D1", "1", "100", lotto_sdi="7001"), _document("D2", "2", "40", lotto_sdi="7002")]
    second = beneficiary(invoice("2", "40.00", "7002"), "40.00", 2)
    both = flow(order(5, beneficiary(invoice("1", "100.00"), "100.00") + second))
    gone = flow(order(5, second, operation="ANNULLO"), made="2025-03-02T09:00:00")
    got = _reconciled(tmp_path, documents, both, gone, journal(movement(5, "100.00", "2025-03-04")))
    assert [row[0] for row in _paid(got)] == ["D1"]
    assert ("CANCELLED", "5", "40.00") in _states(got)


def test_a_payment_taken_back_is_a_reversal(tmp_path: Path) -> None:
    got = _reconciled(
        tmp_path,
        ONE,
        flow(ORDER),
        journal(
            movement(5, "100.00", "2025-03-04"),
            movement(5, "-100.00", "2025-03-10", operation="STORNATO", receipt=2),
        ),
    )
    assert _paid(got) == [
        ("D1", "5", "2025-03-04", "100.00", False),
        ("D1", "5", "2025-03-10", "100.00", True),
    ]
    assert got.rows("erp_documents", "paid_at_observation::text") == [("0.00",)]


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_substituted_order_pays_once(tmp_path: Path, taken_back: bool) -> None:
    new = order(8, beneficiary(invoice("1", "100.00"), "100.00"), operation="SOSTITUZIONE", replaces=5)
    movements = [movement(5, "100.00", "2025-03-04"), movement(8, "100.00", "2025-03-20", receipt=2)]
    if taken_back:
        movements.append(movement(5, "100.00", "2025-03-20", operation="STORNATO", receipt=3))
    got = _reconciled(tmp_path, ONE, flow(ORDER), flow(new, made="2025-03-15T08:00:00"), journal(*movements))
    assert got.rows("erp_documents", "paid_at_observation::text") == [("100.00",)]


def test_what_the_accounting_system_has_is_not_counted_twice(tmp_path: Path) -> None:
    payment = {
        "id_documento": "D1",
        "numero_mandato": "0005/2025",
        "data_mandato": date(2025, 3, 1),
        "data_pagamento": date(2025, 3, 5),
        "importo": Decimal(100),
    }
    got = _reconciled(
        tmp_path,
        ONE,
        flow(ORDER),
        journal(movement(5, "100.00", "2025-03-04")),
        more=[("erp_payments", [payment])],
    )
    assert [(row[1], row[2]) for row in _paid(got)] == [("0005/2025", "2025-03-05")]
    assert _states(got) == [("ALREADY_IN_ERP", "5", "100.00")]


def test_the_same_journal_day_told_twice_pays_once(tmp_path: Path) -> None:
    day = journal(movement(5, "100.00", "2025-03-04"))
    month = journal(movement(5, "100.00", "2025-03-04"), movement(6, "1.00", "2025-03-30"))
    got = _reconciled(tmp_path, ONE, flow(ORDER), day, month)
    assert [row[3] for row in _paid(got)] == ["100.00"]
    assert ("UNKNOWN_ORDER", "6", "1.00") in _states(got)


def test_what_is_not_matched_stays_visible(tmp_path: Path) -> None:
    documents = [
        *ONE,
        _document("A1", "7", "30"),
        _document("A2", "7", "31", data_emissione=date(2025, 2, 1)),
    ]
    blocks = (
        order(5, beneficiary(invoice("404", "100.00"), "100.00"))
        + order(6, beneficiary(invoice("7", "30.00", None), "30.00"))
        + order(7, beneficiary(invoice("1", "22.00"), "22.00", debt="IVA"))
        + order(8, beneficiary("", "10.00"))
    )
    amounts = {5: "100.00", 6: "30.00", 7: "22.00", 8: "10.00"}
    got = _reconciled(
        tmp_path,
        documents,
        flow(blocks),
        journal(*(movement(n, amount, "2025-03-04") for n, amount in amounts.items())),
    )
    assert not _paid(got)
    assert _states(got) == [
        ("NOT_COMMERCIAL", "7", "22.00"),
        ("NO_DOCUMENT", "5", "100.00"),
        ("NO_INVOICE", "8", "10.00"),
        ("SEVERAL_DOCUMENTS", "6", "30.00"),
    ]


def test_the_lot_leads_through_pcc_where_the_accounting_system_does_not_keep_it(tmp_path: Path) -> None:
    on_pcc = {
        "progressivo_registrazione": "P1",
        "lotto_sdi": "7001",
        "id_fiscale_iva": f"IT{SUPPLIER}",
        "tipo_documento": "TD01",
        "numero_documento": "1",
        "data_emissione": date(2025, 1, 11),
        "importo_totale": Decimal(100),
        "stato_documento": "CONTABILIZZATO",
        "importo_liquidato": Decimal(100),
    }
    # Paid to an assignee: the beneficiary is not the supplier.
    paid = flow(order(5, beneficiary(invoice("1", "100.00"), "100.00", piva=OTHER)))
    got = _reconciled(
        tmp_path,
        [_document("D1", "1/2025", "100")],
        paid,
        journal(movement(5, "100.00", "2025-03-04", place=None)),
        more=[("pcc_invoices", [on_pcc])],
    )
    assert [row[0] for row in _paid(got)] == ["D1"]


def test_collections_and_pending_items_are_left_out(tmp_path: Path) -> None:
    text = journal(
        movement(5, "1.00", "2025-03-04", kind="REVERSALE"),
        movement(5, "1.00", "2025-03-04", kind="SOSPESO USCITA"),
    )
    sink, counts = read(tmp_path, "erp_opi", text)
    assert not sink.good and not sink.bad and counts.refused == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><flusso_ordinativi>&a;</flusso_ordinativi>',
            "DOCTYPE",
        ),
        ("<altro/>", "né ordinativi"),
        ("", "non contiene XML"),
        ("mandato;importo", "non contiene XML"),
        ("\x00\x01\x02", "non contiene XML"),
    ],
)
def test_other_files_are_refused_whole(tmp_path: Path, content: str, reason: str) -> None:
    sink, counts = read(tmp_path, "erp_opi", content)
    assert (counts.rows, counts.refused) == (0, 1)
    assert reason in sink.bad[0]["reason"]


def test_a_file_cut_short_gives_what_is_whole_and_says_where_it_ends(tmp_path: Path) -> None:
    text = flow(ORDER + "\n", order(6, beneficiary(invoice("1", "3.00"), "3.00")))
    sink, _ = read(tmp_path, "erp_opi", text[: text.index("numero_mandato>0000006")])
    assert [row["numero_mandato"] for row in sink.good] == ["5"]
    assert sink.bad[0]["line"] == 2 and "malformato" in sink.bad[0]["reason"]


def test_a_bad_value_costs_its_row_alone(tmp_path: Path) -> None:
    text = flow(ORDER + "\n", order(6, beneficiary(invoice("1", "3,0,0"), "3.00")), order(7, "", operation="BOH"))
    sink, counts = read(tmp_path, "erp_opi", text)
    assert [row["numero_mandato"] for row in sink.good] == ["5"]
    assert counts.refused == 2
    assert {(bad["line"], bad["field"], bad["value"]) for bad in sink.bad} >= {
        (2, "importo", "3,0,0"),
        (2, "tipo_operazione", "BOH"),
    }


money = st.decimals(min_value="0.01", max_value="99999.99", places=2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(money, min_size=1, max_size=5),
    st.integers(1, 999999),
    st.dates(date(2020, 1, 1), date(2026, 1, 1)),
)
def test_written_and_read_back(tmp_path: Path, amounts: list[Decimal], number: int, day: date) -> None:
    blocks = "".join(invoice(f"N/{place}", str(amount)) for place, amount in enumerate(amounts))
    text = flow(order(number, beneficiary(blocks, str(sum(amounts))), day=day.isoformat()))
    read_back = rows(tmp_path, text)
    assert [row["importo"] for row in read_back] == amounts
    assert {(row["numero_mandato"], row["data_mandato"]) for row in read_back} == {(str(number), day)}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(money, min_size=1, max_size=4), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_executed_in_any_parts_every_block_gets_its_own(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[Decimal], weights: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    total = sum(amounts, Decimal(0))
    parts, left = [], total
    for weight in weights[:-1]:
        part = min(left, (total * weight / 20).quantize(Decimal("0.01")))
        parts.append(part)
        left -= part
    parts.append(left)
    documents = [_document(f"D{n}", f"{n}", str(amount), lotto_sdi="7001") for n, amount in enumerate(amounts)]
    blocks = "".join(invoice(str(n), str(amount)) for n, amount in enumerate(amounts))
    movements = [movement(5, str(part), "2025-03-04", receipt=n) for n, part in enumerate(parts, 1) if part]
    got = _reconciled(folder, documents, flow(order(5, beneficiary(blocks, str(total)))), journal(*movements))
    per_document = dict(got.rows("opi_payments", "id_documento, sum(importo)", where="true group by id_documento"))
    assert per_document == {f"D{n}": amount for n, amount in enumerate(amounts)}
    assert got.rows("opi_payments", "sum(importo)", where="true group by row_id") == sorted(
        ((part,) for part in parts if part), key=lambda row: str(row[0])
    )
