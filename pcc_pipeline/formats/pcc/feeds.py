"""Model files that come back from PCC into feed rows: `pcc_outcomes` (a file with PCC's answer in each line) and
`pcc_invoices` (the export "per modello 003").

Both are told by the preamble, as CSV or as the workbook that people save it in; a file without preamble is a plain
table (`tabular`). Judging a file that is to be sent is `pcc_model_check`'s matter: here all that can be read is read.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pcc_pipeline.duck import connect
from pcc_pipeline.formats.conventions import DAY_FIRST
from pcc_pipeline.formats.pcc import area, models
from pcc_pipeline.formats.pcc.models import HEADER_LINES, Record
from pcc_pipeline.formats.pcc.values import NOT_APPLICABLE
from pcc_pipeline.formats.rows import Flaw, Raw, check_rows, flaws_batch
from pcc_pipeline.formats.source import Counts, Sink, Source
from pcc_pipeline.formats.tabular.encoding import ZIP
from pcc_pipeline.formats.tabular.whole import NoTable, workbook_rows
from pcc_pipeline.rules import debt_states
from pcc_pipeline.tables.feeds import FEEDS

#: Which columns of the models a column of `pcc_outcomes` is read from: the first that holds something.
_FROM = {"importo": ("importo_movimento", "importo_pagato", "importo_scadenza")}
_START = 1 << 13
#: A file handed back is at most the one that was sent: far beyond, it is something else.
_LARGEST = 1 << 28


def parse_model(source: Source, sink: Sink) -> Counts:
    """Reads one delivery of either kind, giving rows and defects to `sink`; returns how many. Never raises for what
    the file holds."""
    if not _is_model(source.path):
        from pcc_pipeline.formats.tabular.parse import parse_tabular

        return parse_tabular(source, sink)
    records, flaws = _records(source.path)
    if (today := area.model_of(records)) is not None:
        return _area(source, sink, today, records, flaws)
    head = models.preamble(records)
    if head is None or head.model not in models.TITLES:
        flaws = [Flaw(None, f"modello di PCC sconosciuto: {head.model if head else '?'}")]
        return _refused(source, sink, flaws)
    if source.kind == "pcc_invoices" and head.model != "003":
        return _refused(source, sink, [Flaw(None, "PCC esporta i documenti per modello 003: questo è un modello 002")])
    width = len(models.layout(head.model).fields)
    rows: list[Record] = []
    for record in records[HEADER_LINES:]:
        if not any(record.texts):
            continue
        if len(record.texts) < width - 2 or any(record.texts[width:]):
            reason = f"{len(record.texts)} colonne invece di {width}"
            flaws.append(Flaw(record.line, reason, ";".join(record.texts)[:200]))
        else:
            rows.append(record)
    if not rows and not flaws:
        flaws = [Flaw(None, "il modello non contiene righe")]
    counts = _told(source, sink, flaws)
    if not rows:
        return counts
    typed, more = _typed(source, sink, [row.line for row in rows], _columns(head.model, rows))
    if typed is None or not len(typed):
        return counts + more
    if source.kind == "pcc_outcomes":
        sink.rows(typed)
        return counts + more
    documents = _documents(typed)
    sink.rows(documents)
    return counts + Counts(len(documents), more.refused, more.defects)


def _area(source: Source, sink: Sink, model: area.AreaModel, records: Sequence[Record], flaws: list[Flaw]) -> Counts:
    """A file of today's models that PCC handed back."""
    if source.kind != "pcc_outcomes":
        return _refused(source, sink, [Flaw(None, f"{model.name} è un file per PCC, non un elenco di documenti")])
    rows, others = area.data_rows(model, records)
    flaws += [Flaw(record.line, "azione sconosciuta", ";".join(record.texts)[:200]) for record in others]
    if not rows and not flaws:
        flaws = [Flaw(None, "il modello non contiene righe")]
    counts = _told(source, sink, flaws)
    if not rows:
        return counts
    found = [area.values(model, row) for row in rows]
    columns = {
        column.name: [row.get(column.name) or None for row in found]
        for column in FEEDS["pcc_outcomes"].columns
        if any(column.name in row for row in found)
    }
    typed, more = _typed(source, sink, [row.line for row in rows], columns | {"model": [model.model] * len(rows)})
    if typed is not None and len(typed):
        sink.rows(typed)
    return counts + more


def _told(source: Source, sink: Sink, flaws: list[Flaw]) -> Counts:
    if flaws:
        sink.defects(flaws_batch(source, flaws))
    return Counts(0, len(flaws), len(flaws))


def _refused(source: Source, sink: Sink, flaws: list[Flaw]) -> Counts:
    sink.defects(flaws_batch(source, flaws))
    return Counts(0, 1, len(flaws))


def _is_model(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_START)
    if start.startswith(ZIP):
        rows = _sheet(path, HEADER_LINES)
        return rows is not None and (models.preamble(rows) is not None or area.model_of(rows) is not None)
    return models.is_model(start)


def _records(path: Path) -> tuple[list[Record], list[Flaw]]:
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        return [], [Flaw(None, "troppo grande per un modello di PCC")]
    if data.startswith(ZIP):
        return _sheet(path, None) or [], []
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode(models.ENCODING, "replace")
    found: list[Record] = []
    try:
        for record in models.records(text):
            found.append(record)
    except csv.Error:
        last = found[-1].line if found else 0
        return found, [Flaw(last + 1, "virgolette non chiuse o fuori posto: da qui in poi il file non si legge")]
    return found, []


def _sheet(path: Path, limit: int | None) -> list[Record] | None:
    """The rows, as texts, of the first sheet that begins as a model does, else of the first; None when the workbook
    cannot be opened."""
    first: list[Record] | None = None
    try:
        for _, rows in workbook_rows(path):
            found = [Record(line, tuple(map(_cell, cells))) for line, cells in enumerate(islice(rows, limit), 1)]
            if models.preamble(found) is not None or area.model_of(found) is not None:
                return found
            first = found if first is None else first
    except NoTable:  # parse_tabular tells what is wrong
        return None
    return first


def _cell(cell: object) -> str:
    if isinstance(cell, dt.datetime | dt.date):
        return f"{cell.day:02d}/{cell.month:02d}/{cell.year:04d}"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{Decimal(repr(cell)):.2f}"
    return str(cell).strip()


def _columns(model: str, rows: Sequence[Record]) -> dict[str, list[str | None]]:
    """The texts of Modello 003 or 002 by the columns of `pcc_outcomes`."""
    names = models.layout(model).names
    columns: dict[str, list[str | None]] = {"model": [model] * len(rows)}
    for column in FEEDS["pcc_outcomes"].column_names:
        places = [names.index(name) for name in _FROM.get(column, (column,)) if name in names]
        if places:
            columns[column] = [_first(row.texts, places) for row in rows]
    return columns


def _typed(
    source: Source, sink: Sink, lines: Sequence[int], columns: dict[str, list[str | None]]
) -> tuple[pa.RecordBatch | None, Counts]:
    """The rows in the schema of `pcc_outcomes`; PCC's dates are day first, whatever the column tells."""
    table = FEEDS["pcc_outcomes"]
    raw = Raw(
        pa.array(lines, pa.int64()),
        {name: pa.array(texts, pa.string()) for name, texts in columns.items()},
    )
    evidence = dict(check_rows(table, source, raw, None).evidence)
    evidence |= {column.name: frozenset([DAY_FIRST]) for column in table.columns if column.type == "date"}
    checked = check_rows(table, source, raw, evidence)
    if checked.defects is not None:
        sink.defects(checked.defects)
    defects = len(checked.defects) if checked.defects is not None else 0
    return checked.rows, Counts(len(checked.rows) if checked.rows is not None else 0, checked.refused, defects)


def _first(texts: tuple[str, ...], places: Sequence[int]) -> str | None:
    return next((texts[place] for place in places if place < len(texts) and texts[place]), None)


def _into(account: str) -> str:
    """The lines that book an amount into an account, as a condition (rule_debt_movements)."""
    return f"azione = 'CO' and stato_debito in {debt_states(into=account)}"


#: One row per document: PCC's export repeats it for each account it shows. A document of negative total is a credit note.
_DOCUMENTS = f"""
select
    ente, delivery, min(line) as line,
    progressivo_registrazione,
    any_value(cf_amministrazione) as cf_amministrazione,
    any_value(codice_ufficio) as codice_ufficio,
    any_value(nullif(cf_fornitore, '{NOT_APPLICABLE}')) as cf_fornitore,
    any_value(nullif(id_fiscale_iva, '{NOT_APPLICABLE}')) as id_fiscale_iva,
    if(min(importo_totale) < 0, 'TD04', 'TD01') as tipo_documento,
    any_value(numero_documento) as numero_documento,
    any_value(data_emissione) as data_emissione,
    max(data_ricezione) as data_ricezione,
    max(protocollo) as numero_protocollo,
    max(abs(importo_totale)) as importo_totale,
    case
        when bool_or(azione = 'RF') then 'RIFIUTATO'
        when sum(importo) filter (azione = 'CP') >= max(abs(importo_totale)) then 'PAGATO'
        when bool_or(azione in ('CO', 'CP')) then 'CONTABILIZZATO'
        when max(data_ricezione) is not null then 'RICEVUTO'
        else 'PRESENTATO'
    end as stato_documento,
    max(data_scadenza) as data_scadenza,
    sum(importo) filter ({_into("liquidato")}) as importo_liquidato,
    sum(importo) filter ({_into("sospeso")}) as importo_sospeso,
    sum(importo) filter ({_into("non_liquidabile")}) as importo_non_liquidabile,
    sum(importo) filter (azione = 'CP') as importo_pagato,
    max(causale) filter ({_into("sospeso")}) as causale_sospensione,
    true as partial
from lines
where progressivo_registrazione is not null and progressivo_registrazione <> '{NOT_APPLICABLE}'
  and numero_documento is not null and data_emissione is not null and importo_totale is not null
group by ente, delivery, progressivo_registrazione
order by line
"""


def _documents(lines: pa.RecordBatch) -> pa.RecordBatch:
    table = FEEDS["pcc_invoices"]
    with connect(keep_order=True) as connection:
        connection.register("lines", pa.Table.from_batches([lines]))
        connection.execute(f"create view documents as {_DOCUMENTS}")
        has = {row[0] for row in connection.execute("describe documents").fetchall()}
        columns = ", ".join(
            f"cast({column.name if column.name in has else 'null'} as {column.duckdb_type}) as {column.name}"
            for column in table.columns
        )
        made: pa.Table = connection.sql(f"select {columns} from documents").to_arrow_table()
    batches = made.cast(table.arrow_schema).combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.arrow_schema)
