"""Operations under today's models, document by document: the rows proposed and what PCC is projected to show.

The same documents as in test_operations, where the movements of Modello 003 are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import models
import pytest
from samples import OWN
from test_operations import DISPUTE, _bookings, _payments, _the_rest
from test_operations_ledger import breaches
from test_rules_base import Book

from pcc_pipeline.tables import DECIDED, FEEDS, MODELS

#: Document -> its rows in order: the action, then what its words say.
EXPECTED: dict[str, list[str]] = {
    "PAID": ["IP PCC: pagato 1.220,00, mandato M-A del 08/03/2025"],
    "PAID_IN_TWO": ["IP PCC: pagato 500,00, mandato M-A", "IP PCC: pagato 720,00, mandato M-B"],
    "PAID_WHILE_SUSPENDED": ["SID PCC: tutto liquidabile", "CS PCC: scadenza 14/02/2025", "IP PCC: pagato 1.220,00"],
    "PAID_WHILE_NOT_PAYABLE": ["SID PCC: tutto liquidabile", "IP PCC: pagato 1.220,00"],
    "PAID_PRESENTED": ["RC PCC: ricevuto il 15/01/2025", "IP PCC: pagato 1.220,00"],
    "PAID_TOO_MUCH": [],
    "LIQUIDATED": [],
    "DISPUTED": ["SID PCC: sospeso in contestazione 1.220,00 dal 03/02/2025"],
    "DISPUTED_IN_PART": ["SID PCC: sospeso in contestazione 300,00 dal 03/02/2025"],
    "LITIGATED": ["SID PCC: sospeso in contenzioso 1.220,00 dal 04/05/2025"],
    "AWAITING_NOTE": [],
    "NOT_LIFTED": ["SID PCC: tutto liquidabile", "CS PCC: scadenza 14/02/2025"],
    "NOT_PAYABLE": ["SID PCC: non liquidabile 1.220,00"],
    "PAYABLE_AGAIN": ["SID PCC: tutto liquidabile"],
    "SPLIT": ["MI PCC: IVA in scissione dei pagamenti"],
    "SPLIT_PAID": ["MI PCC: IVA in scissione"],
    "REJECTED": ["RF PCC: rifiutato il"],
    "REJECTED_BOOKED": ["CH PCC: chiuso"],
    "DUE": ["CS PCC: scadenza 20/03/2025"],
    "DUE_PRESENTED": ["RC PCC: ricevuto", "CS PCC: scadenza 20/03/2025"],
    "NOTE": ["SID PCC: non liquidabile 200,00"],
    "NOTED": ["SID PCC: non liquidabile 200,00", "IP PCC: pagato 1.020,00, mandato M-X"],
    "PSECOND": ["CH PCC: chiuso"],
    "OTHER_DEBT": ["SID PCC: non commerciale 1.220,00"],
    "LISTED": [],
    "BROKEN": [],
    "ALL_AT_ONCE": [
        "RC PCC: ricevuto", "MI PCC: IVA", "SID PCC: sospeso in contestazione 300,00 dal 15/01/2025", "CS PCC: scadenza 20/03/2025",
        "IP PCC: pagato 400,00, mandato M-A",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> models.Reconciled:
    book = Book()
    for written in (_payments, _bookings, _the_rest):
        written(book)
    return models.reconcile(tmp_path_factory.mktemp("amounts"), book.feeds, modelli_pcc="AREA_RGS")


@pytest.mark.parametrize("document", EXPECTED)
def test_rows_of_a_document(seen: models.Reconciled, document: str) -> None:
    column = "progressivo_registrazione" if document == "PSECOND" else "id_documento"
    found = sorted(seen.rows("operations", "step", "azione", "descrizione", where=f"{column} = '{document}'"))
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))
    said = [f"{action} {words}" for _, action, words in found]
    assert len(said) == len(EXPECTED[document]), said
    assert all(one.startswith(start) for one, start in zip(said, EXPECTED[document], strict=True)), said


def test_the_projection_is_explained_and_holds(seen: models.Reconciled) -> None:
    assert breaches(seen) == []


#: Documents of the own golden ente whose projection differs between the two languages, and why.
DIFFERENCES = {"B068": "not commercial and not paid: a SID takes it out of the debt, Modello 003 only its payment"}


def test_golden_is_projected_alike_in_both_languages(tmp_path: Path) -> None:
    feeds = OWN.feeds()
    spoken = {name: models.reconcile(tmp_path / name, feeds, modelli_pcc=name) for name in ("003", "AREA_RGS")}
    assert breaches(spoken["AREA_RGS"]) == []
    columns = ("id_documento", "progressivo_registrazione", "stock")
    older, todays = (
        {(own, theirs): stock for own, theirs, stock in got.rows("debt_positions", *columns, where="view = 'projected'")}
        for got in spoken.values()
    )
    differ = {own or theirs for own, theirs in older if older[own, theirs] != todays.get((own, theirs))}
    assert differ == set(DIFFERENCES)


def test_what_pcc_answers_and_shows_settles_what_was_sent(tmp_path: Path) -> None:
    """Accepted, refused and done, by identification, action and payload; the refused one comes back with PCC's words."""
    book = Book()
    lots = {document: str(9990000000 + number) for number, document in enumerate(("HELD", "OWED", "REGIME", "PAID"))}
    for document, lot in lots.items():
        erp = {"HELD": DISPUTE, "OWED": {"stato": "NON_LIQUIDABILE"}, "REGIME": DISPUTE | {"split_payment": True}}.get(
            document, {}
        )
        book.both(document, erp=erp, pcc={"lotto_sdi": lot})
    book.paid("PAID", 1220)
    before = models.reconcile(tmp_path / "before", book.feeds, modelli_pcc="AREA_RGS")
    names = MODELS["operations"].column_names
    proposed = [dict(zip(names, row, strict=True)) for row in before.rows("operations", *names)]
    assert {row["identificativo"] for row in proposed} == {2}
    assert {(row["id_documento"], row["azione"]) for row in proposed} == {
        ("HELD", "SID"), ("OWED", "SID"), ("REGIME", "MI"), ("REGIME", "SID"), ("PAID", "IP"),
    }  # fmt: skip
    columns = DECIDED["decided_sent_operations"].column_names
    sent = [
        {name: row.get(name) for name in columns}
        | {"attempt": 1, "file": f"{row['model']}.csv", "line": line, "sent_at": datetime(2026, 1, 10, tzinfo=UTC)}
        for line, row in enumerate(proposed, 9)
        if (row["id_documento"], row["azione"]) != ("REGIME", "SID")  # waits for its change of VAT regime
    ]
    cells = [column for column in FEEDS["pcc_outcomes"].column_names if column not in ("ente", "delivery", "line")]
    answers = {
        "HELD": {"descrizione_segnalazione": "OK"},
        "OWED": {"codice_segnalazione": "E9", "descrizione_segnalazione": "No"},
    }
    handed_back = [
        {name: row.get(name) for name in cells} | {"data_emissione": None, "cf_fornitore": None, "codice_ufficio": None}
        | {"progressivo_registrazione": None} | answers.get(str(row["id_documento"]), {})
        for row in sent
    ]  # fmt: skip
    later = [("pcc_outcomes", [])] * 10
    told = [*book.feeds.items(), *later, ("pcc_outcomes", handed_back)]
    decided = {"decided_sent_operations": sent}
    after = models.reconcile(tmp_path / "after", told, decided=decided, modelli_pcc="AREA_RGS")
    states = set(after.rows("sent_states", "id_documento", "azione", "state", "reason"))
    assert states == {
        ("HELD", "SID", "accepted", "OK"), ("OWED", "SID", "refused", "No"), ("REGIME", "MI", "accepted", None),
        ("PAID", "IP", "accepted", None),
    }  # fmt: skip
    again = set(after.rows("operations", "id_documento", "azione", "refused_reason"))
    assert again == {("OWED", "SID", "E9: No"), ("REGIME", "SID", None)}
    # The next delivery shows it.
    shown = {
        "HELD": {"importo_sospeso": 1220, "causale_sospensione": "CONTESTATO", "importo_sospeso_contestazione": 1220,
                 "data_sospensione_contestazione": "2025-02-03"},
        "REGIME": {"split_payment": True},
        "PAID": {"importo_pagato": 1220, "stato_documento": "PAGATO"},
    }  # fmt: skip
    feed = Book()
    feed._suppliers = book._suppliers
    for document, lot in lots.items():
        feed.pcc(document, lotto_sdi=lot, **shown.get(document, {}))
    done = models.reconcile(tmp_path / "done", [*told, *feed.feeds.items()], decided=decided, modelli_pcc="AREA_RGS")
    assert set(done.rows("sent_states", "id_documento", "azione", "state")) == {
        ("HELD", "SID", "done"), ("OWED", "SID", "refused"), ("REGIME", "MI", "done"), ("PAID", "IP", "done"),
    }  # fmt: skip
    assert set(done.rows("operations", "id_documento", "azione")) == {("OWED", "SID"), ("REGIME", "SID")}
