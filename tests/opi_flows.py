"""Payment orders and cash journals written as XML for tests, and read back as rows of the feed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from pcc_pipeline.formats import parse
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.tables import FEEDS
from pcc_pipeline.tables.feeds import QUARANTINE


class Lists:
    """A sink that remembers, checking the schemas."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.good: list[dict[str, Any]] = []
        self.bad: list[dict[str, Any]] = []
        self.noted: list[dict[str, Any]] = []

    def rows(self, batch: pa.RecordBatch) -> None:
        assert batch.schema == FEEDS[self.kind].arrow_schema
        batch.validate(full=True)
        self.good += batch.to_pylist()

    def notes(self, batch: pa.RecordBatch) -> None:
        self.noted += batch.to_pylist()

    def defects(self, batch: pa.RecordBatch) -> None:
        assert batch.schema == QUARANTINE.arrow_schema
        self.bad += batch.to_pylist()


def read(folder: Path, kind: str, content: str | bytes, name: str = "flusso.xml") -> tuple[Lists, Counts]:
    """The rows and defects of one file."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    sink = Lists(kind)
    counts = parse(kind, [Source("alfa", kind, "d1", name, path)], sink)["d1"]
    assert counts.rows == len(sink.good) and counts.defects == len(sink.bad)
    return sink, counts


def rows(folder: Path, content: str, kind: str = "erp_opi") -> list[dict[str, Any]]:
    """The rows of a file without defects, as `models.reconcile` takes them."""
    sink, _ = read(folder, kind, content)
    assert not sink.bad, sink.bad
    return [{name: value for name, value in row.items() if name not in ("ente", "delivery")} for row in sink.good]


def invoice(number: str, amount: str, lot: str | None = "7001", *, supplier: str = "01234567897", year: int = 2025) -> str:
    """One invoice block: electronic with its lot, on paper without."""
    kind = (
        f"<tipo_documento_siope_e>ELETTRONICO</tipo_documento_siope_e>"
        f"<identificativo_lotto_sdi_siope>{lot}</identificativo_lotto_sdi_siope>"
        if lot
        else f"<tipo_documento_siope_a>ANALOGICO</tipo_documento_siope_a>"
        f"<tipo_documento_analogico_siope>FATT_ANALOGICA</tipo_documento_analogico_siope>"
        f"<codice_fiscale_emittente_siope>{supplier}</codice_fiscale_emittente_siope>"
        f"<anno_emissione_fattura_siope>{year}</anno_emissione_fattura_siope>"
    )
    return (
        f"<fattura_siope><codice_ipa_ente_siope>UF0001</codice_ipa_ente_siope>{kind}<dati_fattura_siope>"
        f"<numero_fattura_siope>{number}</numero_fattura_siope><importo_siope>{amount}</importo_siope>"
        f"<natura_spesa_siope>CORRENTE</natura_spesa_siope></dati_fattura_siope></fattura_siope>"
    )


def beneficiary(blocks: str, amount: str, place: int = 1, *, piva: str = "01234567897", debt: str = "COMMERCIALE") -> str:
    """One beneficiary of an order, with its classified invoice blocks."""
    word = "tipo_debito_siope_c" if debt == "COMMERCIALE" else "tipo_debito_siope_nc"
    return (
        f"<informazioni_beneficiario><progressivo_beneficiario>{place}</progressivo_beneficiario>"
        f"<importo_beneficiario>{amount}</importo_beneficiario><classificazione><codice_cgu>1030102999</codice_cgu>"
        f"<importo>{amount}</importo><classificazione_dati_siope_uscite><{word}>{debt}</{word}>"
        f"<codice_cig_siope>Z123456789</codice_cig_siope>{blocks}</classificazione_dati_siope_uscite></classificazione>"
        f"<beneficiario><anagrafica_beneficiario>Ditta</anagrafica_beneficiario>"
        f"<partita_iva_beneficiario>{piva}</partita_iva_beneficiario></beneficiario></informazioni_beneficiario>"
    )


def order(
    number: int,
    content: str,
    *,
    operation: str = "INSERIMENTO",
    day: str = "2025-03-01",
    replaces: int | None = None,
) -> str:
    """One payment order."""
    other = (
        f"<sostituzione_mandato><numero_mandato_da_sostituire>{replaces}</numero_mandato_da_sostituire></sostituzione_mandato>"
        if replaces
        else ""
    )
    return (
        f"<mandato><tipo_operazione>{operation}</tipo_operazione><numero_mandato>{number:07d}</numero_mandato>"
        f"<data_mandato>{day}</data_mandato>{content}{other}</mandato>"
    )


def flow(*orders: str, made: str = "2025-03-01T10:00:00", year: int = 2025) -> str:
    """A flusso ordinativi."""
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1"?><flusso_ordinativi><testata_flusso>'
        f"<identificativo_flusso>F{made}</identificativo_flusso><data_ora_creazione_flusso>{made}</data_ora_creazione_flusso>"
        f"<descrizione_ente>Comune</descrizione_ente></testata_flusso><esercizio>{year}</esercizio>{''.join(orders)}"
        f"</flusso_ordinativi>"
    )


def movement(
    number: int,
    amount: str,
    day: str,
    *,
    operation: str = "ESEGUITO",
    place: int | None = 1,
    receipt: int = 1,
    kind: str = "MANDATO",
) -> str:
    """One movement of the cash journal."""
    progressive = "" if place is None else f"<progressivo_documento>{place}</progressivo_documento>"
    return (
        f"<movimento_conto_evidenza><tipo_movimento>USCITA</tipo_movimento><tipo_documento>{kind}</tipo_documento>"
        f"<tipo_operazione>{operation}</tipo_operazione><numero_documento>{number}</numero_documento>{progressive}"
        f"<importo>{amount}</importo><numero_bolletta_quietanza>{receipt}</numero_bolletta_quietanza>"
        f"<data_movimento>{day}</data_movimento><cliente><anagrafica_cliente>Ditta</anagrafica_cliente></cliente>"
        f"</movimento_conto_evidenza>"
    )


def journal(*movements: str, year: int = 2025) -> str:
    """A giornale di cassa."""
    return (
        f"<flusso_giornale_di_cassa><testata_messaggio><codice_ABI_BT>01234</codice_ABI_BT></testata_messaggio>"
        f"<identificativo_flusso_BT>G1</identificativo_flusso_BT><esercizio>{year}</esercizio>"
        f"<informazioni_conto_evidenza><conto_evidenza>1</conto_evidenza>{''.join(movements)}</informazioni_conto_evidenza>"
        f"</flusso_giornale_di_cassa>"
    )
