"""ERP files as the products of some synthetic enti write them: the other side of the shipped layouts.

Takes the standard views `erp_invoices` and `erp_payments` (feeds.sql) and writes them under the product's own names,
codes and conventions; what is in the documents is the same. Products without a writer here write the standard columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import xlsxwriter

_ITALIAN = (
    "if({0} is null, null, if({0} < 0, '-', '') || replace(format('{{:,}}', trunc(abs({0}))::bigint), ',', '.') || ',' "
    "|| lpad(((abs({0}) * 100)::bigint % 100)::text, 2, '0'))"
)
_CENTS = "({0} * 100)::bigint::text"
_DAY = "strftime({0}, '%d%m%Y')"
_SLASH = "strftime({0}, '%d/%m/%Y')"


def _case(column: str, **codes: str) -> str:
    whens = " ".join(f"when '{meant}' then '{written}'" for meant, written in codes.items())
    return f"case {column} {whens} end"


def _credit(column: str) -> str:
    """The amount, negative for a credit note."""
    return f"if(tipo_documento in ('TD04', 'NOTA_CREDITO'), -{column}, {column})"


@dataclass(frozen=True)
class TextFile:
    """A text file: its columns (name, expression over the standard view), how it is written, what stands around."""

    columns: tuple[tuple[str, str], ...]
    separator: str
    encoding: str = "utf-8"
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    page: int = 0  # after that many rows a subtotal and the header again


_SANITA = {
    "erp_invoices": TextFile(
        (
            ("TREC", "'F'"), ("KDOC", "id_documento"), ("TDOC", "tipo_documento"), ("CFISC", "cf_fornitore"),
            ("PIVA", "ltrim(piva_fornitore, '0')"), ("RAGSOC", "denominazione_fornitore"), ("NUMDOC", "numero"),
            ("DTDOC", _DAY.format("data_emissione")), ("DTRIC", _DAY.format("data_ricezione")), ("NPROT", "protocollo"),
            ("IDSDI", "lotto_sdi"), ("IDPCC", "id_pcc"), ("IMPTOT", _CENTS.format("importo_totale")),
            ("IMPIMP", _CENTS.format("imponibile")), ("IMPIVA", _CENTS.format("iva")), ("FLSPLIT", "if(split_payment, '1', '0')"),
            ("DTSCA", _DAY.format("data_scadenza")), ("UFFICIO", "codice_ufficio"), ("CIG", "cig"), ("CUP", "cup"),
            ("NATSP", _case("natura_spesa", CO="C", CA="K")), ("CONTO", "capitolo"), ("IMPEGNO", "impegno"),
            ("STATO", _case("stato", REGISTRATA="R", LIQUIDATA="L", SOSPESA="S", NON_LIQUIDABILE="N", RIFIUTATA="X", ANNULLATA="A")),
            ("CAUS", _case("causale", CONTESTATO="01", CONTENZIOSO="02", ADEMPIMENTI="03", ATTESA_NC="04", ALTRO="99")),
            ("DTSOSP", _DAY.format("data_sospensione")), ("IMPSOSP", _CENTS.format("importo_sospeso")),
            ("IMPNOLIQ", _CENTS.format("importo_non_liquidabile")), ("FLCOMM", "if(commerciale, '1', '0')"),
        ),
        "|", "cp850", after=("Z|" + "|" * 27,),
    ),
    "erp_payments": TextFile(
        (
            ("TREC", "'P'"), ("KDOC", "id_documento"), ("NMAND", "numero_mandato"), ("DTMAND", _DAY.format("data_mandato")),
            ("DTQUIET", _DAY.format("data_pagamento")), ("IMPORTO", _CENTS.format("if(storno, -importo, importo)")),
            ("BENEF", "cf_beneficiario"),
        ),
        "|", "cp850", after=("Z||||||",),
    ),
}  # fmt: skip

_SUPPLIER = (
    "denominazione_fornitore || ' (' || coalesce('PI ' || piva_fornitore, '') || if(piva_fornitore is null or cf_fornitore is null, "
    "'', ' ') || coalesce('CF ' || cf_fornitore, '') || ')'"
)
_LIBRO = {
    "erp_invoices": TextFile(
        (
            ("Registro", "'D'"), ("Progressivo", "substr(id_documento, 2)"), ("Fornitore", _SUPPLIER), ("Numero", "numero"), ("Serie", "''"),
            ("GG", "day(data_emissione)"), ("MM", "month(data_emissione)"), ("AAAA", "year(data_emissione)"),
            ("Pervenuta il", _SLASH.format("data_ricezione")), ("Prot.", "protocollo"),
            ("Riferimenti", "trim(coalesce('SDI ' || lotto_sdi, '') || coalesce(' PCC ' || id_pcc, ''))"),
            ("Dare", f"if({_credit('1')} < 0, {_ITALIAN.format('importo_totale')}, '0,00')"),
            ("Avere", f"if({_credit('1')} < 0, '0,00', {_ITALIAN.format('importo_totale')})"),
            ("Imponibile", _ITALIAN.format(_credit("imponibile"))), ("IVA", _ITALIAN.format(_credit("iva"))),
            ("Esigibilità", "if(split_payment, 'Scissione', 'Immediata')"), ("Scad.", _SLASH.format("data_scadenza")),
            ("Ufficio", "codice_ufficio"), ("CIG", "cig"), ("CUP", "cup"), ("Spesa", _case("natura_spesa", CO="Corrente", CA="Investimento")),
            ("Capitolo/Impegno", "capitolo || ' - ' || impegno"),
            ("Iter", _case("stato", REGISTRATA="Reg", LIQUIDATA="Liq", SOSPESA="Sosp", NON_LIQUIDABILE="NonLiq", RIFIUTATA="Rif", ANNULLATA="Ann")),
            ("Causa", _case("causale", CONTESTATO="Contestata", CONTENZIOSO="Lite", ADEMPIMENTI="Adempimenti", ATTESA_NC="In attesa NC", ALTRO="Altra")),
            ("Sosp. dal", _SLASH.format("data_sospensione")), ("Imp. sospeso", _ITALIAN.format("importo_sospeso")),
            ("Imp. non liquidabile", _ITALIAN.format("importo_non_liquidabile")), ("Commerciale", "if(commerciale, 'C', 'NC')"),
        ),
        ",",
    ),
    "erp_payments": TextFile(
        (
            ("Documento", "id_documento"), ("Mandato", "numero_mandato"), ("Emesso il", _SLASH.format("data_mandato")),
            ("Quietanza", _SLASH.format("data_pagamento")), ("Dare", f"if(storno, {_ITALIAN.format('importo')}, null)"),
            ("Avere", f"if(storno, null, {_ITALIAN.format('importo')})"), ("Beneficiario", "cf_beneficiario"),
        ),
        ",",
    ),
}  # fmt: skip

_FINANZA = {
    "erp_invoices": TextFile(
        (
            ("Id. registrazione", "id_documento"), ("Tipo", "tipo_documento"), ("C.F.", "cf_fornitore"), ("Part. IVA", "piva_fornitore"),
            ("Fornitore", "denominazione_fornitore"), ("N. fattura", "numero"), ("Data fattura", _SLASH.format("data_emissione")),
            ("Data ricez.", _SLASH.format("data_ricezione")), ("Prot. n.", "protocollo"), ("Id SDI", "lotto_sdi"), ("Id PCC", "id_pcc"),
            ("Totale documento", "'€ ' || " + _ITALIAN.format("importo_totale")), ("Imponibile", "'€ ' || " + _ITALIAN.format("imponibile")),
            ("Imposta", "'€ ' || " + _ITALIAN.format("iva")), ("Split", "if(split_payment, 'S', 'N')"),
            ("Scadenza", _SLASH.format("data_scadenza")), ("CUU", "codice_ufficio"), ("CIG", "cig"), ("CUP", "cup"),
            ("Tit.", _case("natura_spesa", CO="I", CA="II")), ("Cap.", "capitolo"), ("Imp.", "impegno"),
            ("Stato", _case("stato", REGISTRATA="REG", LIQUIDATA="LIQ", SOSPESA="SOSP", NON_LIQUIDABILE="NOLIQ", RIFIUTATA="RIF", ANNULLATA="ANN")),
            ("Causale sosp.", _case("causale", CONTESTATO="CONT", CONTENZIOSO="LITE", ADEMPIMENTI="ADEMP", ATTESA_NC="ATTNC", ALTRO="ALTRO")),
            ("Sospesa dal", _SLASH.format("data_sospensione")), ("Imp. sospeso", _ITALIAN.format("importo_sospeso")),
            ("Imp. non liquid.", _ITALIAN.format("importo_non_liquidabile")), ("Comm.", "if(commerciale, 'S', 'N')"),
        ),
        ";", "cp1252", ("Registro delle fatture;;;", "Stampa del 20/01/2026;;;", ""), ("Totale generale;;;;;;;;;;;1.234,56",), 1000,
    ),
    "erp_payments": TextFile(
        (
            ("Id. registrazione", "id_documento"), ("Mandato n.", "numero_mandato"), ("Data mandato", _SLASH.format("data_mandato")),
            ("Data quietanza", _SLASH.format("data_pagamento")),
            ("Importo", f"if(storno, '(' || {_ITALIAN.format('importo')} || ')', {_ITALIAN.format('importo')})"),
            ("Beneficiario", "cf_beneficiario"), ("Segno", "if(storno, '-', '+')"),
        ),
        ";", "cp1252", ("Elenco dei mandati;;",), ("Totale;;;;1.234,56;;",), 1000,
    ),
}  # fmt: skip

#: Rows of Finanza Enti that no reader should accept.
_FINANZA_BAD = {
    "erp_invoices": (
        "GUASTO01;FT;;00000000000;Ditta Guasta;1;31/02/2025;;;;;€ 100,00;;;N;;;;;I;;;LIQ;;;;;S",
        "GUASTO02;FT;;00000000000;Ditta Guasta;2;15/03/2025;;;;;cento euro;;;N;;;;;I;;;LIQ;;;;;S",
        "GUASTO03;XX;;;Ditta Guasta;;15/03/2025;;;;;€ 100,00;;;N;;;;;I;;;IGNOTO;;;;;S",
    ),
    "erp_payments": ("GUASTO01;77;15/03/2025;;cento;;+",),
}

#: Column of the sheet: its group, its name, the expression.
_CIVICA = (
    ("Documento", "Chiave", "id_documento"), ("", "Tipo", "tipo_documento"), ("", "Numero", "numero"), ("", "Data", "data_emissione"),
    ("", "Arrivo", "data_ricezione"), ("", "Protocollo", "protocollo"), ("Fornitore", "P.IVA", "piva_fornitore"),
    ("", "Cod.Fiscale", "cf_fornitore"), ("", "Ragione sociale", "denominazione_fornitore"), ("SDI", "Identificativo", "lotto_sdi"),
    ("", "Ufficio", "codice_ufficio"), ("PCC", "Progressivo", "id_pcc"), ("Importi", "Totale", _credit("importo_totale")),
    ("", "Imponibile", _credit("imponibile")), ("", "IVA", _credit("iva")), ("", "Scissione", "if(split_payment, 'X', null)"),
    ("Pagamento", "Scadenza", "data_scadenza"), ("", "CIG", "cig"), ("", "CUP", "cup"),
    ("Bilancio", "Titolo", _case("natura_spesa", CO="1", CA="2")), ("", "Capitolo", "capitolo"), ("", "Impegno", "impegno"),
    ("Situazione", "Stato", "upper(stato[1]) || lower(replace(stato[2:], '_', ' '))"),
    ("", "Motivo", _case("causale", CONTESTATO="Contestazione", CONTENZIOSO="Contenzioso", ADEMPIMENTI="Adempimenti", ATTESA_NC="Attesa NC", ALTRO="Altro")),
    ("", "Dal", "data_sospensione"), ("", "Sospeso", "importo_sospeso"), ("", "Non liquidabile", "importo_non_liquidabile"),
    ("", "Commerciale", "if(commerciale, 'Sì', 'No')"), ("", "Operatore", "'Ufficio ragioneria'"),
)  # fmt: skip

_TEXTS = {"Sanità Bilancio": _SANITA, "Finanza Enti": _FINANZA, "Libro Mastro PA": _LIBRO}
_BLOCK = 50_000


def write_as_product(
    connection: duckdb.DuckDBPyConnection, product: str, kind: str, folder: Path, *, excel: bool, careless: bool = False
) -> bool:
    """Writes a kind as the product does, where it does so in a way of its own; says whether it did.

    `excel` is whether the ente delivers workbooks; `careless` adds rows that must end in quarantine (Finanza Enti).
    """
    texts = _TEXTS.get(product, {})
    if kind in texts:
        extra = _FINANZA_BAD[kind] if careless and texts is _FINANZA else ()
        _write_text(connection, texts[kind], kind, folder / f"{kind}.csv", extra)
        return True
    if product == "Contabilità Civica" and kind == "erp_invoices" and excel:
        _write_civica(connection, folder / f"{kind}.xlsx")
        return True
    return False


def _write_text(
    connection: duckdb.DuckDBPyConnection, text: TextFile, view: str, path: Path, extra: Sequence[str] = ()
) -> None:
    part, raw = path.with_name(path.name + ".part"), path.with_name(path.name + ".utf8.part")
    columns = ", ".join(f'{expression} as "{name}"' for name, expression in text.columns)
    quoted = str(raw).replace("'", "''")
    connection.execute(
        f"copy (select {columns} from {view} order by line) to '{quoted}' (format csv, header true, delimiter '{text.separator}')"
    )
    with (
        raw.open(encoding="utf-8", newline="") as source,
        part.open("w", encoding=text.encoding, errors="replace", newline="") as target,
    ):
        target.writelines(line + "\r\n" for line in text.before)
        header = source.readline().rstrip("\n")
        target.write(header + "\r\n")
        for number, line in enumerate(source, start=1):
            target.write(line.rstrip("\n") + "\r\n")
            if text.page and number % text.page == 0:
                target.write(text.after[0].replace("generale", "di pagina") + "\r\n" + header + "\r\n")
        target.writelines(line + "\r\n" for line in (*extra, *text.after))
    raw.unlink()
    part.rename(path)


def _write_civica(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    part = path.with_name(path.name + ".part")
    workbook = xlsxwriter.Workbook(str(part), {"constant_memory": True, "default_date_format": "dd/mm/yyyy"})
    workbook.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001 - the same seed, the same bytes
    for name, where in (("Fatture", "not in"), ("Note di credito", "in")):
        sheet = workbook.add_worksheet(name)
        sheet.write_string(0, 0, f"{name} registrate")
        groups = [(place, group) for place, (group, _, _) in enumerate(_CIVICA) if group]
        for place, group in groups:
            sheet.write_string(2, place, group)
        for place, (_, column, _) in enumerate(_CIVICA):
            sheet.write_string(3, place, column)
        columns = ", ".join(expression for _, _, expression in _CIVICA)
        query = f"select {columns} from erp_invoices where tipo_documento {where} ('TD04', 'NOTA_CREDITO') order by line"
        for number, row in enumerate(_rows(connection, query), start=4):
            for place, value in enumerate(row):
                if isinstance(value, Decimal):
                    sheet.write_number(number, place, value)
                elif isinstance(value, date):
                    sheet.write_datetime(number, place, value)
                elif value is not None:
                    sheet.write_string(number, place, str(value))
    workbook.close()
    part.rename(path)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Sequence[object]]:
    cursor = connection.execute(query)
    while block := cursor.fetchmany(_BLOCK):
        yield from block
