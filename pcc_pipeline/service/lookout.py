"""One look over all active enti for what deserves an alert; `alerts` says what that is and sends it."""

from __future__ import annotations

import logging

from pcc_pipeline.clock import today
from pcc_pipeline.database.register import Register
from pcc_pipeline.service.alerts import missed_levels, raise_alerts, watch
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
