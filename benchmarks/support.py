"""The support desk's pages over 100,000 tickets: the server's own time of each, 95th percentile.

Half of the tickets are one ente's, over three years, a hundredth of them open; the others are spread over 2,000 enti. So the
figures of the moment count an ente that no provider has, and the queue is that of all.

    python benchmarks/support.py [--tickets 100000] [--times 40]
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from fastapi.testclient import TestClient

from pcc_pipeline.clock import ROME
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import dispose, engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.settings import Settings
from pcc_pipeline.support.working import MINUTE, limit_minutes, working_time
from portal.accounts import add_user
from portal.app import create_app
from portal.sessions import open_session
from portal.web import SESSION

PASSWORD = "una lunga parola d'ordine"
PAGES = {
    "chi@alfa.it": ("/servizio", "/servizio?per=quarter", "/segnalazioni", "/segnalazioni?stato=open", "/segnalazioni?pagina=200"),
    "anna@fornitore.it": ("/assistenza", "/assistenza?stato=free&reparto=TECNICO", "/assistenza?stato=closed", "/assistenza/500"),
}  # fmt: skip


def fill(bind: sa.Engine, number: int, now: datetime, ente: str = "alfa") -> None:
    """Writes the tickets, half of them of that ente, with their first line and a judgement of each second closed one."""
    calendar, rows = working_time(None), []
    for n in range(number):
        opened = now - timedelta(minutes=n * 3 * 365 * 1440 / number)
        contacted = None if n % 300 == 0 and n < number // 10 else min(now, opened + timedelta(minutes=n % 4000))
        closed = None if n % 100 == 0 and n < number // 2 else min(now, (contacted or opened) + timedelta(hours=n % 90))
        contacted = contacted or closed
        worked, limit = calendar.worked(opened), limit_minutes(opened.astimezone(ROME).date())
        rows.append({
            "ente": ente if n % 2 else f"ente_{n // 2 % 2000}", "channel": ("SCRIVANIA", "TELEFONO", "EMAIL")[n % 3],
            "department": ("ASSISTENZA", "TECNICO")[n % 2], "subject": f"Richiesta {n}", "opened_by": "chi", "opened_at": opened,
            "state": "closed" if closed else "open", "first_contact_at": contacted, "closed_at": closed, "reopened": False,
            "changed_at": closed or opened, "worked_at_opening": worked, "limit_minutes": limit,
            "worked_at_contact": calendar.worked(contacted) if contacted else None,
            "deadline_at": calendar.moment(worked + limit * MINUTE),
        })  # fmt: skip
    with bind.begin() as connection:
        connection.execute(sa.insert(table("support_tickets")), rows)
        connection.execute(sa.text(
            "insert into pcc.support_messages (ente, number, at, who, side, kind, internal, words)"
            " select ente, number, opened_at, opened_by, 'ENTE', 'MESSAGE', false, subject from pcc.support_tickets"
        ))  # fmt: skip
        connection.execute(sa.text(
            "insert into pcc.support_judgements (ente, number, closed_at, channel, verdict, judged_at, judged_by)"
            " select ente, number, closed_at, channel, 'POSITIVO', closed_at, 'chi' from pcc.support_tickets"
            " where closed_at is not null and number % 2 = 0"
        ))  # fmt: skip
        connection.execute(sa.text(
            "insert into pcc.service_measures (service, measured_at, up)"
            " select service, cast(:now as timestamptz) - make_interval(mins => 5 * n), n % 500 > 0"
            " from generate_series(0, 25000) as n cross join unnest(array['database', 'portal', 'webserver']) as service"
        ), {"now": now})  # fmt: skip
        connection.execute(sa.text(
            "insert into pcc.sla_availability (ente, service, period_kind, period, measured_minutes, down_minutes, outages,"
            " availability, target, met, budget_minutes, budget_left_minutes, closed, seen_until)"
            " select :ente, 'ALL', kind, to_char(cast(:now as timestamptz), pattern), 9000, 10, 1, 99.8, 99, true, 430, 420,"
            " false, date_trunc('day', cast(:now as timestamptz))"
                " from (values ('month', 'YYYY-MM'), ('quarter', 'YYYY-\"Q\"Q')) as periods (kind, pattern)"
        ), {"now": now, "ente": ente})  # fmt: skip
    with bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))


def main() -> None:
    """The command described above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        settings = Settings.at(Path(folder))
        bind, now = engine(settings), datetime.now(UTC)
        try:
            fill(bind, options.tickets, now)
            users = [add_user(bind, "chi@alfa.it", "Chi", "ente_user", "alfa", PASSWORD)]
            users.append(add_user(bind, "anna@fornitore.it", "Anna", "operator", None, PASSWORD))
            with TestClient(create_app(settings)) as client:
                for user in users:
                    client.cookies.set(SESSION, open_session(bind, user, now))
                    for path in PAGES[user.email]:
                        took = []
                        for _ in range(options.times + 3):
                            answer = client.get(path)
                            assert answer.status_code == 200, (path, answer.status_code)
                            took.append(float(answer.headers["Server-Timing"].split("dur=")[1]))
                        warm = sorted(took[3:])
                        print(f"{path:45} {warm[int(len(warm) * 0.95) - 1]:7.1f} ms (median {warm[len(warm) // 2]:.1f})")
                    client.cookies.clear()
        finally:
            dispose(settings)
            embedded.stop(settings.home)


if __name__ == "__main__":
    main()
