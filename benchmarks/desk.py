"""The desk under load: 20 people at once, every page of an ente of 100,000 documents, and the provider's over 2,000 enti and
100,000 tickets, half of which are that ente's.

Locust plays the people, the desk runs in a process of its own as `pcc desk` does. Of each page two 95th percentiles are
printed: the server's own time, from the request's head to the answer's (`Server-Timing`), and the client's, which has in
it the waits for a free processor of Locust and the server alike, both being on the same machine. Beside them stand those of
an empty page of the bare framework under the same load in the same run.

    python -m benchmarks.desk [--documents 100000] [--enti 2000] [--tickets 100000] [--users 20] [--seconds 30] [--workers 2]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.enti import ROWS, write
from benchmarks.support import fill
from pcc_pipeline.calculator import Calculator, Parameters, prepare
from pcc_pipeline.calculator.inputs import DELIVERIES_SCHEMA
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import dispose, engine
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.demo.staging import write_staging
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from portal.accounts import add_user

ENTE, EMAIL, PASSWORD = "montefiore", "prova@montefiore.it", "una lunga parola d'ordine"
OPERATOR = "prova@fornitore.it"
REFERENCE_DATE, OBSERVED_AT = date(2025, 12, 31), date(2026, 1, 20)

PEOPLE = """
import json, os, random, time
from locust import HttpUser, constant, task

ASKED = json.loads(os.environ["PCC_BENCH"])

class Person(HttpUser):
    wait_time = constant(float(ASKED["wait"]))

    @task
    def look(self):
        name, address = random.choice(list(ASKED["pages"].items()))
        address = address.replace("{creditor}", random.choice(ASKED["creditors"])).replace("{document}", random.choice(ASKED["documents"]))
        side = "provider" if address.startswith(("/enti", "/assistenza")) else "client"
        began = time.perf_counter()
        with self.client.get(address, name=name, cookies={"pcc_desk": ASKED["cookies"].get(side, "")}, catch_response=True, allow_redirects=False) as answer:
            if answer.status_code != 200:
                answer.failure(str(answer.status_code))
            took = float(answer.headers["Server-Timing"].split("dur=")[1])
        seen = (time.perf_counter() - began) * 1000
        for side, place, milliseconds in (("server", name, took), ("server", "(all pages)", took), ("GET", "(all pages)", seen)):
            self.environment.events.request.fire(
                request_type=side, name=place, response_time=milliseconds, response_length=0, exception=None, context={})
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
        "/operazioni",
        "/domande",
        "/indicatori",
        "/servizio",
        "/servizio?per=quarter",
        "/segnalazioni",
        "/segnalazioni?pagina=200",
        "/rapporti",
        "/consegne",
        "/enti",
        "/enti?cerca=prova+19",
        "/enti?cosa=OPERATIONS",
        "/enti/ente7",
        "/assistenza",
        "/assistenza?stato=closed",
        "/assistenza/500",
    )
} | {"/creditori/…": "/creditori/{creditor}", "/documento": "/documento?id_documento={document}"}


def published(home: Path, documents: int, enti: int, tickets: int) -> Settings:
    """An installation with one published ente of that many documents, others with a row each of all that is told of them, and
    tickets."""
    settings = Settings.at(home)
    store = Store(settings.store_url)
    staging = home / "staging"
    write_staging(staging, documents, 7)
    deliveries = []
    for sequence, folder in enumerate(sorted(staging.iterdir()), 1):
        name = f"staging/{ENTE}/{folder.name}/synthetic.parquet"
        Path(store.uri(name)).parent.mkdir(parents=True, exist_ok=True)
        Path(store.uri(name)).symlink_to(folder / "synthetic.parquet")
        (delivery,) = duckdb.execute(f"select delivery from read_parquet('{store.uri(name)}') limit 1").fetchone() or (None,)
        deliveries.append({"delivery": delivery, "kind": folder.name, "sequence": sequence, "part": "synthetic", "file": folder.name,
                           "received_at": datetime(2026, 1, 20, tzinfo=UTC)})  # fmt: skip
    Calculator(settings, store).run(
        ENTE, Parameters(REFERENCE_DATE, OBSERVED_AT, "COMUNE"), pa.Table.from_pylist(deliveries, schema=DELIVERIES_SCHEMA)
    )
    publish(engine(settings), ENTE, _sources(store), Publication(REFERENCE_DATE, OBSERVED_AT), lambda c: prepare(c, store))
    write(engine(settings), ROWS, enti=enti)
    fill(engine(settings), tickets, datetime.now(UTC), ENTE)
    add_user(engine(settings), EMAIL, "Prova", "ente_user", ENTE, PASSWORD)
    add_user(engine(settings), OPERATOR, "Prova", "operator", None, PASSWORD)
    return settings


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


def load(
    url: str, pages: dict[str, str], cookies: dict[str, str], users: int, seconds: int, work: Path, **keys: list[str]
) -> dict[str, tuple[list[int], list[int]]]:
    """By page, as the client and as the server saw it: requests, failures, median, 95th percentile, greatest; milliseconds."""
    work.mkdir(exist_ok=True)
    (work / "people.py").write_text(PEOPLE)
    asked = {
        "pages": pages,
        "cookies": cookies,
        "wait": 0.5,
        "creditors": keys.get("creditors", ["-"]),
        "documents": keys.get("documents", ["-"]),
    }
    log = (work / "locust.log").open("w")
    subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(work / "people.py"), "--headless", "-H", url, "-u", str(users), "-r", str(users),
         "-t", f"{seconds}s", "--csv", str(work / "figures"), "--only-summary", "--loglevel", "ERROR"],
        check=False, stdout=log, stderr=log, env={**os.environ, "PCC_BENCH": json.dumps(asked)},
    )  # fmt: skip
    with (work / "figures_stats.csv").open() as file:
        rows = {
            (row["Type"], row["Name"]): [
                int(float(row[name])) for name in ("Request Count", "Failure Count", "50%", "95%", "100%")
            ]
            for row in csv.DictReader(file)
        }
    return {name: (rows["GET", name], rows["server", name]) for kind, name in rows if kind == "GET"}


def serve(command: list[str], environment: dict[str, str], address: str) -> subprocess.Popen[bytes]:
    """A server that answers."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return process
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not come up")


def main() -> None:
    """Prints the 95th percentile of each page and of the empty page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--enti", type=int, default=2000)
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        settings = published(home, options.documents, options.enti, options.tickets)
        from portal.accounts import check_password
        from portal.sessions import open_session

        now = datetime.now(UTC)
        cookies = {}
        for side, email in (("client", EMAIL), ("provider", OPERATOR)):
            user = check_password(engine(settings), email, PASSWORD, now)
            assert user is not None
            cookies[side] = open_session(engine(settings), user, now)
        with engine(settings).connect() as connection:
            creditors = list(connection.exec_driver_sql("SELECT creditor FROM pcc.stock_by_creditor LIMIT 200").scalars())
            documents = list(connection.exec_driver_sql(
                "SELECT id_documento FROM pcc.debt_positions WHERE id_documento IS NOT NULL LIMIT 500").scalars())  # fmt: skip
        bare = (
            "import fastapi; from portal.headers import Headers; app = fastapi.FastAPI(); "
            "app.add_middleware(Headers); app.get('/')(lambda: '')"
        )
        (home / "bare.py").write_text(bare)
        empty = serve([sys.executable, "-m", "uvicorn", "bare:app", "--port", "8471", "--log-level", "error", "--app-dir", str(home)], {},
                      "http://127.0.0.1:8471/")  # fmt: skip
        floor = load("http://127.0.0.1:8471", {"/": "/"}, {}, options.users, min(options.seconds, 15), home / "bare")["/"]
        os.killpg(empty.pid, signal.SIGTERM)
        desk = serve([sys.executable, "-m", "pcc_pipeline", "desk", "--port", "8472", "--workers", str(options.workers)], settings.environment(),
                     "http://127.0.0.1:8472/accesso")  # fmt: skip
        try:
            load(
                "http://127.0.0.1:8472",
                PAGES,
                cookies,
                options.users,
                5,
                home / "warm",
                creditors=creditors,
                documents=documents,
            )
            found = load("http://127.0.0.1:8472", PAGES, cookies, options.users, options.seconds, home / "desk",
                         creditors=creditors, documents=documents)  # fmt: skip
        finally:
            os.killpg(desk.pid, signal.SIGTERM)
        print(
            f"{options.users} people, {options.documents:,} documents, {options.workers} workers; milliseconds, 95 % are below"
        )
        print(f"{'page':<28}{'requests':>9}{'failed':>7}{'server':>8}{'median':>8}{'greatest':>9}{'client':>8}{'median':>8}")
        found = {"(empty page, bare FastAPI)": floor, **dict(sorted(found.items()))}
        for name, (client, server) in found.items():
            print(
                f"{name:<28}{client[0]:>9}{client[1]:>7}{server[3]:>8}{server[2]:>8}{server[4]:>9}{client[3]:>8}{client[2]:>8}"
            )
        ratios = {side: max(figures[side][3] for figures in found.values()) / max(floor[side][3], 1) for side in (0, 1)}
        print(f"The slowest page to the empty one: server {ratios[1]:.1f}, client {ratios[0]:.1f}")
        dispose(settings)
        embedded.stop(home)


if __name__ == "__main__":
    main()
