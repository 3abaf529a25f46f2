"""A SQLite file that plays one ente's accounting system (Libro Mastro PA), and its entry in the sources file.

Its tables are that product's own, not those of docs/formats.md: suppliers apart, amounts in cents, states as numbers.
The queries that read it are in `layouts/libro_mastro_pa_5.yaml`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import yaml

from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.connector.connect import ConnectReport, connect
from pcc_pipeline.connector.sources import load_sources, sources_file
from pcc_pipeline.installation import Installation

#: The accounting system that is read by remote connection, and where its file lies under the home folder.
PRODUCT = "Libro Mastro PA"
FILE = Path("demo") / "erp" / "libro_mastro.sqlite"
_BLOCK = 20_000

_TABLES = {
    "fornitori": """
        select distinct coalesce(piva_fornitore, '') || '/' || coalesce(cf_fornitore, '') as id_fornitore,
            any_value(denominazione_fornitore) as rag_sociale, piva_fornitore as partita_iva, cf_fornitore as cod_fiscale
        from erp_invoices group by piva_fornitore, cf_fornitore order by 1""",
    "fatture": """
        select id_documento as id_fattura, tipo_documento as tipo_doc,
            coalesce(piva_fornitore, '') || '/' || coalesce(cf_fornitore, '') as id_fornitore, numero as num_fattura,
            data_emissione as data_fattura, data_ricezione as data_arrivo, protocollo as num_protocollo,
            lotto_sdi as id_sdi, id_pcc, (importo_totale * 100)::bigint as tot_cent,
            (imponibile * 100)::bigint as imponibile_cent, (iva * 100)::bigint as iva_cent,
            split_payment::int as scissione, data_scadenza as scadenza, codice_ufficio as uff_ipa, cig, cup,
            if(natura_spesa = 'CA', 2, 1) as titolo, capitolo, impegno,
            case stato when 'REGISTRATA' then 1 when 'LIQUIDATA' then 2 when 'SOSPESA' then 3 when 'NON_LIQUIDABILE' then 4
                when 'RIFIUTATA' then 8 else 9 end as stato,
            causale, data_sospensione as data_sosp, (importo_sospeso * 100)::bigint as sosp_cent,
            (importo_non_liquidabile * 100)::bigint as nl_cent, (not commerciale)::int as istituzionale,
            strftime(coalesce(data_ricezione, data_emissione) + interval 10 hour, '%Y-%m-%d %H:%M:%S') as ult_mod
        from erp_invoices order by line""",
    "quietanze": """
        select id_documento as id_fattura, numero_mandato as num_mandato, data_mandato, data_pagamento as data_quietanza,
            (importo * 100)::bigint as importo_cent, cf_beneficiario as beneficiario, storno::int as annullo,
            strftime(data_pagamento + interval 18 hour, '%Y-%m-%d %H:%M:%S') as ult_mod
        from erp_payments order by line""",
}


def write_erp(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Writes the ente's invoices and payments (views of `synthesis`) as that product's database, replacing it."""
    database.parent.mkdir(parents=True, exist_ok=True)
    part = database.with_name(database.name + ".part")
    part.unlink(missing_ok=True)
    with sqlite3.connect(part) as erp:
        for name, query in _TABLES.items():
            texts = f"select columns(*)::varchar from ({query})"
            cursor = connection.execute(texts)
            columns = [column[0] for column in cursor.description or ()]
            typed = ", ".join(f"{c} {'integer' if c.endswith('_cent') or c in _NUMBERS else 'text'}" for c in columns)
            erp.execute(f"create table {name} ({typed})")
            while rows := cursor.fetchmany(_BLOCK):
                erp.executemany(f"insert into {name} values ({', '.join('?' * len(columns))})", rows)
        erp.execute("create index fatture_ult_mod on fatture (ult_mod)")
        erp.execute("create index quietanze_mandato on quietanze (id_fattura, num_mandato)")
    erp.close()
    part.replace(database)


_NUMBERS = ("scissione", "titolo", "stato", "istituzionale", "annullo")


def read_erp(installation: Installation, inbox: Path, ente: str) -> ConnectReport:
    """Reads the demo's database as the sensor will: writes its entry where there is no sources file yet.

    The provider's register of enti is read first: it says whether the ente may be read at all.
    """
    settings = installation.settings
    path = sources_file(settings)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({ente: {"url": f"sqlite:///{settings.home / FILE}"}}), encoding="utf-8")
    land(installation, inbox, ente=PROVIDER)
    stage(installation, PROVIDER)
    return connect(installation, load_sources(settings)[ente])
