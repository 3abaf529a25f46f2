"""PCC's answers in XML (statoContabileFattura) in the place of its CSV, for one ente in five.

The movements of booking come with their documents; payments, receptions and refusals stay in `pcc_operations`.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb

#: Which of five enti asks PCC's service instead of downloading its CSV.
PLACE = 2
_DOCUMENTS_A_FILE = 200
_STATES = {"PRESENTATO": "PR", "RICEVUTO": "RI", "RIFIUTATO": "RE"}
_SPLIT = {
    "importoLiquidato": "importo_liquidato",
    "importoNonLiquidato": "importo_non_liquidabile",
    "importoSospeso": "importo_sospeso",
    "importoPagato": "importo_pagato",
    "importoPagatoNonCommerciale": "importo_pagato_non_commerciale",
}
_QUERY = """
select invoices.*, movements.moved
from pcc_invoices as invoices
left join (
    select
        progressivo_registrazione,
        list(
            {day: data_operazione, amount: importo, debt: stato_debito, cause: causale} order by data_operazione, line
        ) as moved
    from all_operations
    where azione = 'CO'
    group by all
) as movements using (progressivo_registrazione)
order by invoices.line
"""


def set_apart(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave the movements that the answers carry out of the view `pcc_operations`."""
    connection.execute("create or replace temp table all_operations as select * from pcc_operations")
    connection.execute("create or replace temp view pcc_operations as select * from all_operations where azione <> 'CO'")


def write_answers(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write one ente's documents as answers, some hundreds a file, in one archive."""
    folder.mkdir(parents=True, exist_ok=True)
    cursor = connection.execute(_QUERY)
    names = [column[0] for column in cursor.description or ()]
    part = folder / "statoContabileFattura.zip.part"
    number = 0
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        while block := cursor.fetchmany(_DOCUMENTS_A_FILE):
            number += 1
            text = "\n".join(_state(dict(zip(names, row, strict=True))) for row in block)
            archive.writestr(
                zipfile.ZipInfo(f"statoContabileFattura_{number:04d}.xml", (2026, 1, 1, 0, 0, 0)),
                f'<?xml version="1.0" encoding="UTF-8"?>\n<ReadStatoFatturaRisposta '
                f'xmlns="http://www.tesoro.it/fatture">\n{text}\n</ReadStatoFatturaRisposta>\n',
            )
    part.rename(folder / "statoContabileFattura.zip")


def _state(row: dict[str, object]) -> str:
    due = (
        _of(
            "listaComunicazioneScadenza",
            _of("comunicazioneScadenza", _said("dataScadenza", row["data_scadenza"])),
        )
        if row["data_scadenza"]
        else ""
    )
    return _of(
        "statoContabileFattura",
        _of(
            "datiFornitore",
            _said("codiceFiscale", row["cf_fornitore"]) + _said("denominazione", row["denominazione_fornitore"]),
        )
        + _of(
            "datiAmministrazione",
            _said("codiceFiscale", row["cf_amministrazione"]) + _said("codiceUfficioPCC", row["codice_ufficio"]),
        )
        + due
        + _of("datiDocumento", _document(row)),
    )


def _document(row: dict[str, object]) -> str:
    state = str(row["stato_documento"])
    moved = row["moved"] if isinstance(row["moved"], list) else []
    return "".join(
        (
            _said("statoDocumento", _STATES.get(state, state)),
            _said("IdFiscaleIVA", row["id_fiscale_iva"]),
            _said("progressivoRegistrazione", row["progressivo_registrazione"]),
            _of(
                "identificazioneSDI",
                _said("lottoSDI", row["lotto_sdi"]) + _said("numeroFattura", row["numero_documento"]),
            ),
            _said("dataRicezione", row["data_ricezione"]),
            _said("tipoDocumento", row["tipo_documento"]),
            _said("dataEmissione", row["data_emissione"]),
            _said("numeroDocumento", row["numero_documento"]),
            _said("importoTotale", row["importo_totale"]),
            _said("importoImponibile", row["importo_imponibile"]),
            _said("totaleImposta", row["totale_imposta"]),
            _said("splitPayment", "SI" if row["split_payment"] else "NO"),
            _of("ripartizioneAttuale", "".join(_said(name, row[column]) for name, column in _SPLIT.items())),
            _of(
                "listaDettaglioMovimento",
                "".join(
                    _of(
                        "dettaglioMovimento",
                        _said("dataMovimento", one["day"])
                        + _said("importo", one["amount"])
                        + _said("statoDebito", one["debt"])
                        + _said("causale", one["cause"]),
                    )
                    for one in moved
                ),
            ),
        )
    )


def _said(name: str, value: object) -> str:
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def _of(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"
