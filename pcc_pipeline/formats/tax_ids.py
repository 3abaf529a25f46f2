"""Tax ids checked by their check digits (python-stdnum), and leading zeros given back where the digit proves them.

How two writings of one id become equal, and which ids are matched on, is the models' (02_identity.sql).
"""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from stdnum import luhn
from stdnum.it import codicefiscale, iva

from pcc_pipeline.formats.notes import Note
from pcc_pipeline.tables.notes import WRONG_TAX_ID, ZEROS_RECOVERED

#: Columns that hold the tax id of a party, Italian or foreign.
COLUMNS = frozenset(
    (
        "cf_fornitore", "piva_fornitore", "cf_beneficiario", "id_fiscale_iva", "cf_amministrazione", "nuovo_creditore_cf",
        "nuovo_creditore_piva", "id_fiscale_iva_beneficiario",
    )
)  # fmt: skip

WRONG = "codice fiscale o partita IVA errati (lunghezza o cifra di controllo): tenuti come sono"
MANY = "altri codici fiscali o partite IVA, errati o con gli zeri iniziali restituiti"
RECOVERED = "zeri iniziali persi: restituiti, come prova la cifra di controllo"

#: Ids of one part of a file that have a note of their own.
_NAMED = 500

_LOST = re.compile(r"[0-9]{5,10}")
_FOREIGN = re.compile(r"(?!IT)[A-Z]{2}(?=[A-Z0-9]*[0-9])[A-Z0-9]{2,13}")


def is_right(bare: str) -> bool:
    """Whether eleven digits, or the sixteen characters of a person's code, are a right Italian tax id.

    Of eleven digits the check digit alone decides: those that tell the office that gave a VAT number tell nothing in a
    fiscal code (a provisional one has any).
    """
    if re.fullmatch(r"[0-9]{11}", bare):
        return bool(bare.strip("0")) and luhn.is_valid(bare)
    return len(bare) == 16 and codicefiscale.is_valid(bare)


@lru_cache(maxsize=200_000)
def read_tax_id(text: str) -> tuple[str, str | None]:
    """The id as it is kept, and the code of the note on it: null when it is right.

    Italian ids (11 digits, `IT` before them or not; 16 characters) are checked; foreign ones, which begin with
    another country's two letters, are not. Lost zeros are given back only where the whole is a VAT number, since one
    digit proves little of a short one.
    """
    bare = re.sub(r"[^A-Z0-9]", "", text.upper())
    national = bare[2:] if re.fullmatch(r"IT[0-9]{1,11}", bare) else bare
    if is_right(national):
        return text, None
    if _LOST.fullmatch(national) and iva.is_valid(national.zfill(11)):
        return ("IT" if national != bare else "") + national.zfill(11), ZEROS_RECOVERED
    if _FOREIGN.fullmatch(bare) and not re.fullmatch(r"[A-Z]{6}.{10}", bare):
        return text, None
    return text, WRONG_TAX_ID


def checked_tax_ids(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Note]]:
    """The rows with leading zeros given back, and the notes on the ids that were mended or are wrong."""
    notes: list[Note] = []
    for place, name in enumerate(rows.schema.names):
        if name not in COLUMNS or not len(rows):
            continue
        texts = rows.column(place)
        read = {text: found for text in pc.unique(texts).to_pylist() if text and (found := read_tax_id(text))[1]}
        if not read:
            continue
        where = pc.index_in(texts, pa.array(list(read), pa.string()))
        noted = pa.table({"id": where, "line": rows.column("line")}).filter(pc.is_valid(where)).group_by("id")
        counts = noted.aggregate([("line", "min"), ("line", "count")])
        items = list(read.items())
        named = counts.slice(0, _NAMED).to_pydict()
        for position, line, times in zip(named["id"], named["line_min"], named["line_count"], strict=True):
            text, (kept, code) = items[position]
            told = WRONG if code == WRONG_TAX_ID else RECOVERED
            notes.append(Note(code or "", told, line, name, text if kept == text else f"{text} → {kept}", times))
        if len(counts) > _NAMED:
            left = counts.slice(_NAMED)
            line, times = pc.min(left["line_min"]).as_py(), pc.sum(left["line_count"]).as_py()
            notes.append(Note(WRONG_TAX_ID, MANY, line, name, None, times))
        if any(kept != text for text, (kept, _) in read.items()):
            mended = pa.array([kept for kept, _ in read.values()], pa.string()).take(where)
            rows = rows.set_column(place, rows.schema.field(place), pc.coalesce(mended, texts))
    return rows, notes
