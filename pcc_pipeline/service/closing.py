"""Closing finished months and quarters: their levels are kept as they stand and do not change afterwards.

A period is closed at the first night after its end on which no ticket of it can change sides any more: each was
contacted, or has passed the limit. What is closed are files (`closed/<ente>/<table>/<period>.parquet`) that the
models read instead of calculating anew. `reopen` removes them; the next night calculates and closes again.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from pcc_pipeline.calculator import source
from pcc_pipeline.duck import connect
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store
from pcc_pipeline.tables.service import CLOSING


def ended(period: str, night: date) -> bool:
    """Whether a month (2025-12) or quarter (2025-Q4) is over at the end of a day."""
    year, part = period.split("-")
    last_month = int(part[1]) * 3 if part.startswith("Q") else int(part)
    first_after = date(int(year) + last_month // 12, last_month % 12 + 1, 1)
    return night >= first_after - timedelta(days=1)


def closed(store: Store, ente: str) -> set[str]:
    """The periods of an ente that are closed."""
    return {
        name.rsplit("/", 1)[-1].removesuffix(".parquet") for table in CLOSING for name in store.list(f"closed/{ente}/{table}")
    }


def close_periods(installation: Installation, ente: str, night: date, folder: str) -> list[str]:
    """Closes what can be closed at the end of a day, from the ente's models just made in `folder`; returns which."""
    store = installation.store
    done = closed(store, ente)
    made: set[str] = set()
    with connect(installation.settings) as connection:
        store.attach(connection)
        undecided = {
            period
            for row in connection.execute(
                "select distinct strftime(opened_day, '%Y-%m'), strftime(opened_day, '%Y') || '-Q' || quarter(opened_day) "
                f"from {source(store, ente, 'ticket_contacts', folder)} where waiting and not breached"
            ).fetchall()
            for period in row
        }
        for table in CLOSING:
            made_of = source(store, ente, table, folder)
            for (period,) in connection.execute(
                f"select distinct period from {made_of} where not closed order by 1"
            ).fetchall():
                if period in undecided or period in done or not ended(period, night):
                    continue
                with store.write(f"closed/{ente}/{table}/{period}.parquet") as target:
                    quoted = target.replace("'", "''")
                    connection.execute(
                        f"copy (select * replace (true as closed) from {made_of} where period = '{period}') "
                        f"to '{quoted}' (format parquet)"
                    )
                made.add(period)
    return sorted(made)


def reopen(store: Store, ente: str, period: str, reason: str) -> int:
    """Opens a closed period again, and the quarter of a month; returns how many tables had it closed.

    Who reads the levels sees the change after the next night. Kept beside: which period, when, and why.
    """
    year, part = period.split("-")
    periods = [period] if part.startswith("Q") else [period, f"{year}-Q{(int(part) + 2) // 3}"]
    count = 0
    for table in CLOSING:
        for each in periods:
            name = f"closed/{ente}/{table}/{each}.parquet"
            if store.exists(name):
                store.delete(name)
                count += 1
    if count:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        note = json.dumps({"period": period, "reopened_at": when, "reason": reason}, ensure_ascii=False)
        store.write_bytes(f"closed/{ente}/reopened/{when.replace(':', '')}-{period}.json", note.encode())
    return count
