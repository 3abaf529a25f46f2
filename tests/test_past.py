"""As-of: deliveries replayed day by day, and the past asked for afterwards. Not here: the figures themselves (test_rules_*)."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import prepared, source
from pcc_pipeline.clock import ROME
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.register import Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.demo.provider import write_provider
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import asof, forecast
from pcc_pipeline.runs.inputs import inputs
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

TABLES = (
    "stock",
    "stock_by_creditor",
    "debt_positions",
    "anomalies",
    "indicators",
    "stock_trend",
    "fgdc_steps",
)
#: What arrives on which day; the accounting system tells its payments last.
DAYS = (
    ("pcc_invoices", "pcc_operations"),
    ("erp_invoices", "special_cases"),
    ("erp_payments", "open_list", "budgets"),
)
D, SEEN = date(2025, 12, 31), date(2026, 1, 20)


def _rows(settings: Settings, store: Store, ente: str, name: str) -> list[Any]:
    with prepared(settings, store) as connection:
        found = connection.execute(f"select * from {source(store, ente, name)}").fetchall()
    return sorted(map(repr, found))


def test_the_past_asked_for_is_what_was_worked_out_then(
    installation: Installation, tmp_path: Path, settings: Settings, store: Store
) -> None:
    connected = engine(settings)
    everything = tmp_path / "everything"
    write_provider(everything, enti=1, documents=120, seed=5, reference_date=D, bad_rows=False)
    (ente,) = (folder.name for folder in everything.iterdir() if folder.name != "_provider")
    worked_out: list[dict[str, list[Any]]] = []
    t = table("deliveries")
    for number, kinds in enumerate(DAYS):
        inbox = tmp_path / f"day{number}"
        for kind in kinds:
            shutil.copytree(everything / ente / kind, inbox / ente / kind)
        found = land(installation, inbox)
        stage(installation, ente)
        moment = datetime(2026, 1, 10 + number, 12, tzinfo=UTC)
        with connected.begin() as connection:
            # The day it is said to have arrived.
            new = [delivery.delivery for delivery in found.new]
            connection.execute(sa.update(t).where(t.c.delivery.in_(new)).values(received_at=moment))
        installation.calculator.run_inputs(inputs(installation, ente, D, SEEN))
        worked_out.append({name: _rows(settings, store, ente, name) for name in TABLES})
    assert worked_out[0]["stock"] != worked_out[1]["stock"] != worked_out[2]["stock"]
    for number in reversed(range(len(DAYS))):
        known_at = datetime(2026, 1, 10 + number, 23, tzinfo=UTC)
        past = asof.rebuild(installation, ente, TABLES, D, known_at, SEEN)
        for name in TABLES:
            assert sorted(map(repr, asof.rows(installation, past, name))) == worked_out[number][name], name
    # What stands now was not touched.
    assert _rows(settings, store, ente, "stock") == worked_out[-1]["stock"]
    out = tmp_path / "stock.csv"
    assert asof.write(installation, past, "stock", out) == 3
    assert out.read_text().startswith("ente,view,reference_date,amount,documents\n")
    with pytest.raises(asof.NotRebuilt, match="Nothing had been delivered"):
        asof.rebuild(installation, ente, ["stock"], D, datetime(2026, 1, 9, tzinfo=UTC))
    with pytest.raises(asof.NotRebuilt, match="No model makes"):
        asof.rebuild(installation, ente, ["nonsense"], D, datetime(2026, 1, 12, tzinfo=UTC))
    with pytest.raises(asof.NotRebuilt, match="time zone"):
        asof.rebuild(installation, ente, ["stock"], D, datetime(2026, 1, 12))


@pytest.fixture
def patron(installation: Installation, settings: Settings, store: Store) -> Register:
    """An ente with a patron saint on 10 December, and a ticket that waited over that day."""
    register = Register(engine(settings))
    texts = {
        "_provider/enti": "ente;denominazione;cf;tipo;attivato_il;santo_patrono\nalfa;Comune;80012340157;COMUNE;2025-01-01;12-10\n",
        "alfa/tickets": "id;ente;canale;aperto_il;primo_contatto_il\n"
        "T1;;EMAIL;2025-12-09T17:00:00+01:00;2025-12-11T09:00:00+01:00\n",
    }
    for name, text in texts.items():
        folder = settings.inbox / name
        folder.mkdir(parents=True)
        (folder / "file.csv").write_text(text)
        ente = folder.parent.name
        land(installation, ente=ente, drain=True)
        stage(installation, ente)
    return register


def test_the_patron_saints_feast_is_a_holiday_in_the_past_too(
    installation: Installation, settings: Settings, store: Store, patron: Register
) -> None:
    given = inputs(installation, "alfa", D, SEEN)
    installation.calculator.run_inputs(given, asof.needed(["ticket_contacts"]))
    past = asof.rebuild(installation, "alfa", ["ticket_contacts"], D, datetime.now(UTC), SEEN)
    assert past.parameters == given.parameters
    rebuilt = asof.rows(installation, past, "ticket_contacts")
    assert sorted(map(repr, rebuilt)) == _rows(settings, store, "alfa", "ticket_contacts")
    with asof.opened(installation, past, ["ticket_contacts"]) as connection:
        assert connection.execute("select minutes from ticket_contacts").fetchall() == [(120,)]
    ahead = forecast.scenario(installation, "alfa", date(2026, 12, 31))
    assert ahead.parameters.patron_saint == "12-10"


def test_needed_models_come_before_what_reads_them() -> None:
    order = asof.needed(["stock_by_creditor"])
    assert order.index("documents") < order.index("debt_positions") < order.index("stock_by_creditor")
    assert "indicators" not in order


def test_observation_is_the_day_of_knowledge_in_italy() -> None:
    # 23:30 UTC on 31 January is 1 February in Rome.
    moment = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert moment.astimezone(ROME).date() == date(2026, 2, 1)
    assert max(D, moment.astimezone(ROME).date()) - D == timedelta(days=32)
