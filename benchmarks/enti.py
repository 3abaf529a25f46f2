"""The provider's morning: the table of 2,000 enti at `/enti`, and what it costs to keep one ente's row.

Rows are written by SQL: each ente with its row of the service's life, its standing, 200 deliveries, ten tickets. Printed are
the server's own times (`Server-Timing`), one person at a time; and how long a publication or decision takes longer to note
how its ente stands.

    python benchmarks/enti.py [--enti 2000] [--times 40] [--operations 20000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from fastapi.testclient import TestClient

from pcc_pipeline.database import embedded, migrate
from pcc_pipeline.database.engine import dispose, engine
from pcc_pipeline.review.standing import published_anew, stand
from pcc_pipeline.settings import Settings
from portal.accounts import add_user
from portal.app import create_app
from portal.sessions import open_session
from portal.web import SESSION

ROWS = """
insert into pcc.service_life (ente, codice_ente, denominazione, state, processed, missing, at_risk, next_deadline, next_due_on, seen_on)
select '_provider', 'ente' || n, 'Comune di Prova ' || n, case when n % 20 = 0 then 'ordered' when n % 33 = 0 then 'deactivating' else 'active' end,
       n % 20 <> 0, '[]', n % 25 = 0, 'presa in carico', current_date + (n % 30 - 5)::int, current_date from generate_series(1, :enti) as n;
insert into pcc.ente_standing (ente, reference_date, published_at, pcc_amount, right_amount, projected_amount, explained_amount, questions,
       answers_move, questions_since, operations, to_upload, to_upload_since, to_answer, to_answer_since, duty_on, duty)
select 'ente' || n, date '2025-12-31', now() - n % 40 * interval '1 day', n * 1000, n * 900, n * 910, n * 100, n % 50,
       n % 50 * 10, now() - interval '9 days', n % 200, n % 3, now() - n % 9 * interval '1 day', n % 2, now() - interval '3 days',
       current_date + (n % 40 - 2)::int, 'pubblicare l''indicatore' from generate_series(1, :enti) as n;
insert into pcc.failing_checks (ente, step, "check", blocking, failing_rows, words, since)
select 'ente' || n, 'checks_debt', 'stock.check' || k, n % 100 = 0, 3, 'x', now() from generate_series(1, :enti, 5) as n, generate_series(1, 3) as k;
insert into pcc.deliveries (delivery, ente, kind, sha256, file, size, received_at, sequence, status)
select lpad(to_hex(n * 1000 + k), 16, '0'), 'ente' || n, 'kind' || k % 6, repeat('0', 64), 'f.csv', 1, now() - k * interval '1 day', n * 1000 - k,
       case when (n + k) % 67 = 0 then 'refused' else 'staged' end from generate_series(1, :enti) as n, generate_series(1, 200) as k;
"""

TICKETS = """
insert into pcc.support_tickets (number, ente, channel, department, subject, opened_by, state, opened_at, first_contact_at, closed_at, reopened,
       changed_at, worked_at_opening, limit_minutes, deadline_at)
select n * 10 + k, 'ente' || n, 'TELEFONO', 'ASSISTENZA', 'x', 'x', case when k = 0 and n % 4 = 0 then 'open' else 'closed' end,
       now() - k * interval '9 days', case when k > 0 or n % 4 > 0 then now() end, case when k > 0 or n % 4 > 0 then now() end, false, now(), 0, 2400,
       now() + (n % 60 - 3) * interval '3 hours' from generate_series(1, :enti) as n, generate_series(0, 9) as k;
"""

OPERATIONS = """
insert into pcc.publications (ente, reference_date, observed_at, published_at, rows) values ('ente1', date '2025-12-31', date '2026-01-20', now(), 1);
insert into pcc.operations (ente, operation_id, code, id_documento, step, model, azione, importo, non_commercial, numero_documento, data_emissione,
       importo_totale, tipo_documento, original_creditor, stock_effect, reference_date, observed_at)
select 'ente1', 'op' || n, 'PAID_NOT_REPORTED', 'D' || n, 1, '003', 'CP', 7, false, '1', date '2025-01-01', 7, 'TD01', '1', 7, date '2025-12-31',
       date '2026-01-20' from generate_series(1, :operations) as n;
insert into pcc.operation_decisions (ente, verdict, operation_id, azione, amount, decided_by, decided_at)
select 'ente1', 'approve', 'op' || n, 'CP', 7, 'chi', now() from generate_series(1, :operations, 2) as n;
"""

PAGES = ("/enti", "/enti?pagina=20", "/enti?cerca=prova+19", "/enti?cosa=OPERATIONS", "/enti?stato=ordered", "/enti/ente7")


def filled(settings: Settings, enti: int, operations: int) -> sa.Engine:
    """A database of so many enti, the first with so many operations, half of them decided."""
    bind = engine(settings)
    migrate.upgrade(bind)
    write(bind, ROWS + TICKETS + OPERATIONS, enti=enti, operations=operations)
    with bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return bind


def write(bind: sa.Engine, statements: str, **given: int) -> None:
    """Writes rows by SQL."""
    with bind.begin() as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.execute(sa.text(statement), given)


def main() -> None:
    """Prints the median and the 95th percentile of each page, and of noting how an ente stands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enti", type=int, default=2000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--operations", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-", ignore_cleanup_errors=True) as folder:
        settings = Settings.at(Path(folder))
        bind = filled(settings, options.enti, options.operations)
        user = add_user(bind, "prova@fornitore.it", "Prova", "operator", None, "una lunga parola d'ordine")
        with TestClient(create_app(settings)) as desk:
            desk.cookies.set(SESSION, open_session(bind, user, datetime.now(UTC)))
            print(f"{options.enti} enti; milliseconds of the server")
            for address in PAGES:
                took = []
                for _ in range(options.times):
                    answer = desk.get(address)
                    assert answer.status_code == 200, (address, answer.status_code)
                    took.append(float(answer.headers["Server-Timing"].split("dur=")[1]))
                print(
                    f"{address:<28} median {statistics.median(took):6.1f}  95 % below {statistics.quantiles(took, n=20)[-1]:6.1f}"
                )
        with bind.begin() as connection:
            published_anew(connection, ["ente1", "ente2"])
        for ente in ("ente1", "ente2"):
            began = time.perf_counter()
            with bind.begin() as connection:
                stand(connection, ente)
            print(f"stand {ente}: {(time.perf_counter() - began) * 1000:.0f} ms")
        dispose(settings)
        embedded.stop(Path(folder))


if __name__ == "__main__":
    main()
