"""One look over all enti for what deserves an alert, tickets and levels or deadlines; `alerts` sends it."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from pcc_pipeline.clock import today
from pcc_pipeline.database.register import Register
from pcc_pipeline.service.alerts import DutyAlert, missed_levels, raise_alerts, watch
from pcc_pipeline.service.deadlines import DutyAlert as DeadlineAlert
from pcc_pipeline.service.deadlines import alerts, deadlines, span
from pcc_pipeline.service.nightly import enti_of
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

log = logging.getLogger("pcc.alerts")


def look(settings: Settings) -> int:
    """Looks at every active ente once; returns how many alerts are new. An ente that fails does not stop the others."""
    from pcc_pipeline.database.engine import engine

    store, register = Store(settings.store_url), Register(engine(settings))
    found = []
    for ente in enti_of(settings, store, register, today()):
        try:
            found += [*watch(settings, store, register, ente), *missed_levels(register, ente)]
        except Exception as error:
            log.error("%s: not looked at (%s): run pcc alerts to see it again", ente, error)
    return raise_alerts(settings, register, found)


def look_at_deadlines(settings: Settings, register: Register, since: date, now: date) -> list[DeadlineAlert]:
    """Raises what has come to be due or late from the day after `since` to `now`, each once; returns it, new or not."""
    before, after = span()
    said = alerts(deadlines(register.engine, since - timedelta(days=after), now + timedelta(days=before)), since, now)
    raised = [
        DutyAlert(
            alert.deadline.ente,
            f"DEADLINE {alert.deadline.duty} {alert.deadline.due_on} {alert.days_left}",
            "DEADLINE",
            alert.words,
        )
        for alert in said
    ]
    raise_alerts(settings, register, raised)
    return said
