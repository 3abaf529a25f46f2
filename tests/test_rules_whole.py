"""Whole deliveries, and those that look whole (docs/rules.md#rule-12): what later deliveries do not have any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
from test_rules_base import Book, Seen

from pcc_pipeline.checks.reconciliations import RECONCILIATIONS

Said = Mapping[str, Any]
WHOLE: Said = {"whole": True}


class Story:
    """Deliveries one after the other; `deliver` closes one and says what is said of each of its kinds."""

    def __init__(self) -> None:
        self.book = Book()
        self.delivered: list[tuple[str, list[dict[str, Any]]]] = []
        self.said: dict[int, Said] = {}

    def deliver(self, **said: Said) -> None:
        for kind, rows in self.book.feeds.items():
            self.delivered.append((kind, rows))
            if kind in said:
                self.said[len(self.delivered)] = said[kind]
        self.book.feeds = {}

    def told(self, tmp_path: Path, **more: Any) -> Seen:
        return Seen(models.reconcile(tmp_path, self.delivered, said=self.said, **more))


def _documents(*later: str, said: Said | None = None) -> Story:
    """Four documents, A on PCC too; then a delivery of those named `later`."""
    story = Story()
    for document in ("A", "B", "C", "D"):
        story.book.erp(document, stato="LIQUIDATA")
    story.book.pcc("A", stato_documento="CONTABILIZZATO", importo_liquidato=1220)
    story.deliver()
    for document in later:
        story.book.erp(document, stato="LIQUIDATA")
    story.deliver(**({"erp_invoices": said} if said else {}))
    return story


def _answered(document: str, answer: str, day: int = 15) -> dict[str, Any]:
    moment = datetime(2026, 1, day, tzinfo=UTC)
    return {"code": "GONE_FROM_ERP", "id_documento": document, "answer": answer, "decided_at": moment}


def _asked(seen: Seen) -> list[str | None]:
    return [own for (own,) in seen.found.rows("questions", "id_documento", where="code = 'GONE_FROM_ERP'")]


def _operations(seen: Seen) -> set[str]:
    return {own for (own,) in seen.found.rows("operations", "id_documento")}


def test_what_a_whole_delivery_lacks_is_out_of_the_figures_and_asked(tmp_path: Path) -> None:
    seen = _documents("A", "C", "D", said=WHOLE).told(tmp_path)
    assert seen.found.stock("right") == 3 * 1220
    assert seen.found.rows("erp_documents", "id_documento") == [("A",), ("C",), ("D",)]
    assert _asked(seen) == ["B"]
    assert _operations(seen) == {"C", "D"}
    ((words, amount),) = seen.found.rows("anomalies", "question", "amount", where="code = 'GONE_FROM_ERP'")
    assert "il documento nel gestionale del 10/01/2025 di 1.220,00 euro" in words and "{" not in words
    assert amount == 0


def test_an_increment_and_what_lies_outside_a_span_say_nothing(tmp_path: Path) -> None:
    seen = _documents("D", said={"whole": False}).told(tmp_path)
    assert (seen.found.stock("right"), _asked(seen)) == (4 * 1220, [])
    outside = {"whole": True, "span_from": date(2025, 2, 1), "span_to": date(2025, 12, 31)}
    seen = _documents("D", said=outside).told(tmp_path / "outside")
    assert (seen.found.stock("right"), _asked(seen)) == (4 * 1220, [])


@pytest.mark.parametrize("said", [{"whole": True, "refused": 1}, None], ids=["rows that cannot be read", "looks whole"])
def test_what_may_be_there_is_asked_and_stays(tmp_path: Path, said: Said | None) -> None:
    seen = _documents("A", "C", "D", said=said).told(tmp_path)
    assert seen.found.stock("right") == 4 * 1220
    assert _asked(seen) == ["B"]
    assert _operations(seen) == {"C", "D"}


def test_less_than_half_repeated_does_not_look_whole(tmp_path: Path) -> None:
    story = _documents("A")
    for document in ("E", "F"):
        story.book.erp(document)
    story.delivered[-1][1].extend(story.book.feeds.pop("erp_invoices"))
    assert _asked(story.told(tmp_path)) == []


@pytest.mark.parametrize(
    ("said", "answer", "stock"),
    [(WHOLE, "NON_PIU_VALIDO", 3), (WHOLE, "ANCORA_VALIDO", 4), (None, "NON_PIU_VALIDO", 3), (None, "ANCORA_VALIDO", 4)],
)
def test_an_answer_decides(tmp_path: Path, said: Said | None, answer: str, stock: int) -> None:
    seen = _documents("A", "C", "D", said=said).told(tmp_path, decided={"decided_answers": [_answered("B", answer)]})
    assert seen.found.stock("right") == stock * 1220
    assert _asked(seen) == []
    assert _operations(seen) == ({"B", "C", "D"} if stock == 4 else {"C", "D"})


def test_an_answer_to_an_earlier_disappearance_does_not_count(tmp_path: Path) -> None:
    seen = _documents("A", "C", "D", said=WHOLE).told(
        tmp_path, decided={"decided_answers": [_answered("B", "ANCORA_VALIDO", 2)]}
    )
    assert _asked(seen) == ["B"]


def test_a_row_delivered_again_is_there(tmp_path: Path) -> None:
    story = _documents("A", "C", "D", said=WHOLE)
    story.book.erp("B", stato="LIQUIDATA")
    story.deliver(erp_invoices={"whole": False})
    seen = story.told(tmp_path)
    assert (seen.found.stock("right"), _asked(seen)) == (4 * 1220, [])


def test_a_payment_gone_is_unpaid_again_and_bears_no_operation(tmp_path: Path) -> None:
    story = Story()
    for document in ("X", "Y"):
        story.book.both(
            document, erp={"stato": "LIQUIDATA"}, pcc={"stato_documento": "CONTABILIZZATO", "importo_liquidato": 1220}
        )
        story.book.paid(document, 1220, numero_mandato=document)
    story.deliver()
    story.book.paid("Y", 1220, numero_mandato="Y")
    story.deliver(erp_payments=WHOLE)
    seen = story.told(tmp_path)
    assert (seen.stock("right", "X"), seen.stock("right", "Y")) == (1220, 0)
    assert "GONE_FROM_ERP" in seen.codes("X") and "GONE_FROM_ERP" not in seen.codes("Y")
    assert _operations(seen) == {"Y"}


def test_a_document_gone_from_pcc_brings_no_new_one(tmp_path: Path) -> None:
    story = Story()
    for document in ("X", "Y"):
        story.book.both(
            document, erp={"stato": "LIQUIDATA"}, pcc={"stato_documento": "CONTABILIZZATO", "importo_liquidato": 1220}
        )
    story.deliver()
    story.book.pcc("Y", stato_documento="CONTABILIZZATO", importo_liquidato=1220)
    story.deliver(pcc_invoices=WHOLE)
    seen = story.told(tmp_path)
    assert {"MISSING_ON_PCC", "GONE_FROM_ERP"} <= set(seen.codes("X"))
    assert _operations(seen) == set()
    gone = {"decided_answers": [_answered("X", "NON_PIU_VALIDO")]}
    assert _operations(story.told(tmp_path / "answered", decided=gone)) == {"X"}


def test_files_received_at_once_that_share_no_row_are_parts_of_one(tmp_path: Path) -> None:
    story = _documents("A", "B", said=WHOLE)
    moment = datetime(2026, 1, 9, tzinfo=UTC)
    story.said[3] = {**WHOLE, "received_at": moment}
    for document in ("C", "D"):
        story.book.erp(document, stato="LIQUIDATA")
    story.deliver(erp_invoices={**WHOLE, "received_at": moment})
    seen = story.told(tmp_path)
    assert (seen.found.stock("right"), _asked(seen)) == (4 * 1220, [])


@pytest.mark.parametrize(("confirmed", "breaches"), [(False, 1), (True, 0)])
def test_more_than_the_threshold_gone_stops_publication(tmp_path: Path, confirmed: bool, breaches: int) -> None:
    seen = _documents("A", "C", "D", said={**WHOLE, "confirmed": confirmed}).told(tmp_path)
    (check,) = [rule for rule in RECONCILIATIONS if rule.name == "gone_rows_confirmed"]
    found = seen.found.with_views(*check.relations).execute(check.sql).fetchall()
    assert len(found) == breaches
    assert check.blocking
    if breaches:
        assert found[0][-2:] == (1, 4)
    assert Decimal(0) == sum(amount for (amount,) in seen.found.rows("anomalies", "amount", where="code = 'GONE_FROM_ERP'"))
