"""The desk under load: 20 people at once, every page of an ente of 100,000 documents, and the provider's over 2,000 enti and
100,000 tickets, half of which are that ente's.

Locust plays the people, who think for a while between two pages; the desk runs in processes of its own as `pcc desk` does.
Of each page two 95th percentiles are printed: the server's own time, from the request's head to the answer's
(`Server-Timing`), and the client's, which has in it the waits for a free processor of Locust and the server alike, both
being on the same machine. Beside them stand those of an empty page of the bare framework under the same load in the same run.

Needs Locust (`uv sync --group bench`). The installation takes minutes to make: `--home` names a folder where it stays.

    python -m benchmarks.desk [--documents 100000] [--enti 2000] [--tickets 100000] [--users 20] [--think 0.5] [--seconds 30]
        [--workers 2] [--home FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from benchmarks.enti import ROWS, write
from benchmarks.support import fill
from pcc_pipeline.calculator import Calculator, Parameters, prepare
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.clock import today
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import dispose, engine
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.database.schema import table
from pcc_pipeline.demo.staging import write_staging
from pcc_pipeline.enti.receipts import keep, new_subject, sign
from pcc_pipeline.review.standing import published_anew
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables.feeds import ENTI
from portal.accounts import add_user, check_password
from portal.sessions import find_session, open_session

ENTE, EMAIL, PASSWORD = "montefiore", "prova@montefiore.it", "una lunga parola d'ordine"
OPERATOR = "prova@fornitore.it"
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)
#: Says in an installation that stays that it is complete.
DONE = "benchmark"

BARE = """
import fastapi
from portal.headers import Headers
app = fastapi.FastAPI()
app.add_middleware(Headers)
app.get("/")(lambda: "")
"""

#: What the register has of the ente: 200 deliveries; and half of its operations approved, a tenth of its questions answered.
REGISTERED = f"""
insert into pcc.deliveries (delivery, ente, kind, sha256, file, size, received_at, sequence, status, rows)
select lpad(to_hex(k), 16, 'f'), '{ENTE}', (array['erp_invoices', 'erp_payments', 'pcc_invoices'])[k % 3 + 1], repeat('0', 64), 'f.csv', 1,
       now() - k * interval '1 day', 10000 - k, 'staged', 9 from generate_series(1, 200) as k;
insert into pcc.operation_decisions (ente, verdict, operation_id, code, id_documento, progressivo_registrazione, azione, amount, decided_by, decided_at)
select ente, 'approve', operation_id, code, id_documento, progressivo_registrazione, azione, coalesce(importo, importo_totale), 'chi', now()
from pcc.operations where ente = '{ENTE}' and hashtext(operation_id) % 2 = 0;
insert into pcc.answers (ente, code, id_documento, progressivo_registrazione, answer, whole_supplier, decided_by, decided_at)
select ente, code, id_documento, progressivo_registrazione, 'NOTA', false, 'chi', now()
from pcc.questions where ente = '{ENTE}' and addressee = 'ENTE' and hashtext(numero) % 10 = 0;
"""

PAGES = {
    name: name
    for name in (
        "/",
        "/scadenze",
        "/scadenze?mese=2025-06",
        "/creditori",
        "/creditori?cerca=srl",
        "/documenti",
        "/documenti?fascia=over_365",
        "/documenti?numero=12",
        "/documenti?pagina=200",
        "/documenti?pagina=790",
        "/anomalie",
        "/anomalie?pagina=200",
        "/operazioni",
        "/operazioni?pagina=100",
        "/operazioni?stato=approved",
        "/domande",
        "/domande?cerca=srl",
        "/domande?stato=answered",
        "/indicatori",
        "/servizio",
        "/servizio?per=quarter",
        "/segnalazioni",
        "/segnalazioni?pagina=200",
        "/segnalazioni?stato=open",
        "/rapporti",
        "/consegne",
        "/enti",
        "/enti?cerca=prova+19",
        "/enti?cosa=OPERATIONS",
        "/enti/ente7",
        "/assistenza",
        "/assistenza?stato=closed",
        "/assistenza?stato=free&reparto=TECNICO",
        "/assistenza/500",
        "/ricevute",
    )
} | {"/creditori/…": "/creditori/{creditors}", "/documento": "/documento?id_documento={documents}"}


def published(home: Path, documents: int, enti: int, tickets: int) -> Settings:
    """An installation with one published ente of that many documents, others with a row each of all that is told of them, and
    tickets."""
    settings = Settings.at(home)
    home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    staging = home / "staging"
    write_staging(staging, documents, 7)
    deliveries = []
    for sequence, folder in enumerate(sorted(staging.iterdir()), 1):
        name = f"staging/{ENTE}/{folder.name}/synthetic.parquet"
        Path(store.uri(name)).parent.mkdir(parents=True, exist_ok=True)
        rows = pq.read_table(folder / "synthetic.parquet")
        at = rows.column_names.index("delivery")
        rows = rows.set_column(at, rows.schema.field(at), pa.array([folder.name] * rows.num_rows))  # one delivery has one kind
        pq.write_table(rows, store.uri(name))
        deliveries.append({"delivery": folder.name, "kind": folder.name, "sequence": sequence, "part": "synthetic", "file": folder.name,
                           "received_at": datetime(2026, 1, 20, tzinfo=UTC)})  # fmt: skip
    Calculator(settings, store).run(
        ENTE, Parameters(REFERENCE_DATE, OBSERVED_AT, "COMUNE"), pa.Table.from_pylist(deliveries, schema=DELIVERIES_SCHEMA)
    )
    publish(engine(settings), ENTE, _sources(store), Publication(REFERENCE_DATE, OBSERVED_AT), lambda c: prepare(c, store))
    write(engine(settings), ROWS, enti=enti)
    write(engine(settings), REGISTERED)
    with engine(settings).begin() as connection:
        of_file = {"ente": ENTE, "sha256": "0" * 64, "size": 1, "status": "staged", "rows": 9}
        connection.execute(sa.insert(table("deliveries")), [{**of_file, **delivery} for delivery in deliveries])
        published_anew(connection, [ENTE])
    provided(settings, store, enti)
    fill(engine(settings), tickets, datetime.now(UTC), ENTE)
    add_user(engine(settings), EMAIL, "Prova", "ente_user", ENTE, PASSWORD)
    add_user(engine(settings), OPERATOR, "Prova", "operator", None, PASSWORD)
    return settings


def provided(settings: Settings, store: Store, enti: int) -> None:
    """The provider's register of the enti, as one delivery of it, and receipts of two hundred erasures."""
    rows = [{"ente": PROVIDER, "delivery": "register", "line": n, "codice_ente": f"ente{n}", "denominazione": f"Comune di Prova {n}",
             "cf": f"{n:011d}", "tipo": "COMUNE"} for n in range(1, enti + 1)]  # fmt: skip
    missing = dict.fromkeys(ENTI.column_names)
    file = Path(store.uri(f"staging/{PROVIDER}/enti/register.parquet"))
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([missing | row for row in rows], schema=ENTI.arrow_schema), file)
    row = {"ente": PROVIDER, "delivery": "register", "kind": "enti", "part": "register", "file": "enti.csv", "sha256": "0" * 64,
           "size": 1, "status": "staged", "rows": enti, "received_at": datetime.now(UTC)}  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table("deliveries")), row)
    for n in range(200):
        keep(
            store,
            sign(
                settings,
                {"receipt": f"erasure-{n:04d}", "erased_at": f"2025-01-01T00:00:{n % 60:02d}+00:00", **new_subject(f"gone{n}")},
            ),
        )


def _sources(store: Store) -> dict[str, str]:
    from pcc_pipeline.calculator import source
    from pcc_pipeline.database.schema import published as tables

    found = {}
    for name in tables():
        try:
            found[name] = source(store, ENTE, name)
        except FileNotFoundError:
            continue  # not a model's: nothing was quarantined here
    return found


def load(url: str, asked: dict[str, Any], users: int, seconds: int, work: Path) -> dict[str, tuple[list[int], list[int]]]:
    """By page, as the client and as the server saw it: requests, failures, median, 95th percentile, greatest; milliseconds."""
    work.mkdir(exist_ok=True)
    with (work / "locust.log").open("w") as log:
        subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("desk_people.py")), "--headless", "-H", url, "-u", str(users), "-r", str(users),
             "-t", f"{seconds}s", "--csv", str(work / "figures"), "--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0"],
            check=True, stdout=log, stderr=log, env={**os.environ, "PCC_BENCH": json.dumps(asked)},
        )  # fmt: skip
    with (work / "figures_stats.csv").open() as file:
        rows = {
            (row["Type"], row["Name"]): [
                int(float(row[name])) for name in ("Request Count", "Failure Count", "50%", "95%", "100%")
            ]
            for row in csv.DictReader(file)
        }
    return {name: (rows[kind, name], rows["server", name]) for kind, name in rows if kind not in ("", "server")}


@contextmanager
def serving(command: list[str], environment: dict[str, str], address: str) -> Iterator[None]:
    """A server that answers, ended with its processes at the end."""
    process = subprocess.Popen([sys.executable, "-m", *command], env={**os.environ, **environment}, start_new_session=True)
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(address, timeout=2):
                    break
            except OSError:
                time.sleep(0.2)
        else:
            raise RuntimeError("the server did not come up")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def main() -> None:
    """Prints the 95th percentile of each page and of the empty page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (
        ("documents", 100_000),
        ("enti", 2000),
        ("tickets", 100_000),
        ("users", 20),
        ("seconds", 30),
        ("workers", 2),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--think", type=float, default=0.5, help="seconds between two pages of a person")
    parser.add_argument("--planners", type=int, default=0, help="of the people so many ask what would be if, all the time")
    parser.add_argument("--home", type=Path, help="where the installation is made once, and used again by later runs")
    parser.add_argument("--only", help="the pages whose address begins so")
    options = parser.parse_args()
    if importlib.util.find_spec("locust") is None:
        parser.exit(1, "Locust is missing: uv sync --group bench\n")
    with tempfile.TemporaryDirectory(prefix="pcc-bench-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        home = options.home or work / "home"
        settings = Settings.at(home)
        try:
            if not (home / DONE).exists():
                published(home, options.documents, options.enti, options.tickets)
                (home / DONE).write_text(f"{options.documents} {options.enti} {options.tickets}")
            measure(settings, options, work)
        finally:
            dispose(settings)
            embedded.stop(home)


def measure(settings: Settings, options: argparse.Namespace, work: Path) -> None:
    """Puts the load on an empty page and on the desk, and prints what was found."""
    pages = {name: address for name, address in PAGES.items() if name.startswith(options.only or "")}
    asked = {"pages": pages, "wait": options.think, "planners": options.planners, "until": f"{today().year}-12-31",
             **_signed_in(settings), **_keys(settings)}  # fmt: skip
    (work / "bare.py").write_text(BARE)
    url = "http://127.0.0.1:8471"
    with serving(["uvicorn", "bare:app", "--port", "8471", "--log-level", "error", "--app-dir", str(work)], {}, url):
        floor = load(
            url, {**asked, "pages": {"/": "/"}, "planners": 0}, options.users, min(options.seconds, 15), work / "bare"
        )["/"]
    url = "http://127.0.0.1:8472"
    desk = ["pcc_pipeline", "desk", "--port", "8472", "--workers", str(options.workers)]
    with serving(desk, settings.environment(), f"{url}/accesso"):
        load(url, {**asked, "planners": 0}, options.users, 5, work / "warm")
        found = load(url, asked, options.users, options.seconds, work / "desk")
    made = (settings.home / DONE).read_text().split()
    print("{} people, {} documents, {} enti, {} tickets, {} workers, {} s between pages; milliseconds, 95 % are below".format(
        options.users, *made, options.workers, options.think))  # fmt: skip
    print(f"load of the machine {os.getloadavg()[0]:.1f}, at {datetime.now(UTC):%H:%M} UTC")
    print(f"{'page':<40}{'requests':>9}{'failed':>7}{'server':>8}{'median':>8}{'greatest':>9}{'client':>8}{'median':>8}")
    found = {"(empty page, bare FastAPI)": floor, **dict(sorted(found.items()))}
    for name, (client, server) in found.items():
        print(f"{name:<40}{client[0]:>9}{client[1]:>7}{server[3]:>8}{server[2]:>8}{server[4]:>9}{client[3]:>8}{client[2]:>8}")
    ratios = {side: max(figures[side][3] for figures in found.values()) / max(floor[side][3], 1) for side in (0, 1)}
    print(f"The slowest page to the empty one: server {ratios[1]:.1f}, client {ratios[0]:.1f}")


def _signed_in(settings: Settings) -> dict[str, Any]:
    """The cookies of a person of the ente and of one of the provider."""
    now, cookies = datetime.now(UTC), {}
    for side, email in (("client", EMAIL), ("provider", OPERATOR)):
        user = check_password(engine(settings), email, PASSWORD, now)
        assert user is not None
        cookies[side] = open_session(engine(settings), user, now)
    client = find_session(engine(settings), cookies["client"], now)
    assert client is not None
    return {"cookies": cookies, "csrf": client.csrf}


def _keys(settings: Settings) -> dict[str, Any]:
    """Creditors and documents of the ente to look at."""
    with engine(settings).connect() as connection:
        return {
            "creditors": list(connection.exec_driver_sql("SELECT creditor FROM pcc.stock_by_creditor LIMIT 200").scalars()),
            "documents": list(connection.exec_driver_sql(
                "SELECT id_documento FROM pcc.debt_positions WHERE id_documento IS NOT NULL LIMIT 500").scalars()),
        }  # fmt: skip


if __name__ == "__main__":
    main()
