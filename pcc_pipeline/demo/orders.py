"""Payments as the treasurer knows them: OPI payment orders and the cash journal, for every ente.

One ente in five delivers most of its payments only so; the others deliver a few that their accounting system tells
as well. Beside them what an office meets: orders waiting, cancelled, varied, for VAT or wages, used credit notes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import duckdb

from pcc_pipeline.demo.parties import Ente
from pcc_pipeline.demo.situations import SITUATIONS

#: Which of five enti has its payments from the treasurer alone.
PLACE = 3
_ORDERS_A_FLOW = 500

# A credit note is used in an order of the same day that pays more; where there is none the accounting system tells it.
_APART = """
create or replace temp table all_payments as
select payments.*, documents.i, documents.credit_note, documents.lotto, documents.erp_number, documents.name, documents.piva,
    documents.twist in ($told) as in_ledger
from erp_payments as payments join documents using (id_documento);

create or replace temp table ordered as
with payers as (
    select *, row_number() over (partition by data_pagamento order by importo desc, numero_mandato) as place
    from all_payments
    where not credit_note and not coalesce(storno, false) and not coalesce(in_ledger, false)
      and ($alone and not exists (select 1 from all_payments as b where b.id_documento = all_payments.id_documento and b.storno)
           or i % 20 = 0)
)
select *, numero_mandato as mandato, importo as amount from payers
union all by name
select notes.*, payers.mandato, -notes.importo as amount
from (
    select *, row_number() over (partition by data_pagamento order by importo desc, numero_mandato) as place
    from all_payments where credit_note and $alone and not coalesce(storno, false)
) as notes
join (select data_pagamento, place, numero_mandato as mandato, importo as most from payers) as payers
    using (data_pagamento, place)
where payers.most > notes.importo;
"""
_ORDERS = """
select mandato, data_mandato, data_pagamento, erp_number, lotto, amount, name, cf_beneficiario, i from ordered
order by data_mandato, mandato::bigint, amount desc
"""
_WAITING = """
select i, lotto, erp_number, amount, vat, name, piva, split from documents
where in_erp and erp_pays = 'none' and erp_state = 'LIQUIDATA' and not credit_note and vat > 0 order by i limit 9
"""


class _Line(NamedTuple):
    number: str
    lot: str
    amount: str


def set_apart(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Choose what the treasurer tells (table `ordered`), and where it alone does leave it out of `erp_payments`."""
    alone = number % 5 == PLACE
    # What a situation changes in its payments the accounting system tells.
    told = ", ".join(f"'{made.case.twist}'" for made in SITUATIONS)
    for statement in _APART.split(";"):
        if statement.strip():
            connection.execute(statement.replace("$alone", str(alone)).replace("$told", told))
    if alone:
        columns = [row[0] for row in connection.execute("describe erp_payments").fetchall()]
        connection.execute(
            f"create or replace temp view erp_payments as select {', '.join(columns)} from all_payments "
            "anti join ordered using (id_documento, numero_mandato)"
        )


def write_orders(connection: duckdb.DuckDBPyConnection, folder: Path, ente: Ente, day: date) -> None:
    """Write flows of orders and a journal a month into `folder`; `day` is the reference date."""
    folder.mkdir(parents=True, exist_ok=True)
    orders: dict[int, list[str]] = {}
    movements: dict[tuple[int, int, int], list[str]] = {}
    varied: list[str] = []
    for (mandate, ordered, paid), group in groupby(connection.execute(_ORDERS).fetchall(), key=lambda row: row[:3]):
        rows = list(group)
        # Some orders have the number's end alone; the lot is right.
        lines = [_Line(row[3][-4:] if row[8] % 60 == 20 else row[3], row[4], str(row[5])) for row in rows]
        total = str(sum(row[5] for row in rows))
        name, party, i = rows[0][6:9]
        whole = _order("INSERIMENTO", mandate, ordered, lines, total, name, party)
        if i % 40 == 0:  # sent for a wrong invoice first, then varied
            orders.setdefault(ordered.year, []).append(
                _order(
                    "INSERIMENTO",
                    mandate,
                    ordered,
                    [_Line("ERRATA", lines[0].lot, total)],
                    total,
                    name,
                    party,
                )
            )
            varied.append(_order("VARIAZIONE", mandate, ordered, lines, total, name, party))
        else:
            orders.setdefault(ordered.year, []).append(whole)
        movements.setdefault((ordered.year, paid.year, paid.month), []).append(_movement(mandate, total, paid, name))
    cancelled = []
    for place, (i, lot, invoice, amount, vat, name, piva, _) in enumerate(connection.execute(_WAITING).fetchall()):
        mandate, euro = str(9_000_000 + i), f"{amount // 100}.{amount % 100:02d}"
        if place % 3 == 2:  # the VAT of split payment: paid, but no commercial debt
            tax = f"{vat // 100}.{vat % 100:02d}"
            content = _order("INSERIMENTO", mandate, day, [_Line(invoice, lot, tax)], tax, "Erario", "", debt="IVA")
            movements.setdefault((day.year, day.year, day.month), []).append(_movement(mandate, tax, day, "Erario"))
        else:
            content = _order("INSERIMENTO", mandate, day, [_Line(invoice, lot, euro)], euro, name, piva)
        orders.setdefault(day.year, []).append(content)
        if place % 3 == 1:
            cancelled.append(content.replace("INSERIMENTO", "ANNULLO"))
    movements.setdefault((day.year, day.year, day.month), []).append(_movement("9999999", "1850.00", day, "Stipendi"))
    for year, texts in orders.items():
        for start in range(0, len(texts), _ORDERS_A_FLOW):
            _flow(
                folder / f"OPI_{year}_{start // _ORDERS_A_FLOW + 1:03d}.xml",
                texts[start : start + _ORDERS_A_FLOW],
                year,
                1,
                ente,
            )
    for year in {int(text.split("<data_mandato>")[1][:4]) for text in (*varied, *cancelled)}:
        again = [text for text in (*varied, *cancelled) if f"<data_mandato>{year}" in text]
        _flow(folder / f"OPI_{year}_variazioni.xml", again, year, 2, ente)
    for (year, paid_year, month), texts in movements.items():
        _journal(folder / f"giornale_{year}_{paid_year}_{month:02d}.xml", texts, year, ente)


def _order(
    operation: str,
    mandate: str,
    day: date,
    lines: Iterable[_Line],
    total: str,
    name: str,
    party: str,
    debt: str = "COMMERCIALE",
) -> str:
    kind = "tipo_debito_siope_c" if debt == "COMMERCIALE" else "tipo_debito_siope_nc"
    blocks = "".join(
        f"<fattura_siope><codice_ipa_ente_siope>-</codice_ipa_ente_siope><tipo_documento_siope_e>ELETTRONICO"
        f"</tipo_documento_siope_e><identificativo_lotto_sdi_siope>{line.lot}</identificativo_lotto_sdi_siope>"
        f"<dati_fattura_siope><numero_fattura_siope>{escape(line.number)}</numero_fattura_siope><importo_siope>{line.amount}"
        f"</importo_siope><natura_spesa_siope>CORRENTE</natura_spesa_siope></dati_fattura_siope></fattura_siope>\n"
        for line in lines
    )
    identity = "codice_fiscale_beneficiario" if len(party) == 16 else "partita_iva_beneficiario"
    return (
        f"<mandato><tipo_operazione>{operation}</tipo_operazione><numero_mandato>{mandate:0>7}</numero_mandato>"
        f"<data_mandato>{day}</data_mandato><importo_mandato>{total}</importo_mandato>\n<informazioni_beneficiario>"
        f"<progressivo_beneficiario>1</progressivo_beneficiario><importo_beneficiario>{total}</importo_beneficiario>"
        f"<classificazione><codice_cgu>1030102999</codice_cgu><importo>{total}</importo><classificazione_dati_siope_uscite>"
        f"<{kind}>{debt}</{kind}>\n{blocks}</classificazione_dati_siope_uscite></classificazione><beneficiario>"
        f"<anagrafica_beneficiario>{escape(name)}</anagrafica_beneficiario><{identity}>{party}</{identity}></beneficiario>"
        f"</informazioni_beneficiario></mandato>\n"
    )


def _movement(mandate: str, amount: str, day: date, name: str) -> str:
    return (
        f"<movimento_conto_evidenza><tipo_movimento>USCITA</tipo_movimento><tipo_documento>MANDATO</tipo_documento>"
        f"<tipo_operazione>ESEGUITO</tipo_operazione><numero_documento>{mandate}</numero_documento>"
        f"<progressivo_documento>1</progressivo_documento><importo>{amount}</importo><numero_bolletta_quietanza>{mandate}"
        f"</numero_bolletta_quietanza><data_movimento>{day}</data_movimento><cliente><anagrafica_cliente>{escape(name)}"
        f"</anagrafica_cliente></cliente></movimento_conto_evidenza>\n"
    )


def _flow(path: Path, orders: list[str], year: int, version: int, ente: Ente) -> None:
    _file(
        path,
        f'<?xml version="1.0" encoding="UTF-8"?>\n<flusso_ordinativi><testata_flusso><identificativo_flusso>{path.stem}'
        f"</identificativo_flusso><data_ora_creazione_flusso>{year}-12-31T{version:02d}:00:00</data_ora_creazione_flusso>"
        f"<codice_fiscale_ente>{ente.cf}</codice_fiscale_ente></testata_flusso><esercizio>{year}</esercizio>\n"
        f"{''.join(orders)}</flusso_ordinativi>\n",
    )


def _journal(path: Path, movements: list[str], year: int, ente: Ente) -> None:
    _file(
        path,
        f'<?xml version="1.0" encoding="UTF-8"?>\n<flusso_giornale_di_cassa><testata_messaggio><codice_fiscale_ente>{ente.cf}'
        f"</codice_fiscale_ente></testata_messaggio><identificativo_flusso_BT>{path.stem}</identificativo_flusso_BT>"
        f"<esercizio>{year}</esercizio><informazioni_conto_evidenza><conto_evidenza>1</conto_evidenza>\n{''.join(movements)}"
        f"</informazioni_conto_evidenza></flusso_giornale_di_cassa>\n",
    )


def _file(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)
