"""The same round as test_round_trip under today's models: engine, the strict double of Area RGS, outcome files, new feed."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from itertools import count, cycle
from typing import Any

import pytest
import sqlalchemy as sa
from pcc_double import Pcc
from platform_today import Document, Platform
from samples import Golden
from test_round_trip import OBSERVED_AT, Killed, Office

from pcc_pipeline.formats.pcc import area
from pcc_pipeline.review import sending
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

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


def test_a_crash_at_any_point_neither_loses_nor_repeats(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in test_round_trip, point after point on one ente: what crashed before the commit is as if it had never been."""
    office.approve()
    with office.engine.connect() as connection:
        ready = sending.sent.approved_operations(connection, office.ente)
    todays = {row["operation_id"] for row in ready if row["model"] in area.area_models()}
    assert len({row["model"] for row in ready} - {"002"}) == 2

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    calls = count()
    register, handed = sending.sent.register, sending.sent.handed
    points: list[tuple[Any, str, Any]] = [
        (Store, "write_bytes", die),
        (Store, "settle", die),
        (sending.sent, "register", lambda *a: register(*a) if next(calls) % 100 < 1 else die()),
        (sending, "hand_out", die),
        (sending.sent, "handed", lambda *a: handed(*a) if next(calls) % 100 < 2 else die()),
    ]
    for place, (owner, name, crash) in enumerate(points):
        calls = count()
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, crash)
            with pytest.raises(Killed):
                office.send(rows=5)
        sent = office.rows("select operation_id, model from pcc.sent_operations where ente = :ente")
        assert bool(sent) is (place >= 3), "registered with the commit, and not before"
    office.send(rows=5)
    assert len(sent) == len({row["operation_id"] for row in sent})
    assert {row["operation_id"] for row in sent if row["model"] != "002"} == todays
    # Every registered file lies in the folder, with just the registered bytes, and PCC takes each of them once.
    query = "select file, sha256 from pcc.model_files where ente = :ente"
    registered = {row["file"]: row["sha256"] for row in office.rows(query)}
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in office.out.iterdir()} == registered
    assert office.send().operations == 0
    platform = Platform.of(office.model("stg_pcc_invoices"), OBSERVED_AT)
    for path in sorted(office.out.iterdir()):
        if not path.read_bytes().startswith(b"0;0;0"):
            platform.upload(path.read_bytes())
    assert len(platform.told) == len(todays)
    assert {told[-1] for told in platform.told} == {("", "")}
