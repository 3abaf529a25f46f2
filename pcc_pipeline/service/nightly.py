"""The night: each active ente's levels up to the end of a day, checked and published; finished periods closed.

Nights that were missed are caught up in order: of each only what closes a period, since every night's figures of the
month so far are replaced by the next one's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from pcc_pipeline.arrival.landing import PROVIDER
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import model_order, prepare, source
from pcc_pipeline.checks import run_checks
from pcc_pipeline.clock import ROME, today
from pcc_pipeline.database.publish import replace
from pcc_pipeline.database.register import Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.duck import connect
from pcc_pipeline.enti.facts import EnteFacts, ente_facts
from pcc_pipeline.enti.overview import publish_overview
from pcc_pipeline.installation import Installation
from pcc_pipeline.reports.service_page import service_page
from pcc_pipeline.runs.inputs import Inputs, inputs
from pcc_pipeline.service.closing import close_periods, closed, ended
from pcc_pipeline.store import Store
from pcc_pipeline.support.relations import count_anew, support_enti
from pcc_pipeline.tables import TABLES
from pcc_pipeline.tables.service import SERVICE_MODELS

MODELS = tuple(model.name for model in SERVICE_MODELS)
PUBLISHED = tuple(model.name for model in SERVICE_MODELS if model.published)

#: The hour at which a night's work begins, in Italy.
HOUR = 2
#: Beyond so many missed nights only the last are caught up.
MISSED = 400


@dataclass
class Night:
    """What one night gave: rows published by ente, periods closed by ente, and what failed with its reason."""

    night: date
    published: dict[str, int] = field(default_factory=dict)
    closed: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def last_night(now: datetime | None = None) -> date:
    """The day that the latest due night is about: yesterday, once it is two o'clock in Italy."""
    local = (now or datetime.now(ROME)).astimezone(ROME)
    return local.date() - timedelta(days=1 if local.hour >= HOUR else 2)


def missed(register: Register, until: date) -> list[date]:
    """The nights up to `until` that were not worked, oldest first; before the first ever, `until` alone."""
    t = table("service_nights")
    with register.engine.connect() as connection:
        last = connection.execute(sa.select(sa.func.max(t.c.night))).scalar()
    if last is None:
        return [until]
    return [last + timedelta(days=n) for n in range(max(1, (until - last).days - MISSED), (until - last).days + 1)]


def processed_enti(installation: Installation, on: date) -> dict[str, EnteFacts]:
    """Enti with deliveries or tickets that are processed on a day, each with what the provider's register says of it."""
    there = {*installation.register.enti(), *support_enti(installation.engine)} - {PROVIDER}
    known = {ente: ente_facts(installation, ente, on) for ente in sorted(there)}
    return {ente: facts for ente, facts in known.items() if facts.refusal is None}


def nights(
    installation: Installation, until: date | None = None, progress: Callable[[str], None] = lambda step: None
) -> list[Night]:
    """Works every night that is due up to `until` (the last one, unless told); returns what each gave.

    A night already worked is worked again only when it is named as `until`: the same deliveries give the same.
    """
    asked = until or last_night()
    due = missed(installation.register, asked) or [asked]
    enti = processed_enti(installation, today())
    done = []
    for night in due:
        progress(f"the night of {night}")
        done.append(work(installation, night, enti, only_closing=night != due[-1]))
        t = table("service_nights")
        values = {
            "night": night,
            "finished_at": sa.func.now(),
            "enti": len(done[-1].published),
            "failed": len(done[-1].failed),
        }
        statement = insert(t).values(values)
        with installation.engine.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["night"], set_=values))
    publish_overview(installation, today())
    return done


def work(
    installation: Installation,
    night: date,
    enti: Mapping[str, EnteFacts],
    *,
    only_closing: bool = False,
) -> Night:
    """One night. An ente that fails is told and keeps its previous figures; the others go on."""
    result = Night(night)
    for ente, facts in enti.items():
        if only_closing and not _may_close(installation.store, ente, night):
            continue
        try:
            # What a provider-wide file brought it since its last run.
            stage(installation, ente, facts.layout)
            count_anew(installation.engine, ente, facts.patron_saint)
            given = inputs(installation, ente, night, night, facts=facts)
            with installation.register.lock(ente):
                _ente(installation, given, night, result)
        except Exception as error:
            result.failed[ente] = f"{type(error).__name__}: {str(error)[:300]}"
    return result


def _may_close(store: Store, ente: str, night: date) -> bool:
    month = f"{night.replace(day=1) - timedelta(days=1):%Y-%m}"
    return month not in closed(store, ente) and ended(month, night)


def _ente(installation: Installation, given: Inputs, night: date, result: Night) -> None:
    """Works one ente's night in a folder of its own: the models that are published lie untouched."""
    ente, store, calculator = given.ente, installation.store, installation.calculator
    folder = f"models/{ente}/night"
    calculator.run_inputs(given, MODELS, folder)
    if problems := _problems(installation, ente, folder):
        result.failed[ente] = f"blocking checks fail, previous figures stay: {', '.join(problems)}"
        return
    if made := close_periods(installation, ente, night, folder):
        result.closed[ente] = made
        closing = [name for name in model_order() if name.startswith("sla_") and name in MODELS]
        calculator.run_inputs(given, closing, folder)
    sources = {name: source(store, ente, name, folder) for name in PUBLISHED}
    result.published[ente] = replace(
        installation.engine, ente, sources, lambda connection: prepare(connection, store), installation.settings
    )
    store.write_bytes(f"reports/{ente}/service.html", service_page(installation.engine, ente).encode())


def _problems(installation: Installation, ente: str, folder: str) -> list[str]:
    def opened() -> object:
        connection = connect(installation.settings)
        prepare(connection, installation.store)
        return connection

    failing = []
    for name in PUBLISHED:
        files = {ente: [installation.store.uri(f"{folder}/{name}.parquet")]}
        for found in run_checks(TABLES[name], files, connect=opened)[ente]:
            if found.blocking and not found.passed:
                failing.append(f"{name}.{found.check}")
    return failing
