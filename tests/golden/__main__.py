"""`python -m tests.golden`: works the golden ente out, shows where the expected tables differ; `--write` writes them."""

from __future__ import annotations

import csv
import difflib
import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import dispose
from pcc_pipeline.database.export import export
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from tests.samples import OBSERVED_AT, OWN, REFERENCE_DATE
from tests.steps import publish_steps

#: The columns that are compared; of tables with views, the two that PCC and the ente have.
COLUMNS = {
    "matches": "id_documento progressivo_registrazione tier",
    "anomalies": "code id_documento progressivo_registrazione amount",
    "stock": "view reference_date amount",
    "stock_by_creditor": "view reference_date creditor amount",
    "stock_by_due_date": "view reference_date bucket amount",
    "indicators": "name period view value",
    "operations": "id_documento progressivo_registrazione step code model azione stato_debito importo causale data_scadenza"
    " numero_mandato data_mandato id_fiscale_beneficiario stock_effect",
    "questions": "code id_documento progressivo_registrazione remaining",
}
PROJECTED = ("stock",)


def tables(home: Path) -> dict[str, str]:
    """The tables of COLUMNS as CSV, worked out on an installation at `home` without Dagster."""
    settings = Settings.at(home)
    installation = Installation(settings)
    publish_steps(installation, OWN.ente, REFERENCE_DATE, OBSERVED_AT, inbox=OWN.inbox)
    bind = installation.engine
    found = {table: _columns(bind, table, columns.split()) for table, columns in COLUMNS.items()}
    dispose(settings)
    return found


def _columns(bind: sa.Engine, table: str, columns: list[str]) -> str:
    exported = io.BytesIO()
    export(bind, table, OWN.ente, "-", exported)
    rows = [
        {name: row[name] for name in columns}
        for row in csv.DictReader(io.StringIO(exported.getvalue().decode()))
        if row.get("view") != "projected" or table in PROJECTED
    ]
    order = [name for name in columns if name not in ("step", "amount", "value")]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        sorted(rows, key=lambda row: ([row[name] for name in order[:2]], int(row.get("step", 0)), list(row.values())))
    )
    return out.getvalue()


def main(write: bool) -> int:
    with TemporaryDirectory(prefix="pcc-golden-") as folder:
        try:
            now = tables(Path(folder))
        finally:
            embedded.release(Path(folder))
            embedded.stop(Path(folder))
    OWN.expected.mkdir(parents=True, exist_ok=True)
    differ = False
    for table, text in now.items():
        path = OWN.expected / f"{table}.csv"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        differ |= before != text
        lines = difflib.unified_diff(before.splitlines(True), text.splitlines(True), f"expected/{table}", f"now/{table}", n=0)
        sys.stdout.writelines(lines)
        if write:
            path.write_text(text, encoding="utf-8")
    return int(differ and not write)


if __name__ == "__main__":
    raise SystemExit(main("--write" in sys.argv[1:]))
