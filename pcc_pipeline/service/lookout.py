"""One look over all enti for what deserves an alert, tickets, levels and files for PCC, or deadlines; `alerts` sends it."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from pcc_pipeline.clock import today
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.alerts import Alert, missed_levels, raise_alerts, still_files, watch
from pcc_pipeline.service.deadlines import DutyAlert, alerts, deadlines, span
from pcc_pipeline.service.nightly import processed_enti

log = logging.getLogger("pcc.alerts")


def look(installation: Installation) -> int:
    """Looks at every active ente once; returns how many alerts are new. An ente that fails does not stop the others."""
    found = []
    for ente, facts in processed_enti(installation, today()).items():
        try:
            found += [*watch(installation, ente, facts), *missed_levels(installation.register, ente)]
            found += still_files(installation.engine, ente)
        except Exception as error:
            log.error("%s: not looked at (%s): run pcc alerts to see it again", ente, error)
    return raise_alerts(installation, found)


def look_at_deadlines(installation: Installation, since: date, now: date) -> list[DutyAlert]:
    """Raises what has come to be due or late from the day after `since` to `now`, each once; returns it, new or not."""
    before, after = span()
    said = alerts(deadlines(installation.engine, since - timedelta(days=after), now + timedelta(days=before)), since, now)
    raised = [
        Alert(
            alert.deadline.ente,
            f"DEADLINE {alert.deadline.duty} {alert.deadline.due_on} {alert.days_left}",
            "DEADLINE",
            alert.words,
        )
        for alert in said
    ]
    raise_alerts(installation, raised)
    return said
