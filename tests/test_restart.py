"""RS and RT: only where a person asked, then the way of all operations (docs/rules.md#rule-11-order)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pytest
import sqlalchemy as sa
from test_operations_ledger import breaches
from test_rules_base import Book
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.pairs import DecisionError, snapshot
from pcc_pipeline.review.requests import ask, withdraw
from pcc_pipeline.settings import Settings

BOOKED = {"stato_documento": "CONTABILIZZATO", "lotto_sdi": "9990001234"}
ASKED = datetime(2026, 1, 10, tzinfo=UTC)


def _book() -> Book:
    """CLOSED by mistake on PCC; WRONG suspended there for another cause and amount; both owed in the ledger."""
    book = Book()
    book.both("CLOSED", erp={"stato": "LIQUIDATA"}, pcc={**BOOKED, "importo_non_liquidabile": 1220})
    suspended = {"stato": "SOSPESA", "causale": "CONTENZIOSO", "importo_sospeso": 500, "data_sospensione": "2025-02-01"}
    told = {"importo_sospeso": 300, "importo_sospeso_contestazione": 300, "data_sospensione_contestazione": "2025-02-05"}
    book.both("WRONG", erp=suspended, pcc={**BOOKED, "lotto_sdi": "9990001235", **told})
    return book


def _seen(home: Path, *asked: tuple[str, str], sent: list[dict[str, Any]] | None = None) -> models.Reconciled:
    requests = [{"progressivo_registrazione": document, "azione": action, "decided_at": ASKED} for document, action in asked]
    decided = {"decided_operation_requests": requests, "decided_sent_operations": sent or []}
    return models.reconcile(home, _book().feeds, decided=decided, modelli_pcc="AREA_RGS")


def _operations(seen: models.Reconciled, document: str) -> list[tuple[Any, ...]]:
    where = f"id_documento = '{document}'"
    return sorted(seen.rows("operations", "step", "azione", "descrizione", where=where))


def test_nothing_of_the_kind_is_proposed_unasked(tmp_path: Path) -> None:
    seen = _seen(tmp_path)
    assert {action for document in ("CLOSED", "WRONG") for _, action, _ in _operations(seen, document)} == {"SID"}


def test_what_is_asked_goes_first_and_all_that_shall_stand_is_set_anew(tmp_path: Path) -> None:
    seen = _seen(tmp_path, ("PCLOSED", "RS"), ("PWRONG", "RT"))
    assert _operations(seen, "CLOSED") == [(1, "RS", "PCC: ripristinato, non più chiuso")]
    assert _operations(seen, "WRONG") == [
        (1, "RT", "PCC: azzerato, si ricomincia"), (2, "SID", "PCC: sospeso in contenzioso 500,00 dal 01/02/2025"),
    ]  # fmt: skip
    assert seen.rows("ledger", "step", "suspended", "unbooked", where="id_documento = 'WRONG'") == [(1, 0, 1220), (2, 500, 720)]
    assert breaches(seen) == []
    assert seen.stock("projected") == seen.stock("right") == Decimal("1940.00")


@pytest.mark.parametrize("answer", ["", "E1"], ids=["taken", "refused"])
def test_what_was_sent_is_not_proposed_again_unless_refused(tmp_path: Path, answer: str) -> None:
    proposed = _seen(tmp_path / "before", ("PCLOSED", "RS"))
    names = ("operation_id", "azione", "model", "id_documento", "progressivo_registrazione", "lotto", "numero_documento", "step",
             "identificativo", "payload_key")  # fmt: skip
    (row,) = proposed.rows("operations", *names, where="azione = 'RS'")
    sent = {
        **dict(zip(names, row, strict=True)),
        "attempt": 1,
        "file": "f.csv",
        "line": 9,
        "sent_at": datetime(2026, 1, 11, tzinfo=UTC),
    }
    after = [("pcc_outcomes", [{"model": "area_rgs_importi", "azione": "RS", "lotto": "9990001234", "numero_documento": row[6],
                                "codice_segnalazione": answer or None}])]  # fmt: skip
    feeds = [*_book().feeds.items(), *[("pcc_outcomes", [])] * 12, *after]
    asked = [{"progressivo_registrazione": "PCLOSED", "azione": "RS", "decided_at": ASKED}]
    decided = {"decided_operation_requests": asked, "decided_sent_operations": [sent]}
    seen = models.reconcile(tmp_path / "after", feeds, decided=decided, modelli_pcc="AREA_RGS")
    assert seen.rows("sent_states", "state") == [("refused",) if answer else ("accepted",)]
    assert [action for _, action, _ in _operations(seen, "CLOSED")] == (["RS"] if answer else [])
    # A later feed shows it: then it is done, and the document stands as the ledger has it.
    restored = {**_book().feeds["pcc_invoices"][0], "importo_non_liquidabile": Decimal(0)}
    if not answer:
        shown = models.reconcile(
            tmp_path / "later", [*feeds, ("pcc_invoices", [restored])], decided=decided, modelli_pcc="AREA_RGS"
        )
        assert shown.rows("sent_states", "state") == [("done",)]
        assert _operations(shown, "CLOSED") == []


def _target(bind: sa.Engine, document: str, **values: Any) -> None:
    known = {"movable": True, "changes": True, "commercial_amount": 1220, "paid": 0, "reference_date": date(2025, 12, 31),
             "observed_at": date(2026, 1, 20), "treasury_vat": 0, "payments_lacking_count": 0, "offset_lacking": 0,
             "payments_non_commercial": False, "suspended_anew": False, "starts_differ": False, "rejected": False, "closed": False,
             "received_first": False, "new_on_pcc": False}  # fmt: skip
    with bind.begin() as connection:
        row = {"ente": "alfa", "progressivo_registrazione": document, **known, **values}
        connection.execute(sa.insert(table("document_targets")), [row])


@pytest.mark.parametrize(
    ("state", "azione", "why"),
    [
        (None, "RT", "concordano"),
        ({"movable": False}, "RT", "domande aperte"),
        ({"rejected": True, "now_not_payable": 100}, "RT", "domande aperte"),
        ({"now_not_payable": 100}, "RS", "non è chiuso"),
        ({"now_not_payable": 100, "paid": 50}, "RT", "ha pagamenti"),
        ({}, "RT", "nulla da azzerare"),
    ],
)
def test_refused_where_pcc_would_not_take_it(bind: sa.Engine, state: dict[str, Any] | None, azione: str, why: str) -> None:
    if state is not None:
        _target(bind, "P1", **state)
    with pytest.raises(DecisionError, match=why):
        ask(bind, "alfa", "P1", azione, who="Anna", reason="serie sbagliata", models="AREA_RGS")


def test_refused_under_modello_003_and_while_something_is_under_way(bind: sa.Engine) -> None:
    _target(bind, "P1", now_not_payable=1220)
    with pytest.raises(DecisionError, match="Modello 003"):
        ask(bind, "alfa", "P1", "RS", who="Anna", reason="chiuso per errore", models="003")
    line = {"ente": "alfa", "operation_id": "o", "attempt": 1, "file": "f", "line": 9, "model": "area_rgs_importi", "azione": "SID",
            "sent_at": ASKED, "step": 1, "progressivo_registrazione": "P1"}  # fmt: skip
    with bind.begin() as connection:
        connection.execute(sa.insert(table("sent_operations")), [line])
    with pytest.raises(DecisionError, match="già partita"):
        ask(bind, "alfa", "P1", "RS", who="Anna", reason="chiuso per errore", models="AREA_RGS")


def test_the_commands_ask_once_and_take_back(bind: sa.Engine, settings: Settings) -> None:
    _target(bind, "P1", now_not_payable=1220)

    def call(*words: str) -> tuple[int, str]:
        run = CliRunner().invoke(app, ["model", *words, "--ente", "alfa", "--by", "Anna  Rossi"], env=settings.environment())
        return run.exit_code, run.output

    def asked() -> list[tuple[str, str, str]]:
        found = snapshot(bind, "alfa")["decided_operation_requests"].to_pylist()
        return [(row["progressivo_registrazione"], row["azione"], row["decided_by"]) for row in found]

    assert call("restore", "P1", "--reason", " ")[0] == 1
    assert "asked for; " in call("restore", "P1", "--reason", "chiuso per errore")[1]
    assert "before" in call("restore", "P1", "--reason", "chiuso per errore")[1]
    assert asked() == [("P1", "RS", "anna rossi")]
    assert call("reset", "P1", "--reason", "da rifare")[0] == 0
    assert asked() == [("P1", "RT", "anna rossi")]
    assert call("withdraw", "P1")[0] == 0
    assert asked() == []
    with pytest.raises(DecisionError):
        withdraw(bind, "alfa", "P1", who="Anna")


@pytest.fixture
def bind(settings: Settings) -> sa.Engine:
    return engine(settings)
