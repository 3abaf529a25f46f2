"""The two upload models of today's PCC as files, for the double (platform_today): strict reading, answers in both dialects.

Written from the description of the models (docs/formats.md#area-rgs) and from nothing of the project's own code.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter


class Malformed(Exception):
    """A file that is none of the two models, exactly: taken as a whole or not at all."""


@dataclass(frozen=True)
class Form:
    """One model: its name, the cells of its header rows, the names of its columns (answer cells last)."""

    name: str
    header: tuple[str, ...]
    header_cells: int
    columns: tuple[str, ...]
    actions: tuple[str, ...]


IDS = ("progressivo", "lotto", "numero", "data_documento", "cf_fornitore", "ufficio", "azione")
ANSWER = ("codice", "descrizione")
_SID = "VARIAZIONE IMPORTI DOCUMENTI Tutti i campi sono obbligatori Sezione da compilare solo per le righe del modello per le quali Azione = 'SID'"
_MI = "REGIME IVA Sezione da compilare solo per le righe del modello per le quali Azione = 'MI'"
_RC = (
    "RICEZIONE / RIFIUTO / COMUNICAZIONE SCADENZA Sezione da compilare solo per le righe del modello per le quali "
    "Azione = 'RC' Azione = 'RF' Azione = 'CS'"
)
_WHICH = "Numero progressivo di registrazione;IDENTIFICATIVO 2 ;;Data documento (SDI 2.1.1.3 Data);Codice fiscale fornitore;Codice ufficio;Azione "

AMOUNTS = Form(
    "GESTIONE IMPORTI DOCUMENTI",
    (
        f"DATI IDENTIFICATIVI FATTURA*;;;;;;TIPO OPERAZIONE*;{_SID};;;;;;;;;;{_MI};{_RC};;ESITO ELABORAZIONE",
        "IDENTIFICATIVO 1;;IDENTIFICATIVO 3 ",
        f"{_WHICH};Imponibile;Imposta;Importo non commerciale*;Importo sospeso in Contenzioso*;"
        "Data inizio sospesione in Contenzioso*;Importo sospeso in contestazione/adempimenti normativi*;"
        "Data inizio sospesione in contestazione /adempimenti normativi*;"
        "Importo sospeso per data esito regolare verifica di conformità*;"
        "Data inizio sospensione per data esito regolare verifica di conformità*;Importo non liquidabile*;Flag split (S/N);Data;"
        "Numero protocollo di entrata;Codice segnalazione;Descrizione segnalazione",
        ";Lotto SDI;Numero fattura(SDI 2.1.1.4 Numero)",
    ),
    57,
    (*IDS, "imponibile", "imposta", "non_commerciale", "contenzioso", "contenzioso_dal", "contestazione", "contestazione_dal",
     "verifica", "verifica_dal", "non_liquidabile", "split", "data", "protocollo", *ANSWER),
    ("SID", "MI", "RC", "RF", "CS", "CH", "RS", "RT"),
)  # fmt: skip
PAYMENTS = Form(
    "GESTIONE PAGAMENTI",
    (
        "DATI IDENTIFICATIVI DOCUMENTO* ;;;;;;TIPO OPERAZIONE;DATI PAGAMENTO;;;;;;;;;;;;ESITO ELABORAZIONE",
        "IDENTIFICATIVO 1;;IDENTIFICATIVO 3 ",
        f"{_WHICH};Id pagamento(Per nuovo pagamento non compilare il campo);Tipo debito(C = Commerciale / NC = Non Commerciale);"
        "Importo pagato;Natura di spesa;Mandato di pagamento;;Id fiscale IVA del beneficiario;Codice CIG;Codice CUP;"
        "Pagamento OPI S/N;Pagamento IVA S/N;Giorni di sospensione effettivi;Codice segnalazione;Descrizione segnalazione",
        ";Lotto SDI;Numero documento(SDI 2.1.1.4 Numero);;;;;;;;;Numero;Data",
    ),
    21,
    (*IDS, "id_pagamento", "tipo_debito", "importo", "natura", "mandato", "mandato_il", "beneficiario", "cig", "cup", "opi",
     "iva", "giorni", *ANSWER),
    ("IP",),
)  # fmt: skip
FORMS = {form.name: form for form in (AMOUNTS, PAYMENTS)}
#: As SIGLA requires of the user of the login: the code of a natural person.
PERSON = re.compile(r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]")


def header(form: Form, user: str) -> list[list[str]]:
    """The eight header rows, padded."""
    rows = [
        "", f"Codice del modello;{form.name};;i campi contrassegnati da * sono obbligatori", "Versione del modello;1",
        f"Utente che trasmette il file (Codice Fiscale);{user}", *form.header,
    ]  # fmt: skip
    cells = [row.split(";") for row in rows]
    return [[*row, *[""] * (form.header_cells - len(row))] for row in cells]


def written(rows: Sequence[Sequence[str]]) -> str:
    """The rows as text: `;`, CRLF, quoted only where a cell needs it."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def read(data: bytes) -> tuple[Form, str, list[dict[str, str]]]:
    """The form of a file, who transmits it and its rows by column name. Raises Malformed for one that is not exactly of a form."""
    text = data.decode("cp1252", errors="surrogateescape")
    if not text.endswith("\r\n"):
        raise Malformed("lines must end with CRLF")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    except csv.Error as error:
        raise Malformed(f"not the CSV of a model: {error}") from None
    if written(rows) != text:
        raise Malformed("lines must end with CRLF, and only a cell that needs quotes has them")
    form = FORMS.get(rows[1][1]) if len(rows) > 8 and len(rows[1]) > 1 else None
    if form is None:
        raise Malformed("no model, or no row")
    user = rows[3][1] if len(rows[3]) > 1 else ""
    if not PERSON.fullmatch(user):
        raise Malformed(f"user {user!r}")
    for number, (found, wanted) in enumerate(zip(rows, header(form, user), strict=False), 1):
        if found != wanted:
            raise Malformed(f"header row {number}")
    # Each cell of a data row is followed by a separator in model A's 22 cells and in model B's 21.
    width = len(form.columns)
    for number, row in enumerate(rows[8:], 9):
        if len(row) != width + 1 or row[-1]:
            raise Malformed(f"row {number}: {len(row) - 1} separators, not {width}")
    return form, user, [dict(zip(form.columns, row, strict=False)) for row in rows[8:]]


def easy(form: Form, user: str, rows: Sequence[dict[str, str]]) -> bytes:
    """The answered rows as the file that was uploaded, its answer cells filled."""
    cells = [[row[name] for name in form.columns] + [""] for row in rows]
    return written([*header(form, user), *cells]).encode("cp1252")


_BROKEN = (
    ("DOCUMENTI Tutti", "DOCUMENTI\nTutti"), ("obbligatori Sezione", "obbligatori\nSezione"),
    ("REGIME IVA Sezione", "REGIME IVA\nSezione"),
    ("RICEZIONE / RIFIUTO / COMUNICAZIONE SCADENZA Sezione", "RICEZIONE/RIFIUTO/COMUNICAZIONE SCADENZA \nSezione"),
    ("'RC' Azione = 'RF' Azione", "'RC' ;  Azione = 'RF'; Azione"),
    ("Numero fattura(", "Numero fattura \n("), ("Numero documento(", "Numero documento \n("),
)  # fmt: skip


def sigla(form: Form, user: str, rows: Sequence[dict[str, str]]) -> bytes:
    """The same in the other public dialect: 58 cells, all quoted, comma decimals, UTF-8, LF; line breaks bare in the header."""
    lines = []
    for row in header(form, user):
        line = ";".join(cell.rstrip() for cell in row)
        for plain, broken in _BROKEN:
            line = line.replace(plain, broken)
        lines.append(line + ";" * (58 - len(row)))
    for answered in rows:
        cells = [re.sub(r"^(\d+)\.(\d\d)$", r"\1,\2", answered[name]) for name in form.columns]
        lines.append(";".join('"' + cell.replace('"', '""') + '"' for cell in cells) + ";" * (58 - len(cells)))
    return ("\n".join(lines) + "\n").encode()


def workbook(form: Form, user: str, rows: Sequence[dict[str, str]]) -> bytes:
    """The same as .xlsx, every cell text, the data from row 9."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for place, cells in enumerate([*header(form, user), *([row[name] for name in form.columns] for row in rows)]):
            for column, cell in enumerate(cells):
                if cell:
                    sheet.write_string(place, column, cell)
    return out.getvalue()


DIALECTS = {"easy": easy, "sigla": sigla, "xlsx": workbook}
