"""From anomalies to files for PCC and back: accepted, refused, partly refused, killed halfway, delivered twice."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from pcc_double import Pcc
from samples import Golden
from steps import publish_steps

from pcc_pipeline.calculator import prepared, source
from pcc_pipeline.demo import write_provider
from pcc_pipeline.formats.pcc.check import check_file
from pcc_pipeline.installation import Installation
from pcc_pipeline.review import sending
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

USER = "RSSMRA80A01H501U"
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)


class Office:
    """An ente's operator: delivers, reconciles, approves, sends; without Dagster, everything else for real."""

    def __init__(self, settings: Settings, ente: str = "montefiore") -> None:
        self.settings, self.ente = settings, ente
        self.installation = Installation(settings)
        self.store, self.engine, self.register = self.installation.store, self.installation.engine, self.installation.register
        self.out = settings.home / "out"

    def deliver(self, kind: str, data: bytes, name: str | None = None) -> None:
        folder = self.settings.inbox / self.ente / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / (name or f"{kind}.csv")).write_bytes(data)

    def reconcile(self) -> None:
        publish_steps(self.installation, self.ente, REFERENCE_DATE, OBSERVED_AT)

    def rows(self, query: str) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(query), {"ente": self.ente}).mappings()]

    def model(self, name: str, where: str = "true") -> list[dict[str, Any]]:
        with prepared(self.settings, self.store) as connection:
            found = connection.execute(f"select * from {source(self.store, self.ente, name)} where {where}")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def approve(self, where: str = "true", people: tuple[str, ...] = ("rossi", "bianchi")) -> None:
        query = f"""
            insert into pcc.operation_decisions (ente, verdict, operation_id, azione, amount, decided_by, decided_at)
            select ente, 'approve', operation_id, azione, coalesce(importo, importo_totale), :who, clock_timestamp()
            from pcc.operations where ente = :ente and {where}
        """
        with self.engine.begin() as connection:
            for who in people:
                connection.execute(sa.text(query), {"ente": self.ente, "who": who})

    def send(self, **more: Any) -> sending.SendingReport:
        return sending.send(self.installation, self.ente, USER, self.out, name="Comune", cf="00488410010", **more)

    def upload(self, pcc: Pcc, report: sending.SendingReport) -> None:
        for path in sorted(report.handed):
            self.deliver("pcc_outcomes", pcc.upload(path.read_bytes()), path.name)

    def feed(self, pcc: Pcc) -> None:
        self.deliver("pcc_invoices", pcc.invoices_csv())
        if pcc.movements:
            self.deliver("pcc_operations", pcc.operations_csv())

    def states(self) -> dict[str, int]:
        found = self.rows("select state, count(*) as n from pcc.sent_states where ente = :ente group by state")
        return {row["state"]: row["n"] for row in found}


@pytest.fixture
def office(settings: Settings) -> Office:
    made = Office(settings)
    write_provider(
        settings.inbox,
        enti=1,
        documents=300,
        reference_date=REFERENCE_DATE,
        observed_at=OBSERVED_AT,
        sdi_share=0,
        bad_rows=False,
    )
    made.reconcile()
    return made


@pytest.fixture
def pcc(office: Office) -> Pcc:
    return Pcc.of(office.model("stg_pcc_invoices"), OBSERVED_AT)


def test_everything_accepted_leaves_only_manual_anomalies(office: Office, pcc: Pcc) -> None:
    rounds = 0
    sent: set[str] = set()
    while office.rows("select 1 from pcc.operations where ente = :ente"):
        rounds += 1
        assert rounds <= 3
        office.approve()
        report = office.send()
        assert not report.held, report.held
        uploaded = [
            row["operation_id"] for row in office.rows("select operation_id from pcc.sent_operations where ente = :ente")
        ]
        assert len(uploaded) == len(set(uploaded)) > len(sent)
        sent = set(uploaded)
        office.upload(pcc, report)
        assert set(pcc.answered) == {""}
        office.feed(pcc)
        office.reconcile()
        assert set(office.states()) == {"done"}
    assert rounds
    # What remains is a person's to answer: the anomaly itself is manual, or its document has a question with an amount.
    left = office.rows(
        """select a.code, a.id_documento, a.progressivo_registrazione, a.amount from pcc.anomalies as a
        where a.ente = :ente and not a.manual and not exists (
            select 1 from pcc.questions as q where q.ente = a.ente and q.id_documento is not distinct from a.id_documento
              and q.progressivo_registrazione is not distinct from a.progressivo_registrazione)"""
    )
    assert not left


def test_the_golden_ente_is_aligned_but_for_its_questions(golden: Golden, settings: Settings) -> None:
    golden.delivered(settings.inbox)
    office = Office(settings, golden.ente)
    office.reconcile()
    pcc = Pcc.of(office.model("stg_pcc_invoices"), OBSERVED_AT)
    promised = office.rows("select * from pcc.stock where ente = :ente and view = 'projected'")[0]["amount"]
    for _ in range(3):
        office.approve()
        report = office.send()
        assert not report.held
        office.upload(pcc, report)
        office.feed(pcc)
        office.reconcile()
        if not office.rows("select 1 from pcc.operations where ente = :ente"):
            break
    assert set(pcc.answered) == {""} and set(office.states()) == {"done"}
    stock = {row["view"]: row["amount"] for row in office.rows("select * from pcc.stock where ente = :ente")}
    # PCC shows what was projected, and what still differs from the right stock are the questions.
    assert stock["pcc"] == stock["projected"] == promised
    open_questions = office.rows(
        "select coalesce(sum(r), 0) as r from (select distinct id_documento, progressivo_registrazione, remaining as r from pcc.questions where ente = :ente) as q"
    )
    assert stock["pcc"] - stock["right"] == open_questions[0]["r"]


def test_part_refused_comes_back_with_its_reason_and_goes_again_once_approved(office: Office, pcc: Pcc) -> None:
    office.approve()
    pcc.whim = lambda row: (
        ("E999", "rifiutato dal sistema") if row.get("azione") == "CP" and int(row["progressivo"]) % 2 else None
    )
    office.upload(pcc, office.send())
    refused = pcc.answered.count("E999")
    assert refused and pcc.answered.count("") + refused == len(pcc.answered)
    office.reconcile()
    # PCC's feed has not come yet: what was accepted is not known to be done, and its documents rest.
    assert office.states() == {"accepted": pcc.answered.count(""), "refused": refused}
    resting = office.rows(
        """select 1 from pcc.operations as o join pcc.sent_states as s using (ente, progressivo_registrazione)
        where o.ente = :ente and s.in_flight"""
    )
    assert not resting
    back = office.rows("select refused_reason from pcc.operations where ente = :ente and refused_reason is not null")
    assert {row["refused_reason"] for row in back} <= {"E999: rifiutato dal sistema"}
    # An approval of before does not count for a line that PCC refused.
    assert office.send().operations == 0
    pcc.whim = lambda row: None
    for _ in range(3):
        office.feed(pcc)
        office.reconcile()
        if not office.rows("select 1 from pcc.operations where ente = :ente"):
            break
        office.approve()
        report = office.send()
        assert report.operations
        office.upload(pcc, report)
        assert pcc.answered.count("E999") == refused and set(pcc.answered) == {"", "E999"}
    assert office.rows("select 1 from pcc.operations where ente = :ente") == []
    assert set(office.states()) == {"refused", "done"}
    sent = office.rows("select operation_id, attempt from pcc.sent_operations where ente = :ente")
    assert len({(row["operation_id"], row["attempt"]) for row in sent}) == len(sent)


def test_nothing_goes_twice_whatever_is_repeated(office: Office, pcc: Pcc) -> None:
    office.approve(people=("rossi",))
    first = office.send(rows=7)
    assert first.operations and len(first.files) > 3
    assert office.send().operations == 0
    # Reconciled again, and with PCC's feed delivered anew before PCC did anything.
    office.deliver("pcc_invoices", pcc.invoices_csv())
    office.reconcile()
    office.approve()
    sent = {row["operation_id"] for row in office.rows("select operation_id from pcc.sent_operations where ente = :ente")}
    again = office.send()
    documents = office.rows(
        "select progressivo_registrazione as p, count(distinct sent_at) as n from pcc.sent_operations where ente = :ente and progressivo_registrazione is not null group by 1"
    )
    assert all(row["n"] == 1 for row in documents)
    new = {row["operation_id"] for row in office.rows("select operation_id from pcc.sent_operations where ente = :ente")} - sent
    assert again.operations == len(new)
    # A document is never cut in two files, and no file is longer than asked unless one document is.
    files = office.rows(
        "select coalesce(progressivo_registrazione, id_documento) as d, count(distinct file) as n from pcc.sent_operations where ente = :ente group by 1"
    )
    assert all(row["n"] == 1 for row in files)
    for path in first.handed:
        assert not [finding for finding in check_file(path, OBSERVED_AT) if finding.severity == "error"]


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "point", ["before bytes", "after bytes", "between files", "before commit", "before handing out", "while handing out"]
)
def test_a_crash_neither_loses_nor_repeats(settings: Settings, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(settings)
    write_provider(
        settings.inbox,
        enti=1,
        documents=60,
        reference_date=REFERENCE_DATE,
        observed_at=OBSERVED_AT,
        sdi_share=0,
        bad_rows=False,
    )
    office.reconcile()
    office.approve()
    approved = {
        row["operation_id"]
        for row in office.rows("select operation_id from pcc.operations where ente = :ente and model = '003'")
    }

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    calls = iter(range(100))
    register = sending.sent.register
    handed = sending.sent.handed
    with monkeypatch.context() as patch:
        match point:
            case "before bytes":
                patch.setattr(Store, "write_bytes", die)
            case "after bytes":
                patch.setattr(Store, "settle", die)
            case "between files":
                patch.setattr(sending.sent, "register", lambda *a: register(*a) if next(calls) < 1 else die())
            case "before commit":
                patch.setattr(sending.sent, "register", lambda *a: (register(*a), die() if next(calls) > 1 else None))
            case "before handing out":
                patch.setattr(sending, "hand_out", die)
            case "while handing out":
                patch.setattr(sending.sent, "handed", lambda *a: handed(*a) if next(calls) < 1 else die())
        with pytest.raises(Killed):
            office.send(rows=5)
    report = office.send(rows=5)
    sent = office.rows("select operation_id, file from pcc.sent_operations where ente = :ente and model = '003'")
    assert len(sent) == len({row["operation_id"] for row in sent})
    waiting = {
        row["operation_id"]
        for row in office.rows(
            "select o.operation_id from pcc.operations as o join pcc.operations as f on f.ente = o.ente and f.id_documento = o.id_documento and f.model = '002' where o.ente = :ente"
        )
    }
    assert {row["operation_id"] for row in sent} == approved - waiting
    # Every registered file lies in the folder, with just the registered bytes, and nothing else does.
    registered = {
        row["file"]: row["sha256"] for row in office.rows("select file, sha256 from pcc.model_files where ente = :ente")
    }
    lying = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in office.out.iterdir()}
    assert lying == registered
    assert office.send().operations == 0 and report.held == []


def test_two_processes_at_once_send_each_operation_once(settings: Settings) -> None:
    office = Office(settings)
    write_provider(
        settings.inbox,
        enti=1,
        documents=60,
        reference_date=REFERENCE_DATE,
        observed_at=OBSERVED_AT,
        sdi_share=0,
        bad_rows=False,
    )
    office.reconcile()
    office.approve()
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: office.send(), range(4)))
    assert sum(report.operations > 0 for report in reports) == 1
    sent = office.rows("select operation_id from pcc.sent_operations where ente = :ente")
    assert len(sent) == len({row["operation_id"] for row in sent}) == sum(report.operations for report in reports)


def test_only_what_is_approved_goes_and_never_a_step_before_its_first(settings: Settings) -> None:
    office = Office(settings)
    write_provider(
        settings.inbox,
        enti=1,
        documents=200,
        reference_date=REFERENCE_DATE,
        observed_at=OBSERVED_AT,
        sdi_share=0,
        bad_rows=False,
    )
    office.reconcile()
    assert office.send().operations == 0
    office.approve("step = 2")
    assert office.send().operations == 0
    office.approve("step = 1", people=("rossi",))
    limited = office.rows(
        "select operation_id from pcc.operations where ente = :ente and step = 1 and coalesce(importo, importo_totale) > 50000"
    )
    office.send()
    sent = {row["operation_id"] for row in office.rows("select operation_id from pcc.sent_operations where ente = :ente")}
    assert sent and not sent & {row["operation_id"] for row in limited}


def test_a_document_that_pcc_would_refuse_is_held_back_with_the_reason(settings: Settings) -> None:
    office = Office(settings)
    write_provider(
        settings.inbox,
        enti=1,
        documents=60,
        reference_date=REFERENCE_DATE,
        observed_at=OBSERVED_AT,
        sdi_share=0,
        bad_rows=False,
    )
    office.reconcile()
    office.approve()
    with office.engine.begin() as connection:
        query = "update pcc.operations set codice_ufficio = null where progressivo_registrazione = (select min(progressivo_registrazione) from pcc.operations)"
        changed = connection.execute(sa.text(query)).rowcount
    report = office.send()
    assert len(report.held) == changed
    assert {(held.finding.field, held.finding.check) for held in report.held} == {("codice_ufficio", "required")}
    assert report.operations
    with pytest.raises(sending.SendingError):
        sending.send(office.installation, office.ente, "Mario", office.out)
