"""Service levels and the life of the service, case by case. Minutes alone are in `test_service_minutes`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import models
import pytest

from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator.holidays import working_days_after
from pcc_pipeline.clock import ROME
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.export import export
from pcc_pipeline.database.register import Register
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.enti.life import life
from pcc_pipeline.enti.overview import overview
from pcc_pipeline.formats.conventions import read_moment
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import pipeline
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME).astimezone(UTC)


def ticket(
    name: str, opened: str, contact: str | None = None, closed: str | None = None, canale: str = "EMAIL"
) -> dict[str, Any]:
    return {
        "id": name, "canale": canale, "aperto_il": at(opened), "primo_contatto_il": at(contact) if contact else None,
        "chiuso_il": at(closed) if closed else None, "oggetto": "prova",
    }  # fmt: skip


TICKETS = [
    ticket("quick", "2025-12-01 09:00", "2025-12-01 10:00", "2025-12-02 10:00"),  # 60
    ticket("phone", "2025-12-01 09:00", "2025-12-03 10:00", "2025-12-03 11:00", "TELEFONO"),  # 0, at once
    ticket("limit", "2025-12-01 08:00", "2025-12-04 18:00", "2025-12-05 10:00"),  # 2400 exactly: kept
    ticket("late", "2025-12-01 08:00", "2025-12-05 08:01", "2025-12-05 10:00"),  # 2401: one over
    ticket("silent", "2026-01-02 08:00"),  # 2, 5, 7, 8, 9, 12 … January, 6 is Epiphany: long past
    ticket("soon", "2026-01-15 08:00"),  # seen to the end of 20 January: 15, 16, 19, 20 = 2400
    ticket("closed", "2026-01-13 10:00", None, "2026-01-13 11:30"),  # closing is a contact: 90
    ticket("twice", "2025-12-09 08:00", "2025-12-09 08:30", "2025-12-09 09:00"),
    ticket("twice", "2025-12-12 08:00", None, None),  # opened again
    ticket("tomorrow", "2026-01-21 00:00"),  # after the last moment seen
]  # fmt: skip


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> models.Reconciled:
    ratings = [
        {"id_ticket": "quick", "giudizio": "NEGATIVO", "il": at("2025-11-02 11:00")},
        {"id_ticket": "phone", "giudizio": "POSITIVO", "il": at("2025-11-02 11:00")},
        {"id_ticket": "quick", "giudizio": "POSITIVO", "il": at("2025-12-02 11:00")},
        {"id_ticket": "unheard", "giudizio": "NEUTRO", "il": at("2025-12-31 23:59")},
    ]
    start = at("2025-12-31 22:00")
    probes = [
        {"il": start + timedelta(minutes=10 * n), "servizio": "webserver", "esito": "DOWN" if 9 <= n < 15 else "UP", "ms": 5}
        for n in range(24)
    ] + [
        {"il": at("2025-12-31 22:00"), "servizio": "database", "esito": "DOWN"},
        {"il": at("2026-01-01 00:00"), "servizio": "database", "esito": "UP"},
    ]
    feeds: list[tuple[str, Sequence[dict[str, Any]]]] = [("tickets", TICKETS), ("ratings", ratings), ("probes", probes)]
    return models.reconcile(tmp_path_factory.mktemp("levels"), feeds)


def test_first_contact_of_each_case(seen: models.Reconciled) -> None:
    found = {row[0]: row[1:] for row in seen.rows("ticket_contacts", "id_ticket", "minutes", "breached", "waiting", "reopened")}
    assert found == {
        "quick": (60, False, False, False), "phone": (0, False, False, False), "limit": (2400, False, False, False),
        "late": (2401, True, False, False), "silent": (7200, True, True, False), "soon": (2400, False, True, False),
        "closed": (90, False, False, False), "twice": (30, False, False, True),
    }  # fmt: skip


def test_breaches_say_how_long_and_who_is_next(seen: models.Reconciled) -> None:
    found = seen.rows("sla_breaches", "id_ticket", "situation", "over_minutes", "left_minutes", "deadline_at")
    assert [row[:4] for row in found] == [
        ("late", "BREACHED", 1, None), ("silent", "BREACHED", 4800, None), ("soon", "ABOUT_TO_BREACH", None, 0),
    ]  # fmt: skip
    assert [row[4] for row in found] == [at("2025-12-04 18:00"), at("2026-01-08 18:00"), at("2026-01-20 18:00")]


def test_months_quarters_and_channels(seen: models.Reconciled) -> None:
    columns = (
        "opened",
        "open_now",
        "waiting",
        "mean_minutes",
        "median_minutes",
        "p90_minutes",
        "max_minutes",
        "within_limit",
        "breaches",
    )
    (month,) = seen.rows("sla_tickets", *columns, where="channel = 'ALL' and period = '2025-12'")
    assert month == (5, 1, 0, Decimal("978.20"), 60, Decimal("2400.60"), 2401, 4, 1)
    (phone,) = seen.rows("sla_tickets", "opened", "max_minutes", where="channel = 'TELEFONO' and period = '2025-Q4'")
    assert phone == (1, 0)
    (share, longest) = seen.rows(
        "sla_tickets", "within_share", "breach_max_minutes", where="channel = 'ALL' and period = '2026-Q1'"
    )[0]
    assert (round(share, 4), longest) == (Decimal("66.6667"), 4800)


def test_satisfaction_on_three_levels_with_its_trend(seen: models.Reconciled) -> None:
    found = seen.rows(
        "sla_satisfaction", "channel", "period", "ratings", "positive_share", "neutral", "trend", where="period_kind = 'month'"
    )
    assert ("ALL", "2025-11", 2, 50, 0, None) in found and ("ALL", "2025-12", 2, 50, 1, 0) in found
    assert ("EMAIL", "2025-12", 1, 100, 0, 100) in found and ("UNKNOWN", "2025-12", 1, 0, 1, None) in found


def test_availability_by_the_clock_and_its_budget(seen: models.Reconciled) -> None:
    columns = ("service", "period", "measured_minutes", "down_minutes", "outages", "met", "budget_minutes")
    found = {row[:2]: row[2:] for row in seen.rows("sla_availability", *columns, where="period_kind = 'month'")}
    # Down from 23:30 to 0:30: half an hour in each month. The probe at 22:00 stands for a quarter of an hour only.
    assert found["webserver", "2025-12"] == (120, 30, 1, False, Decimal("446.40"))
    assert found["webserver", "2026-01"] == (120, 30, 1, False, Decimal("446.40"))
    assert found["database", "2025-12"][:2] == (15, 15)
    assert found["ALL", "2025-12"][:3] == (120, 45, 2)
    ((left,),) = seen.rows("sla_availability", "budget_left_minutes", where="service = 'ALL' and period = '2025-12'")
    assert left == Decimal("401.40")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-12-31T08:15:00+01:00", "2025-12-31T07:15"), ("2025-12-31T08:15Z", "2025-12-31T08:15"),
        ("31/12/2025 8:15", "2025-12-31T07:15"), ("2025-07-01 08:15:00", "2025-07-01T06:15"),
        ("2025-10-26 02:30", "2025-10-26T00:30"), ("2025-12-31", "2025-12-30T23:00"),
    ],
)  # fmt: skip
def test_moments(text: str, utc: str) -> None:
    assert read_moment(text).value == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2025-03-30 02:30", "2025-02-30T10:00", "2025-12-31T25:00", "yesterday", "10:00", "2025-12-31T10"]
)
def test_moments_that_are_none(text: str) -> None:
    assert read_moment(text).reason


ROW: dict[str, Any] = {
    "ordine_il": date(2025, 1, 10), "presa_in_carico_il": None, "attivato_il": None, "pec_disattivazione_il": None,
    "autorizzazione_remota": True, "credenziali": True, "gestionale": "Contabilità Civica", "versione_gestionale": "4.3", "santo_patrono": None,
}  # fmt: skip
LISTS = {"open_list", "special_cases"}


@pytest.mark.parametrize(
    ("changes", "lists", "on", "state", "processed", "risk"),
    [
        ({}, LISTS, "2025-01-20", "ordered", False, False),
        ({}, LISTS, "2025-02-03", "ordered", False, True),  # ten days before the thirtieth
        ({}, LISTS, "2025-02-10", "ordered", False, True),
        ({"presa_in_carico_il": date(2025, 1, 20)}, LISTS, "2025-02-10", "taken_in_charge", False, False),
        ({"presa_in_carico_il": date(2025, 1, 20)}, set(), "2025-02-10", "prerequisites_open", False, False),
        ({"presa_in_carico_il": date(2025, 1, 20)}, set(), "2025-03-05", "prerequisites_open", False, True),
        (
            {"presa_in_carico_il": date(2025, 1, 20), "credenziali": False},
            LISTS,
            "2025-04-02",
            "prerequisites_open",
            False,
            True,
        ),
        ({"attivato_il": date(2025, 4, 10)}, LISTS, "2025-04-10", "active", True, False),
        ({"attivato_il": date(2025, 4, 10)}, LISTS, "2025-04-09", "ordered", False, True),
        ({"attivato_il": date(2025, 4, 10), "versione_gestionale": "3.9"}, LISTS, "2025-05-10", "active", True, True),
        (
            {"attivato_il": date(2025, 4, 10), "pec_disattivazione_il": date(2025, 6, 1)},
            LISTS,
            "2025-05-31",
            "active",
            True,
            False,
        ),
        (
            {"attivato_il": date(2025, 4, 10), "pec_disattivazione_il": date(2025, 6, 1)},
            LISTS,
            "2025-06-01",
            "deactivating",
            False,
            False,
        ),
        ({"ordine_il": None}, set(), "2025-06-01", "undated", True, False),
    ],
)
def test_state_of_an_ente(changes: dict[str, Any], lists: set[str], on: str, state: str, processed: bool, risk: bool) -> None:
    found = life({**ROW, **changes}, date.fromisoformat(on), lists)
    assert (found.state, found.refusal is None, found.at_risk) == (state, processed, risk)


def test_a_refusal_says_what_is_missing_and_from_whom() -> None:
    found = life({**ROW, "presa_in_carico_il": date(2025, 1, 20), "credenziali": None}, date(2025, 2, 10), {"open_list"})
    assert found.refusal and "credenziali di accesso non consegnate: le fornisce l'ente" in found.refusal
    assert "elenco dei casi particolari non consegnato: lo consegna l'ente entro il 11/03/2025" in found.refusal


def test_working_days() -> None:
    assert working_days_after(date(2025, 12, 22), 5) == date(2025, 12, 31)  # 23, 24, 29, 30, 31
    assert working_days_after(date(2025, 6, 20), 1, "06-23") == date(2025, 6, 24)


def test_a_provider_wide_file_is_split_by_ente(installation: Installation, settings: Settings, store: Store) -> None:
    register = Register(engine(settings))
    inbox = settings.inbox / "_provider"
    for kind, text in (
        (
            "tickets",
            "id;ente;canale;aperto_il\n1;alfa;EMAIL;2025-12-01 09:00\n2;beta;EMAIL;2025-12-01 09:00\n3;;EMAIL;2025-12-01 09:00\n",
        ),
        ("ratings", "id_ticket;giudizio;il\n1;POSITIVO;2025-12-02 09:00\n9;NEUTRO;2025-12-02 09:00\n"),
        ("enti", "ente;denominazione;cf;ordine_il\nalfa;Comune di Alfa;1;\ngamma;Comune di Gamma;2;2025-01-01\n"),
    ):
        (inbox / kind).mkdir(parents=True)
        (inbox / kind / f"{kind}.csv").write_text(text)
    done = pipeline.read_provider(installation)
    assert done.enti == ["alfa", "beta"] and "1 ratings" in done.notes[0]
    again = pipeline.read_provider(installation)
    assert again.enti == []
    for ente in ("alfa", "beta"):
        stage(installation, ente)
    rows = {(r["kind"], e): r["rows"] for e in ("alfa", "beta") for r in register.deliveries(e).to_pylist()}
    assert rows == {("tickets", "alfa"): 1, ("ratings", "alfa"): 1, ("tickets", "beta"): 1}
    table = overview(installation, date(2025, 6, 1)).to_pylist()
    assert {row["codice_ente"]: row["state"] for row in table} == {"alfa": "undated", "gamma": "ordered"}
    assert ente_facts(installation, "gamma").refusal
    assert ente_facts(installation, "alfa").refusal is None
    assert export(engine(settings), "service_life", "_provider", settings.home / "life.csv") == 2


def test_a_row_of_another_ente_is_refused(installation: Installation, settings: Settings, store: Store) -> None:
    from pcc_pipeline.arrival.landing import land

    folder = settings.inbox / "alfa" / "tickets"
    folder.mkdir(parents=True)
    (folder / "t.csv").write_text("id;ente;canale;aperto_il\n1;alfa;EMAIL;2025-12-01 09:00\n2;beta;EMAIL;2025-12-01 09:00\n")
    land(installation, ente="alfa")
    done = stage(installation, "alfa")
    assert (done.counts["tickets"].rows, done.counts["tickets"].refused) == (1, 1)
