"""A delivery of 200 files, many of them broken in every way that offices know: each has a clear outcome.

The good ones are in, the run is green with a warning, and every byte delivered is still there.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections import Counter
from datetime import date
from hashlib import sha256

import pytest
import sqlalchemy as sa
import xlsxwriter
from dagster import AssetCheckKey, AssetKey

from assets.quarantine import NAME
from assets.run import opened, run_headless
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.register import Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

HEADER = "id_documento;tipo_documento;piva_fornitore;denominazione_fornitore;numero;data_emissione;importo_totale;stato"
LIMIT = 5_000_000
ENORMOUS = 1 << 40  # sparse: takes no room


def row(n: int, line: int) -> list[str]:
    return [f"D{n}-{line}", "TD01", "00743110157", f"Società {n}", f"{n}/{line}", "2025-03-04", f"{n}.{line:02}", "LIQUIDATA"]


def csv(n: int, rows: int = 3) -> str:
    return "\r\n".join([HEADER, *(";".join(row(n, line)) for line in range(rows))]) + "\r\n"


def workbook(n: int) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for at, cells in enumerate([HEADER.split(";"), *(row(n, line) for line in range(3))]):
            sheet.write_row(at, 0, cells)
    return out.getvalue()


def archive(n: int, *, locked: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(f"dentro-{n}.csv", csv(n))
    data = bytearray(out.getvalue())
    if locked:
        data[6] |= 1
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


XML = "<?xml version='1.0'?><p:FatturaElettronica xmlns:p='http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2'>"


def broken(n: int) -> dict[str, bytes]:
    """One of each kind of broken file, by `<kind>/<name>`; no two alike for different n."""
    noise = random.Random(n).randbytes(3000)
    return {
        f"erp_invoices/troncato-{n}.csv": csv(n).encode()[:-70],
        f"erp_invoices/troncato-{n}.xlsx": workbook(n)[:-400],
        f"sdi_invoices/IT01234567890_t{n}.xml": f"{XML}<FatturaElettronicaHeader><!-- {n} -->".encode(),
        f"erp_invoices/utf16-{n}.csv": csv(n).encode("utf-16"),
        f"erp_invoices/misto-{n}.csv": csv(n).encode() + f"X{n};perchè".encode("cp1252") + b"\r\n",
        f"erp_invoices/binario-{n}.csv": b"\x89PNG\r\n" + noise,
        f"sdi_invoices/IT01234567890_b{n}.xml.p7m": noise,
        f"erp_payments/vuoto-{n}.csv": b" " * n,
        f"erp_invoices/protetto-{n}.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise,
        f"erp_invoices/protetto-{n}.zip": archive(n, locked=True),
        f"erp_invoices/altro-{n}.csv": f"nome;cognome\r\nAda;{n}\r\n".encode(),
        f"fatture/tipo-ignoto-{n}.csv": csv(n).encode(),
    }


@pytest.mark.slow
def test_two_hundred_files(settings: Settings) -> None:
    settings = Settings(**{**settings.__dict__, "max_file_bytes": LIMIT})
    installation = Installation(settings)
    inbox = settings.inbox / "alfa"
    given: dict[str, bytes] = {}
    for n in range(1, 9):
        given |= broken(n)
    good = 0
    while len(given) + 2 < 200:
        good += 1
        kind = ("csv", "xlsx", "zip")[good % 3]
        made = {"csv": csv(1000 + good).encode(), "xlsx": workbook(1000 + good), "zip": archive(1000 + good)}[kind]
        given[f"erp_invoices/buono-{good}.{kind}"] = made
    for name, data in given.items():
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(data)
    for name in ("enorme.csv", "enorme.zip"):
        with (inbox / "erp_invoices" / name).open("wb") as file:
            file.truncate(ENORMOUS)
    assert sum(path.is_file() for path in inbox.rglob("*")) == 200

    assert run_headless(installation, ["alfa"], date(2025, 12, 31), date(2026, 1, 20))

    store, register = Store(settings.store_url), Register(engine(settings))
    known = {row["archive"] or row["file"].rsplit("/", 1)[-1]: row for row in register.deliveries("alfa").to_pylist()}
    assert len(known) == 200
    found = sa.select(table("quarantine")).where(table("quarantine").c.ente == "alfa")
    with register.engine.connect() as connection:
        defects = [row._mapping for row in connection.execute(found)]
    quarantined = {row["delivery"] for row in defects}
    # Each has an outcome; what was not accepted wholly stands in quarantine with a reason.
    outcomes: Counter[str] = Counter()
    for name, delivery in known.items():
        outcomes[delivery["status"]] += 1
        bad = not name.startswith(("buono", "utf16"))  # UTF-16 is read, too
        assert (delivery["delivery"] in quarantined) == bad, (name, delivery)
        assert bad or delivery["rows"] == 3
    assert all(row["reason"] for row in defects)
    assert outcomes["landed"] == 0
    # Good rows are in, also those of a file whose last line broke off.
    with register.engine.connect() as connection:
        positions = table("debt_positions")
        query = sa.select(positions.c.id_documento).where(positions.c.ente == "alfa", positions.c.view == "right")
        documents = set(connection.execute(query).scalars())
    assert {f"D{1000 + n}-{line}" for n in range(1, good + 1) for line in range(3)} <= documents
    assert {f"D{n}-0" for n in range(1, 9)} <= documents
    reasons = {name: next(r["reason"] for r in defects if r["delivery"] == row["delivery"])
               for name, row in known.items() if row["delivery"] in quarantined}  # fmt: skip
    for name, word in (
        ("misto-1.csv", "mescolati"), ("binario-1.csv", "non è un file di testo"), ("vuoto-1.csv", "vuoto"),
        ("protetto-1.xlsx", "password"), ("protetto-1.zip", "password"), ("enorme.csv", str(LIMIT)),
        ("tipo-ignoto-1.csv", "tipo di consegna sconosciuto"),
    ):  # fmt: skip
        assert word in reasons[name], (name, reasons[name])
    # Nothing is lost: every byte delivered is in the store, the enormous files aside in the inbox.
    for name, data in given.items():
        delivery = known[name.rsplit("/", 1)[-1]]
        if delivery["archive"] is None:
            with store.open(store.landing("alfa", sha256(data).hexdigest())) as file:
                assert file.read() == data
    aside = sorted((inbox / "erp_invoices" / ".too-large").iterdir())
    assert [(path.name, path.stat().st_size) for path in aside] == [("enorme.csv", ENORMOUS), ("enorme.zip", ENORMOUS)]
    assert not [path for path in inbox.rglob("*") if path.is_file() and path not in aside]
    # The run is green; the warning is there, with samples.
    with opened(settings) as instance:
        key = AssetCheckKey(AssetKey("quarantine"), NAME)
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert record.evaluation is not None
        assert not record.evaluation.passed and record.evaluation.severity.value == "WARN"
        assert "samples" in record.evaluation.metadata
