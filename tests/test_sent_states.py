"""What became of what was sent: PCC's answers found by content, later feeds as proof, documents in flight left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import models

SUPPLIER = "IT00484960588"
ERP = {
    "id_documento": "D1", "tipo_documento": "TD01", "piva_fornitore": "00484960588", "numero": "12/A", "data_emissione": date(2025, 3, 4),
    "importo_totale": Decimal(1000), "data_scadenza": date(2025, 4, 4), "stato": "LIQUIDATA", "id_pcc": "1",
}  # fmt: skip
PCC = {
    "progressivo_registrazione": "1", "id_fiscale_iva": SUPPLIER, "tipo_documento": "TD01", "numero_documento": "12/A",
    "data_emissione": date(2025, 3, 4), "data_ricezione": date(2025, 3, 5), "importo_totale": Decimal(1000), "stato_documento": "RICEVUTO",
    "data_scadenza": date(2025, 4, 4), "codice_ufficio": "UF1", "cf_amministrazione": "00488410010",
}  # fmt: skip
#: Deliveries of tests.models come on the first, second, … of January 2026 (UTC).
SENT_ON_2 = datetime(2026, 1, 2, 12, tzinfo=UTC)


def sent(**values: Any) -> dict[str, Any]:
    line = {
        "operation_id": "a", "attempt": 1, "file": "F_0001.csv", "line": 8, "model": "003", "sent_at": SENT_ON_2, "step": 1,
        "code": "NOT_BOOKED", "id_documento": "D1", "progressivo_registrazione": "1", "azione": "CO", "importo": Decimal(1000),
        "stato_debito": "LIQ", "id_fiscale_iva": SUPPLIER, "numero_documento": "12/A", "data_emissione": date(2025, 3, 4),
        "importo_totale": Decimal(1000),
    }  # fmt: skip
    return line | values


def answer(**values: Any) -> dict[str, Any]:
    line = {name: value for name, value in sent().items()
            if name in ("model", "azione", "importo", "stato_debito", "progressivo_registrazione", "id_fiscale_iva")}  # fmt: skip
    return line | values


def states(
    tmp_path: Path, lines: list[dict[str, Any]], *later: tuple[str, list[dict[str, Any]]], **more: Any
) -> models.Reconciled:
    feeds = [("erp_invoices", [ERP]), ("pcc_invoices", [PCC]), *later]
    return models.reconcile(tmp_path, feeds, decided={"decided_sent_operations": lines}, **more)


def seen(found: models.Reconciled, *columns: str) -> list[tuple[Any, ...]]:
    return found.rows("sent_states", "operation_id", "attempt", "state", *columns)


def test_silence_keeps_the_document_in_flight(tmp_path: Path) -> None:
    without = states(tmp_path / "a", [])
    assert [row[0] for row in without.rows("operations", "azione")] == ["CO"]
    found = states(tmp_path / "b", [sent()])
    assert seen(found, "in_flight", "overdue") == [("a", 1, "sent", True, False)]
    assert found.rows("operations", "azione") == []
    # It is an alert once the days allowed have passed.
    late = states(tmp_path / "c", [sent()], observed_at=date(2026, 2, 15))
    assert seen(late, "overdue") == [("a", 1, "sent", True)]


def test_a_refused_line_returns_with_its_reason(tmp_path: Path) -> None:
    (again,) = states(tmp_path / "a", []).rows("operations", "operation_id")
    refused = ("pcc_outcomes", [answer(codice_segnalazione="E255", descrizione_segnalazione="natura errata")])
    found = states(tmp_path / "b", [sent(operation_id=again[0])], refused)
    assert seen(found, "reason", "in_flight") == [(again[0], 1, "refused", "natura errata", False)]
    assert found.rows("operations", "operation_id", "refused_reason") == [(again[0], "E255: natura errata")]


def test_an_accepted_line_waits_for_the_feed_that_shows_it(tmp_path: Path) -> None:
    accepted = ("pcc_outcomes", [answer()])
    assert seen(states(tmp_path / "a", [sent()], accepted), "in_flight") == [("a", 1, "accepted", True)]
    booked = PCC | {"stato_documento": "CONTABILIZZATO", "importo_liquidato": Decimal(1000)}
    found = states(tmp_path / "b", [sent()], accepted, ("pcc_invoices", [booked]))
    assert seen(found, "in_flight") == [("a", 1, "done", False)]
    # The movement proves it as well; one that was there before does not.
    movement = {
        "progressivo_registrazione": "1",
        "data_operazione": date(2026, 1, 5),
        "azione": "CO",
        "importo": Decimal(1000),
        "stato_debito": "LIQ",
    }
    assert seen(states(tmp_path / "c", [sent()], accepted, ("pcc_operations", [movement]))) == [("a", 1, "done")]
    before = states(
        tmp_path / "d",
        [sent(sent_at=datetime(2026, 1, 4, 12, tzinfo=UTC))],
        accepted,
        ("pcc_operations", [movement]),
        ("pcc_operations", [movement]),
    )
    assert seen(before) == [("a", 1, "sent")]


def test_a_file_kept_from_before_does_not_prove_anything(tmp_path: Path) -> None:
    found = states(tmp_path, [sent()], ("pcc_outcomes", [answer()]), ("pcc_invoices", [PCC]))
    assert seen(found) == [("a", 1, "accepted")]


def test_part_of_a_document_refused(tmp_path: Path) -> None:
    payment = {
        "azione": "CP",
        "stato_debito": None,
        "numero_mandato": "0077",
        "data_mandato": date(2025, 12, 1),
        "id_fiscale_beneficiario": SUPPLIER,
    }
    lines = [sent(), sent(operation_id="b", step=2, line=9, **payment)]
    answers = [
        answer(),
        answer(**payment | {"numero_mandato": "77"}, codice_segnalazione="E300", descrizione_segnalazione="conto"),
    ]
    found = states(tmp_path / "a", lines, ("pcc_outcomes", answers))
    assert seen(found) == [("a", 1, "accepted"), ("b", 1, "refused")]
    assert found.rows("operations", "azione") == []
    booked = PCC | {"stato_documento": "CONTABILIZZATO", "importo_liquidato": Decimal(1000)}
    found = states(tmp_path / "b", lines, ("pcc_outcomes", answers), ("pcc_invoices", [booked]))
    assert seen(found) == [("a", 1, "done"), ("b", 1, "refused")]


def test_an_answer_belongs_to_the_attempt_before_it(tmp_path: Path) -> None:
    lines = [sent(), sent(attempt=2, file="F_0002.csv", sent_at=datetime(2026, 1, 3, 12, tzinfo=UTC))]
    refused = ("pcc_outcomes", [answer(codice_segnalazione="E1")])
    assert seen(states(tmp_path / "a", lines, refused)) == [("a", 1, "refused"), ("a", 2, "sent")]
    found = states(tmp_path / "b", lines, refused, ("pcc_outcomes", [answer()]))
    assert seen(found) == [("a", 1, "refused"), ("a", 2, "accepted")]


def test_answers_that_say_neither_or_belong_to_nothing(tmp_path: Path) -> None:
    odd = ("pcc_outcomes", [answer(codice_segnalazione="X7", descrizione_segnalazione="boh"), answer(importo=Decimal(7))])
    found = states(tmp_path, [sent()], odd)
    assert seen(found, "answer_code") == [("a", 1, "sent", "X7")]
    assert found.rows("sent_answers", "operation_id", "outcome") == [("a", "unclear"), (None, "accepted")]


def test_a_due_date_a_refusal_a_reception(tmp_path: Path) -> None:
    cs = sent(azione="CS", stato_debito=None, data_scadenza=date(2025, 6, 1))
    rf = sent(operation_id="b", azione="RF", stato_debito=None, importo=None)
    rc = sent(operation_id="c", azione="RC", stato_debito=None, importo=None)
    after = PCC | {"data_scadenza": date(2025, 6, 1), "stato_documento": "RIFIUTATO"}
    assert seen(states(tmp_path, [cs, rf, rc], ("pcc_invoices", [after]))) == [
        ("a", 1, "done"),
        ("b", 1, "done"),
        ("c", 1, "done"),
    ]


def test_a_document_outside_sdi_is_done_when_pcc_has_it(tmp_path: Path) -> None:
    line = sent(model="002", progressivo_registrazione=None, id_documento="D2", numero_documento="FT 12/2025")
    assert seen(states(tmp_path / "a", [line])) == [("a", 1, "sent")]
    new = PCC | {"progressivo_registrazione": "9", "numero_documento": "12"}
    assert seen(states(tmp_path / "b", [line], ("pcc_invoices", [new]))) == [("a", 1, "done")]


def test_the_days_allowed_are_those_of_italy(tmp_path: Path) -> None:
    late = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)  # in Italy the 3rd
    for observed_at, overdue in ((date(2026, 2, 2), False), (date(2026, 2, 3), True)):
        found = states(tmp_path / f"{observed_at}", [sent(sent_at=late)], observed_at=observed_at)
        assert seen(found, "overdue") == [("a", 1, "sent", overdue)]
