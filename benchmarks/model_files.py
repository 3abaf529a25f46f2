"""Writing and judging a Modello 003 of many lines, against Python's own csv module writing the same rows.

python benchmarks/model_files.py [lines]
"""

from __future__ import annotations

import csv
import io
import sys
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pcc_pipeline.formats.pcc import models as pcc_model
from pcc_pipeline.formats.pcc.check import check
from pcc_pipeline.formats.pcc.lines import line_of

USER = "RSSMRA80A01H501U"
COLUMNS = (  # noqa: SIM905
    "model azione importo natura_spesa stato_debito causale descrizione capitoli estremi_impegno cig cup data_scadenza "
    "numero_mandato data_mandato id_fiscale_beneficiario protocollo data_ricezione data_rifiuto cf_amministrazione "
    "codice_ufficio cf_fornitore id_fiscale_iva progressivo_registrazione numero_documento data_emissione importo_totale"
).split()


def operations(lines: int) -> list[dict[str, Any]]:
    """Half payments, half bookings."""
    plain = dict.fromkeys(COLUMNS) | {
        "model": "003",
        "cf_amministrazione": "00488410010",
        "codice_ufficio": "UFABC1",
        "id_fiscale_iva": "IT00484960588",
        "natura_spesa": "CO",
    }
    made = []
    for n in range(lines):
        day = date(2024, 1, 1) + timedelta(n % 600)
        row = plain | {
            "progressivo_registrazione": str(100_000_000 + n // 2),
            "numero_documento": f"{n // 2}/A",
            "data_emissione": day,
            "importo_totale": Decimal(n + 122),
            "importo": Decimal(n + 100),
        }
        if n % 2:
            row |= {"azione": "CP", "numero_mandato": str(n), "data_mandato": day, "id_fiscale_beneficiario": "IT00484960588"}
        else:
            row |= {"azione": "CO", "stato_debito": "LIQ", "descrizione": "perché sì"}
        made.append(row)
    return made


def timed(what: str, work: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    print(f"{what}: {seconds:.2f} s")
    return result, seconds


def floor(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("cp1252")


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    given = operations(lines)
    texts = [pcc_model.texts("003", line_of(o)) for o in given]
    _, least = timed(f"csv module, {lines} ready rows", lambda: floor(texts))
    data, wrote = timed(
        "write, from operations", lambda: pcc_model.write("003", USER, [pcc_model.texts("003", line_of(o)) for o in given])
    )
    found, judged = timed("check", lambda: list(check(data, date(2026, 1, 20))))
    assert not found, found[:3]
    print(f"write / csv {wrote / least:.1f}, check / csv {judged / least:.1f}, {len(data) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
