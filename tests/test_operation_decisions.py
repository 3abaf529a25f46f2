"""Decisions on operations: one by one and in bulk, two persons above a limit, changes within what PCC would accept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from proposed import named, one, states

from pcc_pipeline.database.schema import table
from pcc_pipeline.review.operations import (
    OperationsDecided,
    Selection,
    decide_operations,
    limit,
    set_limit,
    stale_operations,
)
from pcc_pipeline.review.pairs import DecisionError, snapshot, undo
from pcc_pipeline.review.sent import approved_operations

ALL = Selection(least=Decimal(0))


def test_bulk_approval_by_code_and_twice_is_once(database: sa.Engine) -> None:
    by_code = Selection(code="PAID_NOT_REPORTED", most=Decimal(50_000))
    assert decide_operations(database, "alfa", "approve", by_code, who="Rossi") == OperationsDecided(2, 0, 0, {"approved": 2})
    assert decide_operations(database, "alfa", "approve", by_code, who="rossi ") == OperationsDecided(0, 2, 0, {"approved": 2})
    assert states(database) == {"a1": "approved", "a2": "approved", "b1": "proposed", "c1": "proposed"}
    assert states(database, "beta") == {"other": "proposed"}


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(supplier="00000000002"), {"b1"}),
        (Selection(least=Decimal(1000), most=Decimal(1000), azione="CP"), {"a2"}),
        (Selection(document="C"), {"c1"}),
        (Selection(document="PA"), {"a1", "a2"}),
    ],
)
def test_what_a_selection_chooses(database: sa.Engine, selection: Selection, chosen: set[str]) -> None:
    decide_operations(database, "alfa", "refuse", selection, who="rossi")
    assert {name for name, state in states(database).items() if state == "refused"} == chosen


def test_above_the_limit_two_persons_approve_and_the_same_twice_does_not_count(database: sa.Engine) -> None:
    for who in ("rossi", "Rossi", " ROSSI "):
        decide_operations(database, "alfa", "approve", named("b1"), who=who)
        assert states(database)["b1"] == "waiting"
    decide_operations(database, "alfa", "approve", named("b1"), who="bianchi")
    assert states(database)["b1"] == "approved"


def limits(database: sa.Engine) -> tuple[Decimal, Decimal]:
    with database.connect() as connection:
        return limit(connection, "alfa"), limit(connection, "beta")


def test_an_ente_has_a_limit_of_its_own(database: sa.Engine) -> None:
    assert limits(database) == (50_000, 50_000)
    set_limit(database, "alfa", Decimal("999.99"), who="verdi")
    assert limits(database) == (Decimal("999.99"), 50_000)
    decide_operations(database, "alfa", "approve", named("a1"), who="rossi")
    assert states(database)["a1"] == "waiting"
    assert one(database, "a2")["approvals_needed"] == 2
    snapped = {row["operation_id"]: row for row in snapshot(database, "alfa")["decided_operation_decisions"].to_pylist()}
    assert (snapped["a1"]["state"], snapped["a1"]["approvals"], snapped["a1"]["approvals_needed"]) == ("waiting", 1, 2)


def test_bulk_leaves_alone_what_was_decided_otherwise(database: sa.Engine) -> None:
    decide_operations(database, "alfa", "refuse", named("a2"), who="rossi")
    decide_operations(database, "alfa", "approve", named("c1"), who="rossi")
    done = decide_operations(database, "alfa", "approve", ALL, who="bianchi")
    assert (done.written, done.already, done.left) == (2, 1, 1)
    assert decide_operations(database, "alfa", "refuse", ALL, who="bianchi").left == 2
    assert states(database) == {"a1": "approved", "a2": "refused", "b1": "refused", "c1": "approved"}
    decide_operations(database, "alfa", "approve", named("a2"), who="rossi")
    assert states(database)["a2"] == "approved"


def may_go(database: sa.Engine) -> list[tuple[str, int]]:
    with database.connect() as connection:
        return [(row["operation_id"], row["attempt"]) for row in approved_operations(connection, "alfa")]


def test_a_refused_booking_holds_the_payment_that_needs_it(database: sa.Engine) -> None:
    decide_operations(database, "alfa", "approve", named("a2"), who="rossi")
    assert not may_go(database)
    decide_operations(database, "alfa", "refuse", named("a1"), who="rossi", reason="già liquidata")
    assert one(database, "a2")["held"]
    assert not may_go(database)
    decide_operations(database, "alfa", "approve", named("a1"), who="rossi")
    assert may_go(database) == [("a1", 1), ("a2", 1)]


def test_undo_brings_the_state_before(database: sa.Engine) -> None:
    decide_operations(database, "alfa", "approve", named("a1"), who="rossi")
    then = datetime.now(UTC)
    decide_operations(database, "alfa", "refuse", named("a1"), who="bianchi")
    undo(database, "alfa", "operation", [2], who="rossi")
    assert states(database)["a1"] == "approved"
    undo(database, "alfa", "operation", [1], who="rossi")
    assert states(database)["a1"] == "proposed"
    assert snapshot(database, "alfa", then)["decided_operation_decisions"].column("state").to_pylist() == ["approved"]
    assert snapshot(database, "alfa")["decided_operation_decisions"].num_rows == 0


def test_reviewers_at_once_write_one_approval_each(database: sa.Engine) -> None:
    def approve(number: int) -> int:
        return decide_operations(database, "alfa", "approve", ALL, who=f"persona {number % 2}").written

    with ThreadPoolExecutor(6) as pool:
        written = sum(pool.map(approve, range(12)))
    assert written == 5  # three by whoever came first, the fourth by both
    assert set(states(database).values()) == {"approved"}


def test_a_word_on_an_operation_no_longer_proposed_is_stale(database: sa.Engine) -> None:
    decide_operations(database, "alfa", "approve", ALL, who="rossi")
    with database.begin() as connection:
        connection.execute(sa.text("delete from pcc.operations where operation_id = 'c1'"))
        assert [(row["operation_id"], row["state"]) for row in stale_operations(connection, "alfa")] == [("c1", "approved")]
    with pytest.raises(DecisionError, match="non proposte oggi per alfa: c1"):
        decide_operations(database, "alfa", "approve", named("c1"), who="rossi")


def test_nothing_chosen_is_an_error(database: sa.Engine) -> None:
    with pytest.raises(DecisionError, match="nessuna operazione scelta"):
        decide_operations(database, "alfa", "approve", Selection(), who="rossi")
    with pytest.raises(DecisionError, match="nessuna operazione proposta"):
        decide_operations(database, "alfa", "approve", Selection(code="NOT_BOOKED"), who="rossi")
    with pytest.raises(DecisionError, match="manca il nome"):
        decide_operations(database, "alfa", "approve", ALL, who=" ")


def test_a_change_asks_for_approval_anew_and_keeps_earlier_changes(
    database: sa.Engine, change: Callable[..., OperationsDecided]
) -> None:
    decide_operations(database, "alfa", "approve", named("a1"), who="rossi")
    assert change("a1", natura_spesa="ca").written == 1
    assert change("a1", cig="Z123456789").written == 1
    assert change("a1", cig="Z123456789").written == 0
    found = one(database, "a1")
    assert (found["state"], found["natura_spesa"], found["cig"]) == ("proposed", "CA", "Z123456789")
    assert snapshot(database, "alfa")["decided_operation_decisions"].to_pylist()[0]["changed_natura_spesa"] == "CA"


def test_a_changed_amount_stays_within_its_account_along_the_document(
    database: sa.Engine, change: Callable[..., OperationsDecided]
) -> None:
    with pytest.raises(DecisionError, match=r"1000.01 supera i 1000.00 del conto ricevuto"):
        change("a1", importo="1.000,01")
    with pytest.raises(DecisionError, match=r"passo 2.*1000.00 supera i 800.00 del conto liquidato"):
        change("a1", importo="500")
    assert change("a2", importo="700,50").written == 1
    assert change("a1", importo="500").written == 1
    assert one(database, "a1")["importo"] == 500
    assert one(database, "a1")["proposed_importo"] == 1000


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("a1", {"data_scadenza": "01/02/2026"}, "una CO non porta data_scadenza"),
        ("c1", {"cig": "NA"}, "una CS non porta cig"),
        ("a1", {"importo": "-5"}, "positivo"),
        ("a1", {"importo": "12,345"}, "più di due decimali"),
        ("a1", {"importo": "1.234"}, "può voler dire due importi"),
        ("a1", {"importo": "molto"}, "non è un importo"),
        ("a1", {"cig": "ABC"}, "cig: 10 lettere o cifre"),
        ("a1", {"natura_spesa": "XX"}, "natura_spesa: CO, CA o NA"),
        ("a1", {"causale": "BOH"}, "causale: CONT"),
        ("a2", {"data_mandato": "31/02/2025"}, "non è una data"),
    ],
)
def test_a_change_that_pcc_would_refuse(change: Callable[..., OperationsDecided], name: str, values: Any, why: str) -> None:
    with pytest.raises(DecisionError, match=why):
        change(name, **values)


def test_what_was_sent_is_decided_no_more_until_pcc_refuses_it(database: sa.Engine) -> None:
    decide_operations(database, "alfa", "approve", named("a1", "c1"), who="rossi")
    assert may_go(database) == [("a1", 1), ("c1", 1)]
    line = {"ente": "alfa", "attempt": 1, "file": "F", "line": 8, "sent_at": datetime.now(UTC)}
    with database.begin() as connection:
        for name in ("a1", "c1"):
            row = {**line, "operation_id": name, "model": "003", "step": 1}
            connection.execute(sa.insert(table("sent_operations")), row)
    assert one(database, "a1")["sent"] == "sent"
    assert may_go(database) == []
    assert decide_operations(database, "alfa", "refuse", named("a1"), who="rossi").left == 1
    told = {
        **line,
        "operation_id": "a1",
        "state": "refused",
        "answered_at": datetime.now(UTC),
        "overdue": False,
        "in_flight": False,
    }
    with database.begin() as connection:
        connection.execute(sa.insert(table("sent_states")), told)
        connection.execute(sa.text("delete from pcc.operations where operation_id = 'c1'"))
        assert stale_operations(connection, "alfa") == []
    # It returns to the list, and needs approval anew.
    assert (one(database, "a1")["state"], one(database, "a1")["sent"]) == ("proposed", "refused")
    assert may_go(database) == []
    assert decide_operations(database, "alfa", "approve", named("a1"), who="rossi").written == 1
    assert states(database)["a1"] == "approved"
    assert may_go(database) == [("a1", 2)]
