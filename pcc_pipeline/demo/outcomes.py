"""A Modello 003 that the office had filled in by hand before the service began, as PCC handed it back: the demo's
`pcc_outcomes`. Its lines answer nothing that was sent from here, which is what the models say of them.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pcc_pipeline.demo.parties import Ente
from pcc_pipeline.formats.pcc import models as pcc_model

#: Payments told, and suspensions that PCC refused for their natura di spesa.
_LINES = """
select documents.*, moves.azione, moves.importo, moves.stato_debito, moves.causale, moves.numero_mandato, moves.data_pagamento,
       moves.id_fiscale_iva_beneficiario, moves.stato_debito = 'SOSP' as refused
from pcc_operations as moves
join pcc_invoices as documents using (progressivo_registrazione)
where moves.azione = 'CP' and moves.importo > 0 or moves.stato_debito = 'SOSP'
order by moves.stato_debito nulls last, documents.progressivo_registrazione, moves.line
limit $lines
"""


def write_outcomes(connection: duckdb.DuckDBPyConnection, folder: Path, ente: Ente, lines: int = 25) -> int:
    """Writes the file into `folder`, through a `.part` name; returns its lines."""
    found = connection.execute(_LINES, {"lines": lines})
    names = [column[0] for column in found.description or ()]
    rows = [_texts(dict(zip(names, row, strict=True)), ente) for row in found.fetchall()]
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "modello_003_esito.csv.part"
    part.write_bytes(pcc_model.write("003", "RSSMRA80A01H501U", rows))
    part.rename(part.with_suffix(""))
    return len(rows)


def _texts(row: dict[str, object], ente: Ente) -> tuple[str, ...]:
    shared = ("codice_ufficio", "id_fiscale_iva", "azione", "progressivo_registrazione", "numero_documento", "data_emissione",
              "importo_totale")  # fmt: skip
    line = {name: row[name] for name in shared}
    line |= {"cf_amministrazione": ente.cf, "cf_fornitore": row["cf_fornitore"] or str(row["id_fiscale_iva"])[2:]}
    if row["azione"] == "CP":
        line |= {
            "importo_pagato": row["importo"], "natura_spesa_pagamento": "CO", "numero_mandato": row["numero_mandato"],
            "data_mandato": row["data_pagamento"], "id_fiscale_beneficiario": row["id_fiscale_iva_beneficiario"],
            "cig_pagamento": "NA", "cup_pagamento": "NA",
        }  # fmt: skip
    else:
        line |= {
            "importo_movimento": row["importo"], "natura_spesa": "CO", "stato_debito": row["stato_debito"],
            "causale": row["causale"], "descrizione": "Contestazione dal 10/01/2025", "cig": "NA", "cup": "NA",
            "codice_segnalazione": "E255", "descrizione_segnalazione": "Natura di spesa non ammessa per lo stato del debito",
        }  # fmt: skip
    return pcc_model.texts("003", line)  # type: ignore[arg-type]
