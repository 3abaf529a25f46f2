"""The same round as test_round_trip under today's models: engine, the strict double of Area RGS, outcome files, new feed."""

from __future__ import annotations

from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
import sqlalchemy as sa
from pcc_double import Pcc
from platform_today import Document, Platform
from samples import Golden
from test_round_trip import OBSERVED_AT, Office

from pcc_pipeline.settings import Settings

#: Outcome files as the two public ERPs know them, with either answer for a good row.
ANSWERS = cycle([("easy", ("", "")), ("sigla", ("OK", "")), ("xlsx", ("", "OK"))])


def _upload(office: Office, platform: Platform, report: Any) -> None:
    """Hands the files over, each answered in another dialect; documents of Modello 002 become documents of the platform."""
    for path in sorted(report.handed):
        data = path.read_bytes()
        if data.startswith(b"0;0;0"):
            older = Pcc({key: _as_older(document) for key, document in platform.documents.items()}, OBSERVED_AT)
            office.deliver("pcc_outcomes", older.upload(data), path.name)
            platform.answered += [(code, "") for code in older.answered]
            platform.told += [(path.name, (code, "")) for code in older.answered]
            for key in older.documents.keys() - platform.documents.keys():
                platform.documents[key] = Document.of(older.documents[key].row)
            continue
        dialect, platform.praise = next(ANSWERS)
        answered = platform.upload(data, dialect)
        office.deliver("pcc_outcomes", answered, path.with_suffix(".xlsx" if dialect == "xlsx" else ".csv").name)


def _as_older(document: Document) -> Any:
    from pcc_double import ACCOUNTS
    from pcc_double import Document as Older

    return Older(dict(document.row), dict.fromkeys(ACCOUNTS, Decimal(0)))


def _feed(office: Office, platform: Platform) -> None:
    office.deliver("pcc_invoices", platform.invoices_csv())
    if platform.movements:
        office.deliver("pcc_operations", platform.operations_csv())


def _stock(office: Office) -> dict[str, Decimal]:
    return {row["view"]: row["amount"] for row in office.rows("select * from pcc.stock where ente = :ente")}


def _open(office: Office) -> list[dict[str, Any]]:
    return office.rows("select azione, progressivo_registrazione, code from pcc.operations where ente = :ente")


@pytest.fixture
def office(golden: Golden, settings: Settings) -> Office:
    """The golden ente, told to speak today's models."""
    golden.delivered(settings.inbox)
    for path in (settings.inbox / "_provider" / "enti").glob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8").replace(";003", ";AREA_RGS"), encoding="utf-8")
    made = Office(settings, golden.ente)
    made.reconcile()
    return made


def test_several_rounds_with_refusals_end_where_projected(office: Office) -> None:
    platform = Platform.of(office.model("stg_pcc_invoices"), OBSERVED_AT)
    promised = _stock(office)["projected"]
    # In the first round PCC refuses what it would have taken: each comes back with its reason, and goes once approved anew.
    platform.whim = lambda row: (
        ("E999", "rifiutato dal sistema") if row["azione"] in ("SID", "IP") and (row["lotto"] or "0")[-1] in "13579" else None
    )
    refused = 0
    for number in range(6):
        office.approve()
        report = office.send()
        assert not report.held, report.held
        before = len(platform.answered)
        _upload(office, platform, report)
        wrong = [told for told in platform.told[before:] if told[-1][0] not in ("", "OK", "E999")]
        assert not wrong, wrong
        if number == 0:
            refused = sum(code == "E999" for code, _ in platform.answered)
            office.reconcile()
            assert office.states().get("refused", 0) == refused > 0
            told = "select distinct refused_reason as r from pcc.operations where ente = :ente and refused_reason is not null"
            assert {row["r"] for row in office.rows(told)} == {"E999: rifiutato dal sistema"}
            platform.whim = lambda row: None
        _feed(office, platform)
        office.reconcile()
        if not _open(office):
            break
    assert not _open(office)
    states = office.states()
    assert set(states) == {"done", "refused"}, states
    assert states["refused"] == refused
    stock = _stock(office)
    assert stock["pcc"] == stock["projected"] == promised
    asked = office.rows(
        """select coalesce(sum(r), 0) as r from (
            select distinct id_documento, progressivo_registrazione, remaining as r from pcc.questions where ente = :ente
        ) as q"""
    )
    assert stock["pcc"] - stock["right"] == asked[0]["r"]
    # What PCC shows now came from us or from an order: nothing that it did by itself.
    with office.engine.connect() as connection:
        alone = sa.text("select * from pcc.pcc_changes where ente = :ente and stock_effect <> 0")
        assert connection.execute(alone, {"ente": office.ente}).all() == []
